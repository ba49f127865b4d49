"""Calendars: from entries to the model, with countries and regions looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from config.documents import CalendarDocument, RecurringDocument, RecurringName, Weekday
from config.model import Calendar, MonthDay, NthWeekday
from config.nodes import Node, nearest
from config.problems import Problem, suggestion
from config.public_holidays import unknown_country, unknown_subdivision
from config.pulls import Written, is_faulty
from config.validation import checked

_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_THURSDAY, _NOVEMBER = 3, 11
# The day after Thanksgiving, and the Monday after it.
_BY_NAME: Mapping[RecurringName, MonthDay | NthWeekday] = {
    "month_start": MonthDay("Month start", 1),
    "month_end": MonthDay("Month end", 31),
    "black_friday": NthWeekday("Black Friday", _THURSDAY, 4, _NOVEMBER, days_after=1),
    "cyber_monday": NthWeekday("Cyber Monday", _THURSDAY, 4, _NOVEMBER, days_after=4),
}


def calendars(written: Written) -> tuple[dict[str, Calendar], list[Problem]]:
    """Every calendar that can be used, and what is wrong with the others."""
    found: dict[str, Calendar] = {}
    problems: list[Problem] = []
    for name, node in written.nodes("calendars").items():
        if node.content is None:  # already told: it is no mapping
            continue
        calendar, wrong = _calendar(name, node)
        problems.extend(wrong)
        if calendar is not None and not is_faulty(wrong):
            found[name] = calendar
    return found, problems


def unknown_calendars(node: Node, names: list[str], written: Written) -> list[Problem]:
    """Names in a list of calendars that no calendar has."""
    known = written.nodes("calendars")
    return [
        nearest(node, ("calendars", index))[0].problem(f"no calendar is called {name!r}{suggestion(name, known)}")
        for index, name in enumerate(names)
        if not written.may_name("calendars", name)
    ]


def _calendar(name: str, node: Node) -> tuple[Calendar | None, list[Problem]]:
    read = checked(CalendarDocument, node)
    document = read.document
    if document is None:
        return None, list(read.problems)
    problems = [*read.problems, *_place_problems(node, document)]
    rules = []
    for index, item in enumerate(document.recurring):
        rule, wrong = _rule(nearest(node, ("recurring", index))[0], item)
        problems.extend(wrong)
        rules.extend([rule] if rule else [])
    if not (document.country or document.days or document.recurring or problems):
        problems.append(node.problem("has no day: write country, days or recurring", at_key=True))
    calendar = Calendar(
        name=name,
        country=document.country,
        subdivision=document.subdivision,
        days=dict(document.days),
        recurring=tuple(rules),
        before=document.before,
        after=document.after,
        effect=document.effect,
    )
    return calendar, problems


def _place_problems(node: Node, document: CalendarDocument) -> list[Problem]:
    country, subdivision = document.country, document.subdivision
    if country is None:
        lost = subdivision is not None and "country" not in node.entries
        return [node.entries["subdivision"].problem("stands without country")] if lost else []
    if (wrong := unknown_country(country)) is not None:
        return [node.entries["country"].problem(wrong)]
    if subdivision is not None and (wrong := unknown_subdivision(country, subdivision)) is not None:
        return [node.entries["subdivision"].problem(wrong)]
    return []


def _rule(
    node: Node, item: RecurringName | RecurringDocument
) -> tuple[MonthDay | NthWeekday | None, tuple[Problem, ...]]:
    if isinstance(item, str):
        return _BY_NAME[item], ()
    if item.day is not None and item.weekday is None and item.nth is None:
        return MonthDay(item.name or _of_day(item.day, item.month), item.day, item.month, item.weekend), ()
    if item.day is None and item.weekday is not None and item.nth is not None and item.weekend is None:
        nth = -1 if item.nth == "last" else item.nth
        name = item.name or _of_weekday(item.weekday, nth, item.month)
        return NthWeekday(name, _WEEKDAYS.index(item.weekday), nth, item.month), ()
    return None, (node.problem("should be a day, {day: 25}, or a weekday, {weekday: friday, nth: 2}"),)


def _of_day(day: int, month: int | None) -> str:
    return f"Day {day} of the month" if month is None else f"{day} {_MONTHS[month - 1]}"


def _of_weekday(weekday: Weekday, nth: int, month: int | None) -> str:
    which = {-1: "Last", 1: "1st", 2: "2nd", 3: "3rd"}.get(nth, f"{nth}th")
    return f"{which} {weekday.capitalize()} of {'the month' if month is None else _MONTHS[month - 1]}"
