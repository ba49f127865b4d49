"""What of a metric somebody looks at: series, span and band. It stands in the address, so that it can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args
from urllib.parse import quote, urlencode

from fastapi import Depends, Query

from alerting.web.api.charts import Edge, series_from

Span = Literal["1d", "1w", "4w", "90d", "all"]
SPANS: tuple[Span, ...] = get_args(Span)
_LENGTHS: dict[Span, timedelta] = {
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
    "4w": timedelta(weeks=4),
    "90d": timedelta(days=90),
}


@dataclass(frozen=True)
class View:
    """``labels`` None: the first series · ``span`` counts back from the newest reading, ``since`` and ``until`` are
    edges · ``subscription`` and ``entry`` whose band is drawn, None: the one that covers the most."""

    labels: Mapping[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    span: Span | None = None
    subscription: str | None = None
    entry: str | None = None

    def spanning(self, span: Span) -> View:
        return replace(self, since=None, until=None, span=span)

    def settled(self, bucket: timedelta) -> View:
        """With a span where nobody named one: enough buckets to see a week in, or a year of days."""
        if self.span or self.since or self.until:
            return self
        return replace(
            self, span="4w" if bucket < timedelta(days=1) else "90d" if bucket < timedelta(days=7) else "all"
        )

    def edges(self, end: datetime | None) -> tuple[datetime | None, datetime | None]:
        """From when until when, None: from the first, until the newest reading, which ends at ``end``."""
        if self.since or self.until or end is None:
            return self.since, self.until
        length = _LENGTHS.get(self.span) if self.span else None
        return (end - length if length else None), None

    def page(self, name: str, part: str = "") -> str:
        """Where the metric is shown like this; ``part`` of the page (``/why``)."""
        asked = self.fields()
        return f"/metrics/{quote(name)}{part}" + (f"?{urlencode(asked)}" if asked else "")

    def fields(self, *without: str) -> list[tuple[str, str]]:
        """What stands in the address."""
        band = [("band", f"{self.subscription}/{self.entry}")] if self.subscription and self.entry else []
        span = [("span", str(self.span))] if self.span else []
        asked = [*_series(self.labels), *_edges(self.since, self.until), *span, *band]
        return [(name, value) for name, value in asked if name not in without]

    def chart(
        self, name: str, labels: Mapping[str, str], first: datetime | None, end: datetime | None, points: int
    ) -> str:
        """Where the data of one series are, over this span."""
        since, until = self.edges(end)
        asked = [*_series(labels), *_edges(since or first, until), ("points", str(points))]
        if self.subscription and self.entry:
            asked += [("subscription", self.subscription), ("entry", self.entry)]
        return f"/api/v1/metrics/{quote(name)}/chart?{urlencode(asked)}"


def _series(labels: Mapping[str, str] | None) -> list[tuple[str, str]]:
    if labels is None:
        return []
    return [("series", f"{name}={value}") for name, value in labels.items()] or [("series", "total")]


def _edges(since: datetime | None, until: datetime | None) -> list[tuple[str, str]]:
    edges = (("since", since), ("until", until))
    return [(name, f"{_in_utc(at):%Y-%m-%dT%H:%M:%SZ}") for name, at in edges if at]


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # a few hours beyond the first or the last year: there is nothing to tell apart
        return at.replace(tzinfo=UTC)


def _asked(
    series: Annotated[list[str] | None, Query()] = None,
    since: Edge = None,
    until: Edge = None,
    span: Annotated[Span | None, Query()] = None,
    band: Annotated[str, Query(max_length=300)] = "",
) -> View:
    labels = None if series is None else series_from(series)
    subscription, _, entry = band.partition("/")
    return View(labels, since, until, None if since or until else span, subscription or None, entry or None)


Asked = Annotated[View, Depends(_asked)]
"""The view that an address asks for."""
