"""`metricwatch score` writes one line per line, and tells its errors to people."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alerting.cli.scoring import score

APP = typer.Typer()
APP.command()(score)
RUN = CliRunner()
THRESHOLD = ["--detector", "threshold", "--set", "outside=[1, 10]", "--bucket", "1h"]


@pytest.fixture
def series(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text("\ufefftime,value\n2026-01-05T09:00,12\n2026-01-05T10:00,\n2026-01-05T11:00,5\n", encoding="utf-8")
    return file


def test_the_answer_goes_to_standard_output(series: Path) -> None:
    result = RUN.invoke(APP, [str(series), *THRESHOLD])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "time,value,expected,lower,upper,score,status",
        "2026-01-05T09:00,12,10,1,10,1.2,anomaly",
        "2026-01-05T10:00,,,,,,unknown",
        "2026-01-05T11:00,5,5,1,10,0.5,ok",
    ]


def test_the_answer_goes_to_the_file_that_is_named(series: Path, tmp_path: Path) -> None:
    answer = tmp_path / "scored.csv"
    result = RUN.invoke(APP, [str(series), *THRESHOLD, "-o", str(answer)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(answer.read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--detector", "seasnal"], "no detector 'seasnal'; there are change, drift, level_shift, seasonal, threshold"),
        (["--set", "budget"], "--set: 'budget' is not KEY=VALUE"),
        (["--set", "budget=-1"], "--set budget: -1 must be more than 0 and at most 10000/week"),
        (["--set", "bound=3"], "--set bound: not a parameter of seasonal; there are budget, sensitivity, seasons"),
        (["--detector", "threshold"], "--detector threshold: no bound: set below, above or outside"),
        (["--bucket", "7m"], "'7m' is not a bucket"),
        (["--timezone", "Mars/Olympus"], "--timezone: 'Mars/Olympus' is not a time zone"),
        (["-o", "/nowhere/at/all.csv"], "/nowhere/at/all.csv: No such file or directory"),
    ],
)
def test_wrong_use_exits_2_and_says_what_is_wrong(series: Path, arguments: list[str], message: str) -> None:
    result = RUN.invoke(APP, [str(series), *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_that_is_not_there_exits_2(tmp_path: Path) -> None:
    result = RUN.invoke(APP, [str(tmp_path / "none.csv")])
    assert result.exit_code == 2
    assert "none.csv: No such file or directory" in result.stderr


def test_a_file_that_is_no_series_exits_1_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"time,value\n2026-01-05,x\n")
    result = RUN.invoke(APP, [str(file)])
    assert (result.exit_code, result.stderr) == (1, f"{file}:2: value 'x' is not a number\n")


def test_a_file_that_is_not_text_exits_1(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"time,value\n\xff\xfe,1\n")
    result = RUN.invoke(APP, [str(file)])
    assert (result.exit_code, result.stderr) == (1, f"{file}: is not UTF-8 text\n")
