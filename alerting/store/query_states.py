"""What is known of each query. A query whose SQL changed has two rows until the new digest replaces the old one."""

from __future__ import annotations

import json
from dataclasses import asdict

from sqlalchemy import Connection, RowMapping, delete, select

from alerting.core.health import QueryState
from alerting.store.encoding import dumps
from alerting.store.statements import upsert
from alerting.store.tables import query_states


def write(connection: Connection, state: QueryState) -> None:
    row = {**asdict(state), "columns": dumps(list(state.columns)), "failures": int(state.failures)}
    upsert(connection, query_states, [row])


def read(connection: Connection, name: str | None = None) -> list[QueryState]:
    """Oldest first."""
    statement = select(query_states).order_by(query_states.c.added, query_states.c.name, query_states.c.digest)
    if name is not None:
        statement = statement.where(query_states.c.name == name)
    return [_state_of(row) for row in connection.execute(statement).mappings()]


def forget(connection: Connection, name: str, digest: str) -> None:
    connection.execute(delete(query_states).where(query_states.c.name == name, query_states.c.digest == digest))


def _state_of(row: RowMapping) -> QueryState:
    return QueryState(**{**row, "columns": tuple(json.loads(row["columns"]))})
