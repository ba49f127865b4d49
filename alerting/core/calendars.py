"""Calendars meet panels: on which buckets each named day falls, by the days of the subscription's time zone.

A bucket of up to a day belongs to the day that holds its middle, so most of it; one of a week or a month to all of its
days. A day before or after is an event of its own name (``Christmas Day (day before)``), except
where it is itself a day of the same calendar that comes once a year. Nothing here looks ahead: dates are known before.
"""

from __future__ import annotations

from calendar import Calendar as Weeks
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
from numpy.typing import NDArray

from config.model import Calendar, MonthDay, NthWeekday
from config.public_holidays import named_days
from detectors.buckets import Bucket
from detectors.contract import Bools, Event, Instants, Panel

Days = NDArray[np.int64]
_EPOCH = date(1970, 1, 1)
_SATURDAY = 5
_FURTHEST = 31 + 7
"""Days: the longest ``before`` or ``after``, and what a weekend or a Cyber Monday moves a rule by."""


def with_events(panel: Panel, calendars: Sequence[Calendar], timezone: str) -> Panel:
    """The panel with the events of these calendars in place of those it had."""
    return replace(panel, events=events(calendars, panel.times, panel.bucket, timezone))


def events(calendars: Sequence[Calendar], times: Instants, bucket: str, timezone: str) -> tuple[Event, ...]:
    """What is active somewhere in ``times``: one event per name and effect, by calendar, then by name."""
    if not calendars or not len(times):
        return ()
    first, last = _days_of(times, bucket, timezone)
    begin, end = int(first.min()), int(last.max())
    found: dict[tuple[str, str], Event] = {}
    for calendar in calendars:
        for name, days in sorted(_named(calendar, begin, end).items()):
            active = _holding(days, first, last)
            if not active.any():
                continue
            known = found.get((name, calendar.effect))
            if known is not None:
                found[name, calendar.effect] = replace(known, active=known.active | active)
            else:
                found[name, calendar.effect] = Event(name, calendar.effect, active, calendar.name)
    return tuple(found.values())


def names_at(active: Sequence[Event], place: int) -> str:
    """The events of one bucket as people read them; empty where it is an ordinary one."""
    return ", ".join(dict.fromkeys(event.name for event in active if event.active[place]))


def described(active: Sequence[Event], place: int) -> str:
    """The same with calendar and effect, for ``why``: ``us: Thanksgiving Day (annotate)``."""
    return ", ".join(f"{event.calendar}: {event.name} ({event.effect})" for event in active if event.active[place])


def muted(active: Sequence[Event], begin: int, end: int) -> Bools:
    """On which of the buckets ``begin`` ≤ t < ``end`` nothing opens."""
    quiet = np.zeros(end - begin, dtype=np.bool_)
    for event in active:
        if event.effect == "mute":
            quiet |= event.active[begin:end]
    return quiet


def muting(active: Sequence[Event], place: int) -> str:
    """Which events mute the bucket: ``muted by calendar us: Thanksgiving Day``."""
    by_calendar: dict[str, list[str]] = {}
    for event in active:
        if event.effect == "mute" and event.active[place]:
            by_calendar.setdefault(event.calendar, []).append(event.name)
    return "muted by calendar " + "; ".join(f"{name}: {', '.join(days)}" for name, days in by_calendar.items())


def _days_of(times: Instants, bucket: str, timezone: str) -> tuple[Days, Days]:
    """The first and the last local day of each bucket, as days since 1970."""
    import pandas as pd  # here, because commands that judge nothing must start fast

    width = Bucket.parse(bucket)
    # Half of a day is nearer to the middle of the first day than any clock change or odd zone is far.
    half = np.timedelta64(min(width.nominal, timedelta(days=1)) / 2, "us")
    local = pd.DatetimeIndex(times + half).tz_localize("UTC").tz_convert(timezone).tz_localize(None)
    days = local.to_numpy().astype("datetime64[D]")
    if bucket == "1w":
        # The nearest Monday: the query's zone, by which weeks are cut, may be another one.
        monday = days - (days.astype(np.int64) + 3 + 3) % 7 + 3
        return monday.astype(np.int64), monday.astype(np.int64) + 6
    if bucket == "1mo":
        month = (days + np.timedelta64(15, "D")).astype("datetime64[M]")
        following = (month + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64)
        return month.astype("datetime64[D]").astype(np.int64), following - 1
    return days.astype(np.int64), days.astype(np.int64)


def _holding(days: set[int], first: Days, last: Days) -> Bools:
    """Which stretches ``first`` … ``last`` hold one of the days."""
    begin, end = int(first.min()), int(last.max())
    listed = np.zeros(end - begin + 2, dtype=np.int64)
    listed[[day - begin + 1 for day in days if begin <= day <= end]] = 1
    before = np.cumsum(listed)
    held: Bools = before[last - begin + 1] > before[first - begin]
    return held


def _named(calendar: Calendar, begin: int, end: int) -> dict[str, set[int]]:
    """The days of a calendar by name, those around them too, as far as they matter between ``begin`` and ``end``."""
    since, until = (_EPOCH + timedelta(days=day) for day in (begin - _FURTHEST, end + _FURTHEST))
    years = range(since.year, until.year + 1)
    yearly = [rule for rule in calendar.recurring if rule.month is not None]
    monthly = [rule for rule in calendar.recurring if rule.month is None]
    rare = _by_name([*_written(calendar, years), *_recurring(yearly, years)])
    found = _by_name([*_written(calendar, years), *_recurring([*yearly, *monthly], years)])
    around: dict[str, set[int]] = {}
    for name, days in found.items():
        taken = days.union(*rare.values())
        for distance, words in _distances(calendar):
            near = {day + distance for day in days} - taken
            if near:
                around.setdefault(f"{name} ({words})", set()).update(near)
            taken = taken | near
    return {**found, **around}


def _by_name(dated: Iterable[tuple[date, str]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for day, name in dated:
        found.setdefault(name, set()).add((day - _EPOCH).days)
    return found


def _distances(calendar: Calendar) -> Iterator[tuple[int, str]]:
    """How far from a day, and in which words: the nearest first, because they leave nothing to those further off."""
    for count in range(1, max(calendar.before, calendar.after) + 1):
        length = "day" if count == 1 else f"{count} days"
        if count <= calendar.before:
            yield -count, f"{length} before"
        if count <= calendar.after:
            yield count, f"{length} after"


def _written(calendar: Calendar, years: range) -> Iterator[tuple[date, str]]:
    """Own dates and public holidays."""
    for name, days in calendar.days.items():
        for day in days:
            yield day, name
    if calendar.country is not None:
        for year in years:
            yield from named_days(calendar.country, calendar.subdivision, year)


def _recurring(rules: Sequence[MonthDay | NthWeekday], years: range) -> Iterator[tuple[date, str]]:
    for rule in rules:
        months = (rule.month,) if rule.month else range(1, 13)
        for year, month in product(years, months):
            day = _month_day(rule, year, month) if isinstance(rule, MonthDay) else _weekday(rule, year, month)
            if day is not None:
                yield day, rule.name


def _month_day(rule: MonthDay, year: int, month: int) -> date:
    day = date(year, month, min(rule.day, monthrange(year, month)[1]))
    off = day.weekday() - _SATURDAY
    if off < 0 or rule.weekend is None:
        return day
    return day + timedelta(days=-1 - off if rule.weekend == "before" else 2 - off)


def _weekday(rule: NthWeekday, year: int, month: int) -> date | None:
    """None where the month has no fifth one."""
    weeks = Weeks().monthdatescalendar(year, month)
    days = [week[rule.weekday] for week in weeks if week[rule.weekday].month == month]
    place = rule.nth - 1 if rule.nth > 0 else rule.nth
    return days[place] + timedelta(days=rule.days_after) if place < len(days) else None
