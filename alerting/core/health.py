"""Health of queries: late, failing, empty, schema changed. Not an anomaly, told to ``on_error.notify``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class QueryState:
    """What we know of one query. Instants are aware UTC; None = never.

    ``watermark`` end of the newest bucket taken as final (pulls go on from there) · ``backfilled`` start of the oldest
    bucket pulled · ``newest`` start of the newest bucket with any row · ``restated`` when the restatement window was
    last pulled · ``attempted``/``succeeded`` last pulls · ``failures`` in a row · ``columns`` of the last result.
    """

    name: str
    digest: str
    added: datetime
    watermark: datetime | None = None
    backfilled: datetime | None = None
    newest: datetime | None = None
    restated: datetime | None = None
    attempted: datetime | None = None
    succeeded: datetime | None = None
    failures: int = 0
    error: str = ""
    columns: tuple[str, ...] = ()
    schema_change: str = ""
    """What changed in the columns, until a person accepts it or it changes back; empty = nothing."""
