"""Every registered detector passes every check, or says why it need not."""

import pytest

from detectors import Detector, names, type_of
from tests.detectors import conformance, properties

IN_UNITS = "its bounds are in the metric's unit, so a moved or scaled series is a different question"
FINDS_SLOW_CHANGE = "one odd bucket is no drift; test_drift.py says what is, and runs these checks on months of it"
TOO_LONG = "its history of eight months is longer than the suite's panel; test_drift.py does the same with a longer one"
OF_A_LEVEL = "its score belongs to the level of several buckets, which one reading on the bound does not move there"
EXEMPT: dict[tuple[str, str], str] = {
    ("drift", "an_anomaly_is_a_score_above_one_with_a_direction_and_a_reason"): FINDS_SLOW_CHANGE,
    ("drift", "a_panel_cut_to_its_history_equals_all_of_it"): TOO_LONG,
    ("seasonal", "a_panel_cut_to_its_history_equals_all_of_it"): (
        "it learns from all the history that it is given; its history is as much as rates need, years for days"
    ),
    ("level_shift", "lower_and_upper_are_where_the_score_is_one"): OF_A_LEVEL,
}
"""(detector, check): the reason why that detector is exempt from that check."""


CHECKS = (*conformance.CHECKS, *properties.CHECKS)


def example(name: str) -> Detector:
    kind = type_of(name)
    return kind.model_validate(kind.example_parameters())


def exemption(name: str, check: str) -> str | None:
    invariance = check in ("adding_a_constant_changes_no_score", "scaling_by_a_positive_factor_changes_no_score")
    if type_of(name).bounds_in_units and invariance:
        return IN_UNITS
    return EXEMPT.get((name, check))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", names())
def test_a_registered_detector_conforms(name: str, check: conformance.Check) -> None:
    reason = exemption(name, check.__name__)
    if reason is None:
        check(example(name))
    else:
        assert len(reason) > 20


def test_every_exemption_names_a_check_and_a_detector_that_exist() -> None:
    checks = {check.__name__ for check in CHECKS}
    assert all(name in names() and check in checks for name, check in EXEMPT)
