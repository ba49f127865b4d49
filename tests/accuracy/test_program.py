"""The whole program on two tiny series, with rivals that need no more than the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.accuracy.__main__ import main
from tests.accuracy.board import Board, Line, board
from tests.accuracy.contender import NotAvailable
from tests.accuracy.injected import injected
from tests.accuracy.labelled import Series
from tests.accuracy.made import series
from tests.accuracy.measures.episodes import Tally
from tests.accuracy.outcome import Outcome
from tests.accuracy.plan import CONTROL, DEFAULT, Plan, UnknownName, everyone, planned
from tests.accuracy.report import report
from tests.accuracy.rivals.rolling import RecentZ, RollingZ
from tests.accuracy.run import Job, Results, run
from tests.accuracy.table import HEADER, markdown
from tests.accuracy.table import main as main_table

HOURS = 24 * 7 * 5
QUIET = Console(quiet=True)


def waves(name: str, seed: int, collection: str = "tiny") -> Series:
    clock = np.arange(HOURS)
    noise = np.random.default_rng(seed).normal(0, 2, HOURS)
    values = 100 + 20 * np.sin(clock * 2 * np.pi / 24) + noise
    values[700:706] += 80
    return series(HOURS, [(700, 705)], warmup=126, values=np.asarray(values), name=name, collection=collection)


PLAN = Plan(
    contenders=(DEFAULT, RollingZ(), RecentZ()),
    weekly=None,
    labelled={"tiny": [waves("a", 1), waves("b", 2)]},
    plain={"plain_hourly": [injected(waves("c", 3, "plain_hourly"), 0)]},
    synthetic=[],
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Board]:
    results = run(PLAN.jobs(), tmp_path_factory.mktemp("outcomes"), QUIET, processes=1)
    return results, board(PLAN, results)


def test_the_table_has_a_line_for_each_set_and_detector(ran: tuple[Results, Board]) -> None:
    lines = markdown(ran[1]).splitlines()
    assert lines[0] == "| " + " | ".join(HEADER) + " |"
    assert [line.split(" | ")[:3] for line in lines[2:5]] == [
        ["| tiny", name, "2"] for name in ("seasonal", "rolling_z", "z_500")
    ]
    assert {line.count("|") for line in lines[:5]} == {len(HEADER) + 1}


def test_the_best_figure_of_a_set_stands_out_among_those_who_judged_all_of_it() -> None:
    found = Tally(4, 2, 1, 10.0)
    nab = {"standard": 50.0, "low FP": 40.0, "low FN": 60.0}

    def line(name: str, judged: int, recall: float) -> Line:
        return Line("nab", name, judged, 2, found, {0.1: recall}, 0.5, 0.5, nab, 1.0)

    board = Board((line("a", 2, 0.3), line("b", 2, 0.4), line("c", 1, 0.9)), (), (), {}, {})
    rows = main_table(board).splitlines()[2:]
    assert [("**.40**" in row, "**50.0**" in row) for row in rows] == [(False, True), (True, True), (False, False)]
    assert "| c | 1 of 2 |" in rows[2]


def test_a_control_is_neither_the_best_of_a_set_nor_the_best_rival() -> None:
    def line(name: str, share: float) -> Line:
        return Line("tiny", name, 2, 2, Tally(4, 2, 1, 10.0), {0.5: share}, share, share, {}, 1.0)

    found = Board((line(DEFAULT.name, 0.7), line("rolling_z", 0.4), line(CONTROL.name, 0.9)), (), (), {}, {})
    assert found.best_rival("tiny") == "rolling_z"
    assert [row.count("**.70**") for row in main_table(found).splitlines()[2:]] == [3, 0, 0]
    assert "**" not in main_table(found).splitlines()[-1]


def test_an_obvious_incident_is_found_by_everyone(ran: tuple[Results, Board]) -> None:
    assert {line.contender: line.tally.recall for line in ran[1].lines} == {
        "seasonal": 1.0,
        "rolling_z": 1.0,
        "z_500": 1.0,
    }


def test_pages_and_injected_incidents_stand_beside(ran: tuple[Results, Board]) -> None:
    text = markdown(ran[1])
    assert "### Pages beside budget" in text
    assert "### Injected incidents by size, ours at its default" in text


def test_the_report_is_one_file_with_a_picture_of_every_labelled_series(ran: tuple[Results, Board]) -> None:
    page = report(PLAN, *ran)
    assert page.count('aria-label="a"') == page.count('aria-label="b"') == 1
    assert "upper lane, seasonal: 1 of 1 found" in page
    assert "http" not in page  # nothing is fetched
    assert len(page) < 200_000


def test_a_second_run_judges_nothing_again(tmp_path: Path) -> None:
    jobs = [Job(Once(), one) for one in PLAN.labelled["tiny"]]
    first = run(jobs, tmp_path, QUIET, processes=1)
    again = run([Job(Never(), job.series) for job in jobs], tmp_path, QUIET, processes=1)
    assert again.outcomes.keys() == first.outcomes.keys()
    np.testing.assert_array_equal(again.outcomes["once", "tiny/a"].score, first.outcomes["once", "tiny/a"].score)


def test_two_processes_judge_as_one_does(tmp_path: Path) -> None:
    jobs = [Job(RollingZ(), one) for one in PLAN.labelled["tiny"]]
    alone, both = (run(jobs, tmp_path / str(count), QUIET, processes=count) for count in (1, 2))
    for key, outcome in alone.outcomes.items():
        np.testing.assert_array_equal(outcome.score, both.outcomes[key].score)


def test_the_budget_is_held_against_pages_of_real_and_of_synthetic_series(tmp_path: Path) -> None:
    noise = series(HOURS, values=np.zeros(HOURS), name="white-3600s-0", collection="synthetic")
    plan = Plan((DEFAULT,), Once(), {"tiny": PLAN.labelled["tiny"]}, {}, [noise])
    found = board(plan, run(plan.jobs(), tmp_path, QUIET, processes=1))
    told = {(row.group, row.budget): row.calibration for row in found.kept}
    assert set(told) == {("tiny", "1/week"), ("white, 1h", "1/week"), ("tiny", "2/month")}
    weekly = told["tiny", "1/week"]
    assert (weekly.sent, weekly.quiet, weekly.quiet_kept) == (2, 2, 0)  # one page each where four are promised
    assert weekly.promised == pytest.approx(2 * (HOURS - 126) / 168)
    assert told["white, 1h", "1/week"].sent == 0


def test_who_cannot_take_part_is_told_in_the_table(tmp_path: Path) -> None:
    plan = Plan((RollingZ(), Absent()), None, {"tiny": PLAN.labelled["tiny"]}, {}, [])
    results = run(plan.jobs(), tmp_path, QUIET, processes=1)
    assert "| all | absent | not run: its library is not there |" in markdown(board(plan, results))


def test_a_contender_that_breaks_is_told_with_the_series_and_stops_no_other(tmp_path: Path) -> None:
    plan = Plan((RollingZ(), Broken()), None, {"tiny": PLAN.labelled["tiny"]}, {}, [])
    text = markdown(board(plan, run(plan.jobs(), tmp_path, QUIET, processes=1)))
    assert "| tiny | rolling_z | 2 |" in text
    assert "| all | broken | not run: fails on tiny/b: ValueError('no idea about tiny/b') |" in text


def test_slow_contenders_judge_the_first_series_by_name() -> None:
    several = [waves("b", 2), waves("a", 1)]
    assert [one.name for one in PLAN.taken(Once(most={"tiny": 1}), several)] == ["a"]
    assert PLAN.taken(Once(most={"tiny": 0}), several) == []
    assert PLAN.taken(Once(), several) == several


def test_an_unknown_name_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "seesonal"]) == 2
    assert "no contender 'seesonal'; there are seasonal," in capsys.readouterr().err.replace("\n", " ")
    with pytest.raises(UnknownName, match="no set 'nap'"):
        planned(sets=["nap"])


def test_names_of_contenders_are_different_and_ours_comes_first() -> None:
    names = [one.name for one in everyone()]
    assert names[0] == "seasonal"
    assert len(set(names)) == len(names)


@dataclass(frozen=True)
class Once:
    name: str = "once"
    about: str = ""
    most: Mapping[str, int] = field(default_factory=dict)

    def judge(self, series: Series) -> Outcome:
        return Outcome.of(series.values, series.values > 150)

    def digest(self) -> str:
        return "the same code"


class Never(Once):
    def judge(self, series: Series) -> Outcome:
        raise AssertionError(f"{series.key} was judged again")


class Absent(Once):
    def __init__(self) -> None:
        super().__init__(name="absent")

    def judge(self, series: Series) -> Outcome:
        raise NotAvailable("its library is not there")


class Broken(Once):
    def __init__(self) -> None:
        super().__init__(name="broken")

    def judge(self, series: Series) -> Outcome:
        raise ValueError(f"no idea about {series.key}")
