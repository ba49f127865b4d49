from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alerting.cli import reading
from alerting.cli.points import parsed_series, parsed_time
from tests.app.world import DROP_FR, HOSTILE


def program() -> typer.Typer:
    app = typer.Typer()
    for command in (reading.show, reading.why, reading.incidents, reading.deliveries):
        app.command()(command)
    return app


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(program(), list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def world(watched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METRICWATCH_STATE_URL", f"sqlite:///{watched / 'state.db'}")
    monkeypatch.setenv("METRICWATCH_CONFIG", str(watched / "metrics"))
    monkeypatch.delenv("METRICWATCH_URL", raising=False)
    return watched


def answered(*arguments: str) -> dict[str, list[dict[str, object]]]:
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    found: dict[str, list[dict[str, object]]] = json.loads(out)
    return found


def french() -> str:
    (found,) = [one for one in answered("incidents")["incidents"] if one["labels"] == {"country": "FR"}]
    return str(found["id"])


def test_incidents_lists_the_open_ones_in_words() -> None:
    code, out, _ = run("incidents")
    assert code == 0
    assert "Orders, FR: 50 % below expected" in out
    assert "resolved" not in out


def test_incidents_all_also_lists_those_that_ended() -> None:
    _, out, _ = run("incidents", "--all")
    assert "Orders, DE: resolved after 12 h 12 m" in out


def test_incidents_as_json_have_utc_times_and_no_nan() -> None:
    found = answered("incidents", "--all")["incidents"]
    assert len(found) == 6
    (broken,) = [one for one in found if one["kind"] == "failing"]
    assert (broken["opened"], broken["resolved"]) == ("2026-02-02T00:10:00Z", None)
    assert isinstance(broken["worst"], dict)
    assert broken["worst"]["observed"] is None
    (fr,) = [one for one in found if one["labels"] == {"country": "FR"}]
    assert isinstance(fr["first"], dict)
    assert (fr["subscription"], fr["first"]["observed"]) == ("health", 102.0)


def test_why_explains_an_incident_by_the_beginning_of_its_id() -> None:
    code, out, _ = run("why", french()[:-3])
    assert code == 0
    assert "✓ first anomaly" in out
    assert "✓ receiver screen" in out
    assert "trigger 1 sent" in out
    assert "✓ detect seasonal" in out


def test_why_explains_a_point_that_fired_and_one_that_did_not() -> None:
    _, fired, _ = run("why", "shop.orders{country=FR}", "2026-02-03T10:00Z")
    _, calm, _ = run("why", "shop.orders{country=DE}", "2026-02-03T10:00Z")
    assert f"part of incident {french()}" in fired
    assert "no incident: guard: no detect entry calls it anomalous" in calm
    assert "✗ detect seasonal" in calm


def test_a_time_without_an_offset_is_meant_in_the_zone_of_the_query() -> None:
    berlin = answered("why", "shop.orders{country=FR}", "2026-02-03T11:30")
    assert berlin == answered("why", "shop.orders{country=FR}", "2026-02-03 10:00+00:00", "--subscription", "health")
    assert len(berlin["why"]) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["why", "20990101"], "there is no incident '20990101'"),
        (["why", "shop.orders"], "say when: metricwatch why 'shop.orders' 2026-01-14T15:00"),
        (["why", "shop.ordres", "2026-02-03"], "did you mean 'shop.orders'"),
        (["why", "shop.orders{country=XX}", "2026-02-03"], "there is no series shop.orders{country=XX}; there are: "),
        (["why", "shop.orders{XX}", "2026-02-03"], "write the dimensions as {name=value,…}"),
        (["why", "shop.orders", "yesterday"], "'yesterday' is not a time"),
        (["why", "shop.orders", "1999-01-01"], "there are buckets from"),
        (["show", "shop.weigth"], "did you mean 'shop.weight'"),
        (["show", "shop.orders", "--since", "fortnight"], "--since: 'fortnight'"),
        (["show", "shop.orders", "--since", "0d"], "--since: should be longer than nothing"),
        (["show", "shop.hidden"], "see: metricwatch once"),
    ],
)
def test_what_cannot_be_answered_ends_with_two_and_a_remedy(arguments: list[str], told: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_show_draws_a_chart_and_lists_the_newest_values() -> None:
    code, out, _ = run("show", "shop.orders", "--since", "3d")
    assert code == 0
    assert "usual range" in out
    assert "Tue 2026-02-03 13:00 CET" in out
    assert "4 buckets" in out, "France has been low for four hours"
    assert HOSTILE in out
    assert "⠒" in out


def test_show_as_json_has_a_point_for_each_bucket() -> None:
    series = answered("show", "shop.orders", "--since", "1d")["series"]
    (fr,) = [one for one in series if one["labels"] == {"country": "FR"}]
    points = fr["points"]
    assert isinstance(points, list)
    (fired,) = [point for point in points if point["time"] == f"{DROP_FR:%Y-%m-%dT%H:%M:%SZ}"]
    assert (fired["observed"], fired["anomaly"], fr["entry"]) == (102.0, True, "seasonal")
    assert len(points) == 24


def test_deliveries_say_what_became_of_each() -> None:
    code, out, _ = run("deliveries")
    assert code == 0
    assert "incidents opened the group" in out
    assert answered("deliveries", "--unsettled") == {"deliveries": [], "receivers_in_trouble": []}
    rows = answered("deliveries")["deliveries"]
    assert {row["state"] for row in rows} == {"sent"}
    assert rows[0]["created"] == "2026-02-03T13:10:00Z"


def test_the_option_names_another_folder(tmp_path: Path) -> None:
    code, _, err = run("show", "shop.orders", "--config", str(tmp_path / "nothing"))
    assert code == 0, "a folder that is lost gives way to the last good texts"
    assert "there is no such folder" in err


def test_asking_for_help_loads_nothing_heavy() -> None:
    heavy = "pandas, sqlalchemy, statsmodels, matplotlib, fastapi, numpy"
    script = f"import sys, alerting.cli.reading; print([n for n in '{heavy}'.split(', ') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("text", ["{a=b}", "x{a=b", "x{=b}", ""])
def test_a_series_that_is_not_written_as_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parsed_series(text)


def test_values_may_hold_commas_quotes_and_equals_signs() -> None:
    assert parsed_series('x{a="1, 2",b=c=d}') == ("x", {"a": "1, 2", "b": "c=d"})


def test_a_time_has_a_zone_only_where_one_is_written() -> None:
    assert parsed_time("2026-02-03T10:00").tzinfo is None
    assert parsed_time("2026-02-03T10:00+02:00").utcoffset() == timedelta(hours=2)
