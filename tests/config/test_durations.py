from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config.durations import Duration, PositiveDuration, parse, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("8w", timedelta(weeks=8)),
        ("0s", timedelta(0)),
        ("0.5h", timedelta(minutes=30)),
        ("PT15M", timedelta(minutes=15)),
        ("P7D", timedelta(days=7)),
        ("P2W", timedelta(weeks=2)),
        ("P1DT12H", timedelta(hours=36)),
        ("PT0.5S", timedelta(milliseconds=500)),
    ],
)
def test_duration_is_read_as_written(text: str, expected: timedelta) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("900", "has no unit: write 900s, 900m, 900h or 900d"),
        ("15:00", "may mean minutes or hours"),
        ("1mo", "months and years differ in length"),
        ("3months", "months and years differ in length"),
        ("P1M", "months and years differ in length"),
        ("P1Y", "months and years differ in length"),
        ("1M", "months and years differ in length"),
        ("15 m", "is not a duration"),
        ("-5m", "is not a duration"),
        ("P", "is not a duration"),
        ("PT", "is not a duration"),
        ("", "is not a duration"),
        ("1h1h", "names a unit twice"),
        ("99999w", "longer than a hundred years"),
        ("٣m", "is not a duration"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_remedy(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse(text)
    assert remedy in str(refused.value)


@pytest.mark.parametrize("value", [900, 1.5, True, None, ["15m"]])
def test_only_text_is_a_duration(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


def test_nothing_is_a_delay_but_no_timeout() -> None:
    assert TypeAdapter(Duration).validate_python("0s") == timedelta(0)
    with pytest.raises(ValidationError, match="longer than nothing"):
        TypeAdapter(PositiveDuration).validate_python("0s")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30000)))
def test_written_duration_reads_back(duration: timedelta) -> None:
    assert parse(written(duration)) == duration


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_refusal(text: str) -> None:
    try:
        assert timedelta(0) <= parse(text) <= timedelta(days=36500)
    except ValueError as refused:
        assert str(refused)  # noqa: PT017  # either outcome is right, a foreign exception is not
