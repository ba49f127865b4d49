"""The warehouses: whether each answers, what is pulled from it and what that costs. Never their addresses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerting.app.application import App
from alerting.app.reading_freshness import Freshness, freshness
from alerting.app.reading_names import NotFound
from alerting.store import Cost
from alerting.warehouse import SourceError
from config.model import Source
from config.problems import suggestion

Standing = Literal["working", "partly", "failing", "unknown"]
_FAILED = ("failing", "retrying")


class UnknownSource(NotFound):
    """The configuration has no such source."""


@dataclass(frozen=True)
class SourceLine:
    """One warehouse. ``dialect`` is empty where its URL cannot be read, ``reason`` where it works.

    ``standing``: ``partly`` = some of its queries fail, ``unknown`` = nothing was asked of it yet.
    """

    name: str
    dialect: str
    standing: Standing
    reason: str
    concurrency: int
    timeout_s: float
    queries: tuple[Freshness, ...]
    day: Cost
    week: Cost

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics that it feeds."""
        return tuple(name for query in self.queries for name in query.metrics)


def sources(app: App, now: datetime) -> tuple[SourceLine, ...]:
    """Those that do not work first, then in the order of the files. Raises StoreError."""
    known = freshness(app, now)
    order: tuple[Standing, ...] = ("failing", "partly", "unknown", "working")
    found = [_line(app, source, known.values()) for source in app.config.sources.values()]
    return tuple(sorted(found, key=lambda line: order.index(line.standing)))


def source(app: App, name: str, now: datetime) -> SourceLine:
    """Raises UnknownSource, StoreError."""
    found = app.config.sources.get(name)
    if found is None:
        raise UnknownSource(f"there is no source {name!r}{suggestion(name, app.config.sources)}")
    return _line(app, found, freshness(app, now).values())


def _line(app: App, found: Source, known: Collection[Freshness]) -> SourceLine:
    queries = tuple(
        sorted((one for one in known if one.source == found.name), key=lambda one: (one.is_well, one.query))
    )
    dialect, refusal = _dialect(app, found)
    standing, reason = _standing(queries, refusal)
    return SourceLine(
        name=found.name,
        dialect=dialect,
        standing=standing,
        reason=reason,
        concurrency=found.concurrency,
        timeout_s=found.timeout.total_seconds(),
        queries=queries,
        day=sum((one.day for one in queries), Cost()),
        week=sum((one.week for one in queries), Cost()),
    )


def _dialect(app: App, found: Source) -> tuple[str, str]:
    """What kind of database it is, or why nobody can tell. Nothing is dialled."""
    try:
        return app.warehouse(found.name).url.get_backend_name(), ""
    except SourceError as exc:
        return "", str(exc)


def _standing(queries: Sequence[Freshness], refusal: str) -> tuple[Standing, str]:
    if refusal:
        return "failing", refusal
    asked = [one for one in queries if one.attempted is not None and one.condition != "unwatched"]
    failed = [one for one in asked if one.condition in _FAILED]
    if not asked:
        return "unknown", "nothing has been pulled from it yet"
    if not failed:
        return "working", ""
    if len(failed) == len(asked):
        return "failing", failed[0].reason
    return "partly", f"{len(failed)} of {len(asked)} queries fail: {failed[0].query}, {failed[0].reason}"
