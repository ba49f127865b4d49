"""Incidents by what people remember of them, on a real database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.core.incidents import Status
from alerting.store import Recording, Sought, Store
from tests.store.builders import HOUR, NOON, incident, resolved, state_of, transition

OPEN = [incident(1, "DE"), incident(2, 'quo"ted'), replace(incident(3, "Österreich"), severity="critical")]
OVER = [resolved(incident(4, "100%")), resolved(incident(5, "FR", subject="subscription:ads_2"))]


@pytest.fixture
def filled(store: Store) -> Store:
    states = [state_of(replace(one, detected=NOON + place * HOUR)) for place, one in enumerate(OPEN)]
    ends = [transition(one, Status.FIRING, Status.RESOLVED) for one in OVER]
    store.record(Recording(NOON, states=tuple(states), transitions=tuple(ends)))
    return store


@pytest.mark.parametrize(
    ("sought", "numbers"),
    [
        (Sought(), [3, 2, 1, 5, 4]),
        (Sought(state="open"), [3, 2, 1]),
        (Sought(state="ended"), [5, 4]),
        (Sought(severity="critical"), [3]),
        (Sought(subjects=frozenset({"subscription:ads_2"})), [5]),
        (Sought(subjects=frozenset()), []),
        (Sought(metric="orders", text="fr"), [5]),
        (Sought(metric="order"), []),
        (Sought(text='O"TED'), [2]),
        (Sought(text="Österreich"), [3]),
        (Sought(text="0%"), [4]),
        (Sought(text="ads_"), [5]),
        (Sought(text="s_d"), []),
        (Sought(text="QU\x00O"), [2]),
        (Sought(text="20260302T12-00000002"), [2]),
    ],
)
def test_incidents_are_found_open_ones_first_then_the_newest(filled: Store, sought: Sought, numbers: list[int]) -> None:
    found, total = filled.search(sought, limit=10)
    assert [int(one.id.rpartition("-")[2], 16) for one in found] == numbers
    assert total == len(numbers)


def test_pages_hold_everything_once(filled: Store) -> None:
    pages = [filled.search(Sought(), limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [len(found) for found, _ in pages] == [2, 2, 1, 0]
    assert {total for _, total in pages} == {5}
    assert len({one.id for found, _ in pages for one in found}) == 5
