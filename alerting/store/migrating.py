"""Brings a database to the newest schema; a database that is there already costs one small query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from alerting.store.database import Database
from alerting.store.errors import NewerSchema

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, RevisionStep

HEAD = "0005"
MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Raises NewerSchema where the database was written by a newer metricwatch."""
    with database.reading() as connection:
        found = _revision(connection)
    if found == HEAD:
        return
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":  # two processes that start together: one migrates, one waits
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('metricwatch: migrate'))"))
        _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection) -> None:
    # Imported here: alembic takes longer to load than everything else at start, and is hardly ever needed.
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError

    scripts = ScriptDirectory(str(MIGRATIONS))

    def steps(revision: str | Sequence[str], _: MigrationContext) -> list[RevisionStep]:
        return list(scripts._upgrade_revs("head", revision))  # type: ignore[arg-type]  # the tuple of heads is accepted

    context = MigrationContext.configure(connection, opts={"fn": steps})
    try:
        with Operations.context(context):
            context.run_migrations()
    except (CommandError, ResolutionError) as exc:
        found = _revision(connection)
        raise NewerSchema(
            f"the state has schema {found}, this program knows up to {HEAD}: upgrade metricwatch"
        ) from exc
