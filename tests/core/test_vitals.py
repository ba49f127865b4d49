from __future__ import annotations

from datetime import timedelta

import pytest

from alerting.core.health import QueryState
from alerting.core.vitals import ailments
from config.model import Query
from detectors.buckets import Bucket
from tests.store.builders import HOUR, NOON

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def query(number: int) -> Query:
    return Query(f"q{number}", "shop", f"SELECT {number}", Bucket.parse("1h"), "UTC")


def evaluated(number: int, ago: timedelta | None) -> tuple[Query, QueryState | None]:
    one = query(number)
    return one, None if ago is None else QueryState(one.name, one.digest, added=NOON - 90 * HOUR, attempted=NOON - ago)


WELL = {"ticked": SECOND, "oldest_due": None, "couriers": {"slack": NOON}, "queries": [evaluated(1, HOUR)]}


@pytest.mark.parametrize(
    ("ails", "told"),
    [
        ({}, ()),
        ({"queries": []}, ()),
        ({"ticked": 31 * SECOND}, ("the scheduler has not ticked for 31 s",)),
        ({"oldest_due": NOON - 5 * MINUTE + SECOND}, ()),
        ({"oldest_due": NOON - 5 * MINUTE}, ("a delivery has been due for 5 m",)),
        ({"couriers": {"slack": NOON, "pager": NOON - 6 * MINUTE}}, ("nobody delivers to pager",)),
        ({"queries": [evaluated(1, 2 * HOUR)]}, ()),
        (
            {"queries": [evaluated(1, 2 * HOUR + SECOND)]},
            ("1 of 1 queries were not evaluated within two intervals",),
        ),
        ({"queries": [evaluated(n, HOUR if n else None) for n in range(20)]}, ()),
        (
            {"queries": [evaluated(n, HOUR if n > 1 else None) for n in range(20)]},
            ("2 of 20 queries were not evaluated within two intervals",),
        ),
    ],
)
def test_what_ails_is_named(ails: dict[str, object], told: tuple[str, ...]) -> None:
    assert ailments(**{**WELL, **ails}, now=NOON) == told  # type: ignore[arg-type]  # a table of cases
