"""What a person's word does to a series and to what detectors learn."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.core.actions import LABELS
from alerting.core.incidents import Status
from alerting.core.labels import SETTLES, cause, ended, without
from detectors.contract import Panel
from tests.core.audience_of import SUBJECT, Watch
from tests.core.readings_of import HOUR, START


@pytest.mark.parametrize("kind", [*LABELS, "resolve"])
def test_what_is_open_ends_with_the_cause(kind: str) -> None:
    watch = Watch()
    watch.see(DE="aa")
    incident = watch.incident("DE")
    change = ended([incident], {SUBJECT: watch.states}, kind, "resolved by ann", watch.now)  # type: ignore[arg-type]
    (state,), (transition,) = change.states, change.transitions
    assert (state.status, state.incident) == (Status.RESOLVED, None)
    assert transition.ends
    assert transition.incident is not None
    assert (transition.incident.cause, transition.incident.resolved) == ("resolved by ann", watch.now)
    held = watch.now + SETTLES if kind == "new_normal" else START + HOUR
    assert state.last == held


def test_what_ended_meanwhile_or_is_another_episode_stays_as_it_is() -> None:
    watch = Watch()
    watch.see(DE="a")
    before = watch.incident("DE")
    watch.see(DE=".a")
    assert watch.incident("DE").id != before.id
    assert not ended([before], {SUBJECT: watch.states}, "resolve", "", watch.now).states
    assert not ended([before], {}, "resolve", "", watch.now).states


def test_new_normal_holds_a_series_that_had_ended_before() -> None:
    watch = Watch()
    watch.see(DE="a")
    before = watch.incident("DE")
    watch.see(DE=".")
    change = ended([before], {SUBJECT: watch.states}, "new_normal", "", watch.now)
    assert [state.last for state in change.states] == [watch.now + SETTLES]
    assert change.transitions == ()


def test_a_cause_without_a_comment_is_the_text_alone() -> None:
    assert cause("resolved by ann", " ") == "resolved by ann"
    assert cause("resolved by ann", " fixed ") == "resolved by ann: fixed"


def panel(masked: bool = False) -> Panel:
    times = np.datetime64("2026-01-05T00", "us") + np.arange(6) * np.timedelta64(1, "h")
    mask = np.eye(6, 2, dtype=bool) if masked else None
    return Panel(times, np.ones((6, 2)), ({"country": "DE"}, {"country": "FR"}), "1h", "UTC", mask)


def test_the_buckets_of_what_was_expected_never_train() -> None:
    watch = Watch()
    watch.see(DE=".aa")
    found = without(panel(), [watch.incident("DE")])
    assert found.masked is not None
    assert np.argwhere(found.masked).tolist() == [[1, 0], [2, 0]]


def test_a_mask_that_is_there_already_is_kept() -> None:
    watch = Watch()
    watch.see(DE=".aa")
    found = without(panel(masked=True), [watch.incident("DE")])
    assert found.masked is not None
    assert np.argwhere(found.masked).tolist() == [[0, 0], [1, 0], [1, 1], [2, 0]]


def test_a_series_that_is_not_there_any_more_masks_nothing() -> None:
    watch = Watch()
    watch.see(DE="a")
    gone = replace(watch.incident("DE"), labels={"country": "US"})
    assert without(panel(), [gone]).masked is None
