from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

from alerting.store import NewerSchema, Recording, Store, open_store
from alerting.store.migrating import HEAD, MIGRATIONS
from alerting.store.tables import metadata
from tests.store.builders import NOON, SUBJECT, incident, state_of, transition


def test_migrations_bring_an_empty_database_to_the_tables_of_the_code(empty_url: str) -> None:
    store = open_store(empty_url)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    store.close()


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    again = open_store(url)
    statements: list[str] = []
    event.listen(again.engine, "before_cursor_execute", lambda c, k, statement, *rest: statements.append(statement))
    assert again.query_states() == {}
    assert not [one for one in statements if "CREATE" in one]
    again.close()


def test_a_newer_schema_is_refused_with_the_remedy(store: Store, url: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match=r"9999.*upgrade metricwatch"):
        open_store(url)


def test_series_and_incidents_from_before_flapping_was_noticed_do_not_flap(store: Store, url: str) -> None:
    one = incident()
    store.record(Recording(now=NOON, states=(state_of(one),), transitions=(transition(one),)))
    with store.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_groups_origin"))
        connection.execute(text("DROP TABLE pull_costs"))
        for table, column in (
            ("series_states", "changes"),
            ("incidents", "flapping"),
            ("transitions", "began_flapping"),
            ("groups", "origin"),
            ("receivers", "fallback"),
        ):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    again = open_store(url)
    assert repr(again.series_states(SUBJECT)[one.fingerprint]) == repr(state_of(one))
    assert repr(again.incident(one.id)) == repr(one)
    assert repr(again.timeline(one.id)) == repr([transition(one)])
    again.close()
