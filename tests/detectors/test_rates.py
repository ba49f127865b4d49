"""How often: what people write, and the events per week that the program reckons with."""

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from detectors import load
from detectors.rates import Rate, parse, per_month, written


class Bearer(BaseModel):
    model_config = ConfigDict(frozen=True)
    budget: Rate = 0.5


@pytest.mark.parametrize(
    ("text", "per_week"),
    [
        ("7/week", 7),
        ("1/day", 7),
        ("30/month", 7),
        ("365/year", 7),
        ("0.5/day", 3.5),
        ("2 / week", 2),
        ("1/month", 7 / 30),
    ],
)
def test_a_rate_is_events_per_week_with_months_of_thirty_days(text: str, per_week: float) -> None:
    assert parse(text) == pytest.approx(per_week, rel=1e-12)


@pytest.mark.parametrize("text", ["2/month", "1/week", "0.5/day", "10/year", "3/week", "20/day"])
def test_a_written_rate_reads_back_the_same(text: str) -> None:
    assert parse(written(parse(text))) == pytest.approx(parse(text), rel=1e-6)


def test_a_rate_is_written_in_the_unit_that_reads_best() -> None:
    assert written(parse("2/month")) == "2/month"
    assert written(parse("4/month") / 1000) == "0.0486667/year"
    assert written(0.0) == "0/week"


def test_a_bare_number_is_events_per_week() -> None:
    assert Bearer.model_validate({"budget": 3}).budget == 3.0


def test_a_rate_survives_json() -> None:
    bearer = Bearer.model_validate({"budget": "2/month"})
    assert Bearer.model_validate_json(bearer.model_dump_json()) == bearer


@pytest.mark.parametrize("value", ["2", "often", "/week", "2/fortnight", "-1/week", "1e3/day", True, None, [2]])
def test_what_is_no_rate_is_told_with_the_forms_there_are(value: object) -> None:
    with pytest.raises(ValidationError, match=r"2/month, 1/week, 0\.5/day or 10/year"):
        Bearer.model_validate({"budget": value})


@pytest.mark.parametrize("value", ["0/week", 0, -1, float("nan"), float("inf"), "999999/day"])
def test_a_rate_that_makes_no_sense_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="must be more than 0"):
        Bearer.model_validate({"budget": value})


def test_editors_learn_how_a_rate_is_written() -> None:
    schema = TypeAdapter(Rate).json_schema()
    assert schema["anyOf"][0]["pattern"].startswith("^")
    assert "2/month" in schema["examples"]


def test_a_month_has_thirty_days() -> None:
    assert per_month(parse("2/month")) == pytest.approx(2)


def test_a_detector_without_a_budget_is_shared_as_it_is() -> None:
    detector = load("threshold", below=1)
    assert detector.shared_by(1000) is detector
