"""A detector is found by its name, whoever ships it; the example of the README is one that works."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import detectors
from detectors import Detector, Panel, Verdicts
from detectors.registry import UnknownDetector
from detectors.threshold import Threshold
from tests.detectors import conformance

README = Path(detectors.__file__).parent / "README.md"


@pytest.fixture(scope="module")
def jump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[Detector]]:
    """The README's example, installed as another distribution that has only an entry point for it."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    (code,) = [block for block in blocks if "class Jump" in block]
    site = tmp_path_factory.mktemp("site")
    (site / "their_package").mkdir()
    (site / "their_package" / "jump.py").write_text(code, encoding="utf-8")
    metadata = site / "their_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n", encoding="utf-8")
    line = "[metricwatch.detectors]\njump = their_package.jump:Jump\nlist = builtins:list\n"
    (metadata / "entry_points.txt").write_text(line, encoding="utf-8")
    sys.path.insert(0, str(site))
    try:
        yield detectors.type_of("jump")
    finally:
        sys.path.remove(str(site))
        sys.modules.pop("their_package.jump", None)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_the_example_of_the_readme_conforms(jump: type[Detector], check: conformance.Check) -> None:
    check(jump())


def test_the_example_of_the_readme_finds_a_jump(jump: type[Detector]) -> None:
    assert "jump" in detectors.names()
    values = np.arange(60.0)
    values[-1] = 90
    times = np.datetime64("2026-01-05", "us") + np.arange(60) * np.timedelta64(1, "h")
    found = detectors.load("jump", times=5).judge(Panel(times, values[:, None], ({},), "1h", "UTC"), since=times[-2])
    assert found.status[:, 0].tolist() == ["ok", "anomaly"]


def test_what_is_not_a_detector_is_refused(jump: type[Detector]) -> None:
    assert jump.__name__ == "Jump"
    with pytest.raises(TypeError, match="detector 'list' at builtins:list is not a Detector"):
        detectors.type_of("list")


def test_a_name_that_nobody_has_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownDetector, match=r"no detector 'seasnal'; there are .*seasonal.*threshold"):
        detectors.load("seasnal")


def test_a_parameter_that_a_detector_does_not_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="bound"):
        detectors.load("seasonal", bound=4)


def test_every_file_that_the_readme_names_is_there_and_none_is_missing() -> None:
    table = README.read_text(encoding="utf-8").split("## How")[0]
    named = set(re.findall(r"`(\w+\.py)`", table))
    there = {path.name for path in README.parent.glob("*.py")} - {"__init__.py"}
    assert named == there


class _Peeking(Threshold):
    """A detector that knows the future."""

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        ahead = np.concatenate([panel.values[1:], panel.values[-1:]])
        return super().judge(conformance.with_values(panel, ahead), since=since, state=state)


class _Forgetful(Threshold):
    """A detector whose hysteresis does not survive a restart."""

    def judge(self, panel: Panel, *, since: np.datetime64, state: bytes | None = None) -> Verdicts:
        only = conformance.rows_of(panel, int(np.searchsorted(panel.times, since)))
        return super().judge(only, since=since)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (_Peeking(outside=(200, 400)), conformance.a_verdict_depends_on_its_bucket_and_those_before),
        (_Peeking(outside=(200, 400)), conformance.bucket_by_bucket_equals_one_go),
        (Threshold(outside=(200, 400)), conformance.adding_a_constant_changes_no_score),
        (Threshold(outside=(200, 400)), conformance.scaling_by_a_positive_factor_changes_no_score),
        (Threshold(outside=(200, 299)), conformance.a_constant_series_is_no_anomaly_of_its_own_past),
        (Threshold(above=1e6), conformance.an_anomaly_is_a_score_above_one_with_a_direction_and_a_reason),
    ],
)
def test_the_suite_fails_a_detector_that_breaks_the_contract(broken: Detector, check: conformance.Check) -> None:
    with pytest.raises(AssertionError):
        check(broken)


def test_hysteresis_that_does_not_survive_a_restart_is_noticed() -> None:
    times = np.datetime64("2026-01-05", "us") + np.arange(3) * np.timedelta64(1, "h")
    panel = Panel(times, np.array([[40.0], [50.2], [50.2]]), ({},), "1h", "UTC")
    kept, lost = (kind(below=50).judge(panel, since=times[1]).status[0, 0] for kind in (Threshold, _Forgetful))
    assert (kept, lost) == ("anomaly", "ok")
