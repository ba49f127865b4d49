from __future__ import annotations

import pytest

from alerting.core.fallbacks import for_fallback, stand_in_id
from tests.store.builders import NOON, notification


def test_a_stand_in_has_a_name_of_its_own_that_is_always_the_same() -> None:
    name = stand_in_id("20260105T140000-0123456789abcdef", "ops")
    assert name == stand_in_id("20260105T140000-0123456789abcdef", "ops")
    assert name != stand_in_id("20260105T140000-0123456789abcdef", "chat")
    assert name.partition("-")[0] == "20260105T140000"
    assert len(name) == len("20260105T140000-") + 16


@pytest.mark.parametrize(
    ("trouble", "changes", "why", "said"),
    [
        ("not_in_channel", 1, "fallback for slack: not_in_channel", "is out of order (not_in_channel)"),
        ("", 0, "keeps up: slack is told itself again", ""),
    ],
)
def test_the_fallback_hears_everything_until_its_receiver_works_again(
    trouble: str, changes: int, why: str, said: str
) -> None:
    told = notification(2, "update", said=["joined"]).model_copy(update={"joined": True, "remote_id": "C1:1"})
    made = for_fallback(told, "update", "ops", group="g9", trouble=trouble, not_before=NOON)
    assert (made.receiver, made.group_id, made.delivery_id, made.sequence) == ("ops", "g9", "g9:2", 2)
    assert (len(made.payload.changes), made.payload.joined) == (changes, bool(changes))
    assert (made.payload.receiver, made.payload.remote_id, made.reason) == ("ops", None, why)
    assert (made.payload.fallback_for, made.payload.fallback_reason) == ("slack", said)
