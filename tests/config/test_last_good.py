"""A file that does not load gives way to its last good text; only a good or deleted file removes a rule."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.folder import Folder
from config.loader import load
from config.problems import Problem
from tests.config.folders import SHOP, lines, loaded, write
from tests.config.plug_ins import PLUG_INS

BASE = SHOP.partition("subscriptions:")[0]
RULES = "subscriptions:" + SHOP.partition("subscriptions:")[2]
GOOD = {"base.yaml": BASE, "rules.yaml": RULES}


def test_a_good_folder_is_its_own_last_good(tmp_path: Path) -> None:
    found = loaded(tmp_path, GOOD)
    assert (found.texts, found.fallen_back) == (GOOD, ())


def test_a_syntax_error_leaves_the_rules_as_they_were(tmp_path: Path) -> None:
    found = loaded(tmp_path, GOOD | {"rules.yaml": "subscriptions: {health: ["}, last_good=GOOD)
    assert list(found.config.subscriptions) == ["health"]
    assert found.fallen_back == ("rules.yaml",)
    assert found.texts == GOOD
    assert [problem.path for problem in found.errors] == ["rules.yaml"]


def test_any_mistake_keeps_the_whole_file_back(tmp_path: Path) -> None:
    changed = RULES.replace("health:", "health-2:").replace("[ops]", "[opps]")
    found = loaded(tmp_path, GOOD | {"rules.yaml": changed}, last_good=GOOD)
    assert list(found.config.subscriptions) == ["health"]
    assert found.fallen_back == ("rules.yaml",)


def test_other_files_load_beside_a_bad_one(tmp_path: Path) -> None:
    more = BASE.replace("bucket: 1h", "bucket: 30m")
    found = loaded(tmp_path, {"base.yaml": more, "rules.yaml": "x: ["}, last_good=GOOD)
    assert found.config.queries["orders_hourly"].bucket.text == "30m"
    assert found.fallen_back == ("rules.yaml",)


def test_a_rename_that_breaks_another_file_is_not_taken(tmp_path: Path) -> None:
    renamed = BASE.replace("  ops:", "  data-ops:")
    found = loaded(tmp_path, {"base.yaml": renamed, "rules.yaml": RULES}, last_good=GOOD)
    assert list(found.config.receivers) == ["ops"]
    assert list(found.config.subscriptions) == ["health"]
    assert found.fallen_back == ("base.yaml",)
    assert [problem.path for problem in found.errors] == ["rules.yaml"]


def test_a_deletion_that_breaks_another_file_is_not_taken(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"rules.yaml": RULES}, last_good=GOOD)
    assert list(found.config.subscriptions) == ["health"]
    assert found.fallen_back == ("base.yaml",)
    assert found.errors


def test_a_deleted_file_removes_its_rules(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"base.yaml": BASE}, last_good=GOOD)
    assert found.problems == ()
    assert dict(found.config.subscriptions) == {}
    assert found.texts == {"base.yaml": BASE}


def test_a_file_that_loads_without_a_rule_removes_it(tmp_path: Path) -> None:
    found = loaded(tmp_path, GOOD | {"rules.yaml": "# none now\n"}, last_good=GOOD)
    assert dict(found.config.subscriptions) == {}
    assert found.fallen_back == ()


def test_a_bad_file_without_last_good_text_adds_nothing(tmp_path: Path) -> None:
    found = loaded(tmp_path, GOOD | {"new.yaml": "metrics: {m: {query: none, value: v}}"}, last_good=GOOD)
    assert list(found.config.metrics) == ["shop.orders", "shop.revenue"]
    assert found.fallen_back == ()
    assert set(found.texts) == set(GOOD)


def test_a_folder_that_vanished_keeps_everything(tmp_path: Path) -> None:
    found = load(tmp_path / "gone", last_good=GOOD, environment={}, plug_ins=PLUG_INS)
    assert list(found.config.subscriptions) == ["health"]
    assert found.fallen_back == ("base.yaml", "rules.yaml")
    assert "there is no such folder; make a first one with: metricwatch init" in lines(found)[0]


def test_a_folder_with_sql_only_keeps_everything(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"a.sql": "SELECT 1"}, last_good=GOOD)
    assert list(found.config.subscriptions) == ["health"]
    assert len(found.errors) == 1


def test_files_below_a_folder_that_cannot_be_read_are_not_deleted() -> None:
    folder = Folder({}, (Problem("team", 0, 0, "", "cannot be read: permission denied"),))
    assert folder.hides("team/a.yaml")
    assert not folder.hides("teams.yaml")


def test_an_empty_folder_says_how_to_begin(tmp_path: Path) -> None:
    found = load(tmp_path, environment={}, plug_ins=PLUG_INS)
    assert lines(found) == [f"{tmp_path}: holds no YAML file; make a first one with: metricwatch init"]


def test_last_good_text_that_no_longer_loads_is_left_out(tmp_path: Path) -> None:
    old = GOOD | {"rules.yaml": RULES.replace("seasonal", "removed_detector")}
    found = loaded(tmp_path, old | {"rules.yaml": "x: ["}, last_good=old)
    assert dict(found.config.subscriptions) == {}
    assert list(found.config.metrics) == ["shop.orders", "shop.revenue"]


def test_an_sql_file_that_vanished_is_remembered(tmp_path: Path) -> None:
    with_file = BASE.replace("    sql: SELECT", "    sql_file: orders.sql\n    # SELECT")
    good = {"base.yaml": with_file, "rules.yaml": RULES, "orders.sql": "SELECT 1 WHERE :start < :end"}
    found = loaded(tmp_path, {"base.yaml": with_file, "rules.yaml": RULES}, last_good=good)
    assert found.config.queries["orders_hourly"].sql == good["orders.sql"]
    assert found.fallen_back == ("orders.sql",)


def test_an_unreadable_file_keeps_its_last_good_text(tmp_path: Path) -> None:
    write(tmp_path, {"base.yaml": BASE})
    (tmp_path / "rules.yaml").write_bytes(b"subscriptions:\n  \xff\xfe\n")
    found = load(tmp_path, last_good=GOOD, environment={}, plug_ins=PLUG_INS)
    assert list(found.config.subscriptions) == ["health"]
    assert lines(found) == ["rules.yaml:2:3: is not UTF-8 text"]
    assert found.fallen_back == ("rules.yaml",)


def test_hidden_files_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, {"..2026_01/base.yaml": "x: [", ".git/a.yaml": "x: [", **GOOD})
    (tmp_path / "..data").symlink_to(tmp_path / "..2026_01")
    (tmp_path / "linked.yaml").symlink_to(tmp_path / "..2026_01" / "base.yaml")
    found = load(tmp_path, environment={}, plug_ins=PLUG_INS)
    assert {problem.path for problem in found.problems} == {"linked.yaml"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    write(tmp_path, GOOD)
    os.mkfifo(tmp_path / "pipe.yaml")
    assert lines(load(tmp_path, environment={}, plug_ins=PLUG_INS)) == ["pipe.yaml: is not a regular file"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(RULES)), base_cut=st.integers(0, len(BASE)))
def test_no_truncation_loses_a_rule_that_was_good(tmp_path: Path, cut: int, base_cut: int) -> None:
    found = loaded(tmp_path, {"base.yaml": BASE[:base_cut], "rules.yaml": RULES[:cut]}, last_good=GOOD)
    if found.errors:
        assert found.texts["rules.yaml"] in (RULES[:cut], RULES)
    # Whatever was cut, what is in use is whole: every name in it is defined in it.
    for subscription in found.config.subscriptions.values():
        assert set(subscription.metrics) <= set(found.config.metrics)
        assert {name for told in subscription.notify.values() for name in told} <= set(found.config.receivers)
    assert {metric.query for metric in found.config.metrics.values()} <= set(found.config.queries)
    assert {query.source for query in found.config.queries.values()} <= set(found.config.sources)
