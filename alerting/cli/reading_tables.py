"""Answers for people at a terminal. Nothing in a name is taken as markup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alerting.app import answers
from alerting.app.reading import Shown, ShownSeries, newest
from alerting.charts import ChartError, terminal
from alerting.core.figures import amount, count
from alerting.store import OutboxRow, ReceiverState
from notifiers.clean import clean
from notifiers.console import SIGNS

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
STATES = {"sent": "green", "merged": "dim", "muted": "dim", "dead": "bold red", "parked": "red"}


def incidents(found: answers.Incidents) -> RenderableType:
    if not found.incidents:
        return Text("no open incident")
    table = _table("", "incident", "what", "since", "rule", "attention")
    for one in found.incidents:
        sign, ink = SIGNS[one.state]
        words = (one.id, one.headline, one.since, clean(one.subscription), clean(one.attention, 300))
        table.add_row(Text(sign, ink), *map(Text, words))
    return table


def whys(found: answers.Whys) -> RenderableType:
    return Group(*(part for one in found.why for part in (_why(one), Text())))


def deliveries(rows: Sequence[OutboxRow], troubled: Sequence[ReceiverState]) -> RenderableType:
    notes = [
        Text(f"{clean(one.name)} gets nothing: {clean(one.reason, 300)} ({one.trouble} since {_utc(one.since)})", "red")
        for one in troubled
    ]
    if not rows:
        return Group(*notes, Text("no delivery"))
    table = _table("created (UTC)", "receiver", "what", "state", "owed because", "what became of it", "group")
    for row in rows:
        table.add_row(
            Text(_utc(row.created)),
            Text(clean(row.receiver)),
            Text(f"{row.kind} {row.sequence}"),
            Text(row.state, STATES.get(row.state, "yellow")),
            Text(clean(row.why, 300)),
            Text(clean(row.reason, 300)),
            Text(row.group_id, "dim"),
        )
    return Group(*notes, table)


def shown(found: Shown, *, charts: int, width: int) -> RenderableType:
    """Charts of the first series, then the newest values of all."""
    drawn = [part for one in found.series[:charts] for part in (_chart(one, min(width, 110)), Text())]
    table = _table("series", "newest bucket", "observed", "expected", "usual range", "unusual", "judged by")
    for one in found.series:
        table.add_row(*_newest(one))
    more = [Text(f"and {count(found.unlisted, 'series')} more", "dim")] if found.unlisted else []
    return Group(*drawn, table, *more)


def _why(why: answers.Why) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for gate in why.gates:
        sign, ink = MARKS[gate.passed]
        table.add_row(Text(sign, ink), Text(clean(gate.name), "bold"), Text(clean(gate.detail, 600)))
    return Group(Text(clean(why.title, 300), "bold"), Text(clean(why.verdict, 600)), table)


def _chart(one: ShownSeries, width: int) -> RenderableType:
    found = one.trace
    arrays = (found.times, found.observed, found.expected, found.lower, found.upper, found.anomalies)
    try:
        return terminal(
            *arrays,
            title=found.title,
            unit=found.unit,
            timezone=found.timezone,
            events=found.events,
            width=width,
        )
    except ChartError as exc:
        return Text(f"{clean(found.title)}: {exc}", "dim")


def _newest(one: ShownSeries) -> tuple[Text, ...]:
    found = one.trace
    unusual = int(np.count_nonzero(found.anomalies))
    at = newest(found).astimezone(ZoneInfo(found.timezone))
    return (
        Text(clean(found.title)),
        Text(f"{at:%a %Y-%m-%d %H:%M %Z}"),
        Text(amount(float(found.observed[-1]), found.unit), "bold red" if found.anomalies[-1] else ""),
        Text(_known(found.expected[-1])),
        Text(_range(found.lower[-1], found.upper[-1])),
        Text(count(unusual, "bucket") if unusual else "", "red"),
        Text(clean(f"{one.subscription}, {one.entry}") if one.entry else "nobody", "" if one.entry else "dim"),
    )


def _range(lower: np.float64, upper: np.float64) -> str:
    low, high = _known(lower), _known(upper)
    if low and high:
        return f"{low} – {high}"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def _known(value: np.float64) -> str:
    return amount(float(value)) if np.isfinite(value) else ""


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "?"
