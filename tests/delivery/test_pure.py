"""The decisions of delivery: tables of cases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerting.core.backoff import LEAST, MOST, RETRY_AFTER_MOST, delay, honoured
from alerting.delivery.outcomes import after_error, after_receipt
from alerting.delivery.pacing import Pacing
from alerting.delivery.timing import USUAL
from alerting.store import Again, Claim, Dead, Parked
from notifiers.contract import Pace, Receipt
from notifiers.errors import (
    Ambiguous,
    BadContent,
    BadCredential,
    BadDestination,
    CannotLook,
    DeliveryError,
    NotSent,
)
from tests.delivery.fakes import Fake, Pager
from tests.store.builders import HOUR, NOON, notification

SECOND = timedelta(seconds=1)
CLAIM = Claim("d1", "slack", "g1", 1, "trigger", "{}", None, 3, NOON, NOON + HOUR, 3, False, False)


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.999999])
def test_back_off_stays_between_a_second_and_five_minutes(chance: float) -> None:
    waits = [delay(attempt, chance) for attempt in (0, 1, 2, 5, 10, 100, 10**9)]
    assert waits == sorted(waits)
    assert all(LEAST <= wait <= MOST for wait in waits)


def test_back_off_doubles_its_ceiling_until_five_minutes() -> None:
    ceilings = [delay(attempt, 1.0).total_seconds() for attempt in range(1, 11)]
    assert ceilings == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(-5, 1), (0, 1), (0.5, 1), (30, 30), (900, 900), (901, 900), (86400, 900)]
)
def test_what_a_receiver_asks_for_is_honoured_within_reason(asked_s: float, waited_s: float) -> None:
    assert honoured(timedelta(seconds=asked_s)) == timedelta(seconds=waited_s) <= RETRY_AFTER_MOST


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotSent("refused"), Again(NOON + 4.5 * SECOND, "not sent: refused")),
        (
            NotSent("429", 30 * SECOND),
            Again(NOON + 30 * SECOND, "not sent: 429", receiver_waits_until=NOON + 30 * SECOND),
        ),
        (NotSent("429", 24 * HOUR), Again(NOON + HOUR / 4, "not sent: 429", receiver_waits_until=NOON + HOUR / 4)),
        (Ambiguous("timeout"), Again(NOON + USUAL.grace, "outcome unknown: timeout", is_doubtful=True)),
        (CannotLook("no scope"), Again(NOON + USUAL.grace, "outcome unknown: no scope", is_doubtful=True)),
        (DeliveryError("odd"), Again(NOON + USUAL.grace, "outcome unknown: odd", is_doubtful=True)),
        (BadCredential("no"), Parked("credential", NOON + 300 * SECOND, "credentials refused: no")),
        (BadDestination("no"), Parked("destination", NOON + 600 * SECOND, "destination refused: no")),
        (BadContent("no"), Dead("content refused: no")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_consequence(error: DeliveryError, outcome: object) -> None:
    assert after_error(error, CLAIM, NOON, USUAL, chance=0.5) == outcome


@pytest.mark.parametrize("error", [NotSent("refused"), NotSent("429", SECOND), Ambiguous("timeout")])
def test_delivery_gives_up_a_day_after_the_first_attempt_and_not_before(error: DeliveryError) -> None:
    assert isinstance(after_error(error, CLAIM, NOON + 24 * HOUR - SECOND, USUAL, 0.5), Again)
    assert after_error(error, CLAIM, NOON + 24 * HOUR, USUAL, 0.5) == Dead(f"gave up after 3 attempts: {error}")


def test_a_receipt_says_what_was_left_out_and_whether_it_may_be_a_repeat() -> None:
    once, twice = notification(), notification().model_copy(update={"possible_repeat": True})
    assert after_receipt(Receipt(), once, Fake(), USUAL).reason == "sent"
    assert after_receipt(Receipt(note="without chart"), once, Fake(), USUAL).reason == "sent, without chart"
    assert after_receipt(Receipt(), twice, Fake(), USUAL).reason == "sent, perhaps a repeat"


def test_only_receivers_that_need_it_close_again() -> None:
    assert after_receipt(Receipt(), notification(), Fake(), USUAL).closings == ()
    assert after_receipt(Receipt(), notification(), Pager(), USUAL).closings == (60 * SECOND, 600 * SECOND)


def test_a_burst_goes_at_once_and_the_rest_at_the_pace_of_the_channel() -> None:
    now = [0.0]
    pacing, pace = Pacing(lambda: now[0]), Pace(scope="C1", per_second=2, burst=3)
    assert [pacing.take_s(pace) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    assert pacing.needed_s(pace) == 1.5
    now[0] = 10.0
    assert pacing.needed_s(pace) == 0
    assert [pacing.take_s(pace) for _ in range(4)] == [0, 0, 0, 0.5]


def test_channels_have_paces_of_their_own_and_none_means_no_wait() -> None:
    pacing = Pacing(lambda: 0.0)
    one, other = (Pace(scope=scope, per_second=1) for scope in ("C1", "C2"))
    assert [pacing.take_s(one), pacing.take_s(one), pacing.take_s(other), pacing.take_s(None)] == [0, 1, 0, 0]
    assert pacing.needed_s(None) == 0
