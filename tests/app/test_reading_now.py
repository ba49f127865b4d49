from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from alerting.app import App
from alerting.app.reading_now import Board, Card, Filters, board
from alerting.core.blocks import Block
from alerting.core.incidents import Reading, SeriesState, Status
from alerting.store import Recording
from tests.app.world import DROP_FR, HOSTILE, HOUR, NOW

FRANCE = {"country": "FR"}


def only_card(found: Board) -> Card:
    (card,) = found.cards
    return card


def test_a_group_leads_with_its_worst_series_in_the_words_of_its_message(app: App) -> None:
    card = only_card(board(app, NOW))
    assert (card.subscription, card.state, card.count) == ("health", "critical", 3)
    assert card.headline == "Orders, FR: 50 % below expected"
    assert card.since.startswith("since Tue 10:00 (09:00 UTC, 4 h): 100 orders/h, usually 175 – 227")
    assert card.since.endswith("also 2 other series")
    assert (card.owner, card.runbook, card.told) == ("shop", "https://runbooks.example/orders", ("quiet", "screen"))
    assert (card.attention, card.hushed) == ("", "")


def test_each_series_of_a_group_has_its_chart_the_worst_first(app: App) -> None:
    card = only_card(board(app, NOW))
    assert [dict(one.labels) for one in card.charts] == [FRANCE, {}, {"country": HOSTILE}]
    first = card.charts[0]
    assert (first.metric, first.subscription, first.entry) == ("shop.orders", "health", "seasonal")
    assert first.until == NOW.replace(minute=0)
    assert first.since <= DROP_FR - timedelta(days=20)


def test_queries_that_fail_are_told_with_their_reason_and_incident(app: App) -> None:
    (trouble,) = board(app, NOW).troubles
    assert (trouble.query, trouble.severity) == ("broken_hourly", "warning")
    assert "no such column: secret_column" in trouble.reason
    assert trouble.incident is not None


def test_what_is_left_is_counted_as_normal(app: App) -> None:
    found = board(app, NOW + timedelta(minutes=4))
    assert (found.watched, found.normal, found.oldest) == (4, 2, NOW)
    assert found.names == ("shop.by_country", "shop.hidden", "shop.orders", "shop.weight")


@pytest.mark.parametrize(
    ("filters", "cards", "troubles", "metrics"),
    [
        (Filters(), 1, 1, 4),
        (Filters(team="shop"), 1, 0, 1),
        (Filters(team="nobody"), 0, 0, 0),
        (Filters(subscription="floor"), 0, 1, 3),
        (Filters(text="ORDERS"), 1, 0, 1),
        (Filters(text="hidden"), 0, 1, 1),
        (Filters(tag="tier1"), 0, 0, 0),
    ],
)
def test_filters_keep_what_fits(app: App, filters: Filters, cards: int, troubles: int, metrics: int) -> None:
    found = board(app, NOW, filters)
    assert (len(found.cards), len(found.troubles), found.watched) == (cards, troubles, metrics)


def test_a_text_finds_one_series_of_a_group(app: App) -> None:
    card = only_card(board(app, NOW, Filters(text="fr")))
    assert (card.count, [dict(one.labels) for one in card.charts]) == (1, [FRANCE])


def test_who_has_it_and_until_when_it_is_quiet_are_told(own: App) -> None:
    lead = only_card(board(own, NOW)).lead.id
    for one in own.store.incidents(open_only=True):
        own.actions.acknowledge(one.id, by="ann", via="cli", now=NOW)
    assert only_card(board(own, NOW)).attention == "acknowledged 14:10 by ann"
    own.actions.silence(lead, HOUR, by="bob", comment="known", via="cli", now=NOW)
    silenced = board(own, NOW)
    assert only_card(silenced).state == "acknowledged"  # two other series are not silenced


def test_shadow_says_that_nobody_is_told(own: App) -> None:
    everyone = own.audiences
    own.audiences = {name: replace(one, is_shadow=True) for name, one in everyone.items()}
    with own.store.engine.begin() as connection:
        connection.exec_driver_sql("""UPDATE groups SET "key" = replace("key", '["told",', '["shadow",')""")
    card = only_card(board(own, NOW))
    assert (card.told, card.hushed) == ((), "shadow: nobody is told")


def test_what_is_about_to_become_an_incident_is_pending(own: App) -> None:
    reading = Reading(DROP_FR, "anomaly", observed=70.0, expected=100.0)
    state = SeriesState(
        "subscription:health", "f1", "shop.orders", {"country": "DE"}, Status.PENDING, DROP_FR, DROP_FR, 1,
        first_pending=reading,
    )  # fmt: skip
    own.store.record(Recording(now=NOW, states=(state,)))
    (found,) = board(own, NOW).pending
    assert (found.title, found.since) == ("shop.orders{country=DE}", DROP_FR)
    assert found.reason == "unusual for 1 of 2 buckets: 70 orders, expected 100"
    assert board(own, NOW, Filters(text="elsewhere")).pending == ()


def test_series_without_a_reading_in_the_newest_bucket_are_no_data(own: App) -> None:
    assert board(own, NOW).silent == ()
    digest = own.config.queries["orders_hourly"].digest
    newest = own.store.points.read(digest, NOW - timedelta(minutes=70), NOW.replace(minute=0))
    is_of_france = np.array([dict(key.dimensions)["country"] == "FR" for key in newest.keys])
    values = np.where(is_of_france, np.nan, newest.values)
    own.store.points.write(digest, Block(newest.times, newest.keys, values), NOW)
    found = {one.metric: one for one in board(own, NOW).silent}
    assert set(found) == {"shop.orders", "shop.by_country"}
    assert (found["shop.orders"].missing, found["shop.orders"].series, found["shop.orders"].names) == (1, 3, ("FR",))
    own.store.points.write(digest, Block(newest.times, newest.keys, values * np.nan), NOW + HOUR)
    found = {one.metric: one for one in board(own, NOW).silent}
    assert (found["shop.weight"].missing, found["shop.weight"].series, found["shop.weight"].names) == (1, 1, ())


def test_the_stamp_changes_with_what_people_and_evaluations_do(own: App) -> None:
    before = own.store.overview.stamp()
    assert own.store.overview.stamp() == before
    own.actions.acknowledge(only_card(board(own, NOW)).lead.id, by="ann", via="cli", now=NOW)
    after = own.store.overview.stamp()
    assert after != before
    own.evaluate("orders_hourly", NOW + timedelta(minutes=1))
    assert own.store.overview.stamp() != after
