from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alerting.app import App
from alerting.app.reading_subscriptions import UnknownSubscription, subscription_page, subscriptions
from tests.app.world import NOW, opened


def test_a_subscription_is_told_with_file_line_and_its_entries_in_words(app: App) -> None:
    health, floor = subscriptions(app, NOW)
    assert (health.origin.path, health.origin.line) == ("shop.yaml", 25)
    assert health.origin.text.startswith("health:\n  metrics: [shop.orders]\n  owner: {team: shop}\n")
    assert "floor" not in health.origin.text
    assert health.detect == (
        "seasonal: budget 2/month; critical from score 2",
        "threshold: below 20; of shop.orders; the total only; always critical",
    )
    assert (health.mode, health.team, health.open) == ("live", "shop", 3)
    assert health.pages_per_month == pytest.approx(2)
    assert floor.pages_per_month is None, "a threshold has no budget"


def test_receivers_come_with_the_least_severity_that_reaches_them(app: App) -> None:
    health, floor = subscriptions(app, NOW)
    assert [(one.receiver, one.kind, one.severity, one.note) for one in health.told] == [
        ("screen", "console", "warning", ""),
        ("quiet", "console", "critical", ""),
    ]
    assert [(one.receiver, one.severity) for one in floor.told] == [("quiet", "critical")]


def test_its_page_has_open_groups_and_its_last_alerts(app: App) -> None:
    page = subscription_page(app, "health", NOW)
    assert [line.incident.is_open for line in page.alerts] == [True, True, True, False, False]
    assert {group.receiver for group in page.groups} == {"screen", "quiet"}
    assert {name for group in page.groups for name in group.incidents} <= {line.incident.id for line in page.alerts}
    assert all(group.note == "" and group.severity == "critical" for group in page.groups)


def test_muted_it_says_that_nobody_would_be_told(watched: Path) -> None:
    with opened(watched, mute=True) as app:
        health, _ = subscriptions(app, NOW)
    assert health.mode == "muted"
    assert {one.note for one in health.told} == {"not sent: METRICWATCH_MUTE is set"}


def test_in_shadow_it_says_that_nobody_would_be_told(watched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(watched, folder)
    written = folder / "metrics" / "shop.yaml"
    written.write_text(written.read_text().replace("  health:\n", "  health:\n    mode: shadow\n"))
    with opened(folder) as app:
        health, _ = subscriptions(app, NOW)
    assert (health.mode, health.hushed) == ("shadow", "shadow: nobody is told")
    assert {one.note for one in health.told} == {"shadow: nobody is told"}


def test_a_receiver_that_is_out_of_order_is_told_with_its_reason(watched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(watched, folder)
    written = folder / "metrics" / "shop.yaml"
    text = written.read_text().replace("quiet: {console: {}}", "quiet: {slack: {channel: C0QUIET001}}")
    written.write_text(text)
    with opened(folder) as app:
        app.evaluate("orders_hourly", NOW)
        (group,) = [one for one in app.store.open_groups() if one.receiver == "quiet" and "health" in one.subject]
        app.actions.resolve(group.id, by="eva", comment="", via="cli", now=NOW)
        app.deliver(NOW)
        health, _ = subscriptions(app, NOW)
    (quiet,) = [one for one in health.told if one.receiver == "quiet"]
    assert quiet.note.startswith("out of order: ")
    assert "METRICWATCH_SLACK_TOKEN" in quiet.note


def test_an_unknown_subscription_is_answered_with_what_there_is(app: App) -> None:
    with pytest.raises(UnknownSubscription, match="there is no subscription 'helth'; did you mean 'health'"):
        subscription_page(app, "helth", NOW)
