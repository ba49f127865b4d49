"""The last good text of each configuration file: what holds while a newer one does not load."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import delete, select, update

from alerting.store.database import Database
from alerting.store.statements import upsert
from alerting.store.tables import config_files
from alerting.store.values import ConfigFile


class ConfigFiles:
    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, ConfigFile]:
        """By path."""
        with self._database.reading() as connection:
            rows = connection.execute(select(config_files).order_by(config_files.c.path)).mappings()
            return {row["path"]: ConfigFile(**row) for row in rows}

    def keep(self, path: str, text: str, loaded_at: datetime) -> None:
        """The file loads: this text holds, and no error is known."""
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        row = {"path": path, "text": text, "digest": digest, "loaded_at": loaded_at, "error": ""}
        with self._database.writing() as connection:
            upsert(connection, config_files, [row])

    def note_error(self, path: str, error: str) -> None:
        """The newest text does not load; the last good one, if any, is kept."""
        with self._database.writing() as connection:
            connection.execute(update(config_files).where(config_files.c.path == path).values(error=error))

    def forget(self, path: str) -> None:
        """The file was deleted."""
        with self._database.writing() as connection:
            connection.execute(delete(config_files).where(config_files.c.path == path))
