"""Pages of metrics, sources and subscriptions, and the API beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape, unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.app.reading_metric import metric_page
from alerting.web.pages.metric_view import View
from alerting.web.pages.metrics import facts_of
from tests.app.world import HOSTILE, NOW
from tests.web.test_pages import Tags

PAGES = (
    "/metrics",
    "/metrics/shop.orders",
    "/metrics/shop.hidden",
    "/metrics/shop.orders/parts",
    "/metrics/shop.orders/why?series=country%3DFR&at=2026-02-03T12:00",
    "/sources",
    "/subscriptions",
    "/subscriptions/health",
)


def attribute(page: str, name: str) -> list[str]:
    return [value for _, attributes in Tags(page).found if (value := attributes.get(name)) is not None]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<h1>") == 1
    assert escape("<script>alert") in answer.text or "<script>alert" not in answer.text
    for tag, attributes in Tags(answer.text).found:
        assert tag not in ("style", "iframe")
        assert not [name for name in attributes if name == "style" or name.startswith(("on", "hx-on"))]
        if tag in ("img", "link", "form", "script"):
            assert (attributes.get("src") or attributes.get("href") or attributes.get("action") or "").startswith("/")


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/sources", "/api/v1/metrics/shop.orders", "/api/v1/subscriptions"])
def test_no_answer_holds_the_address_of_a_warehouse(client: TestClient, app: App, path: str) -> None:
    text = client.get(path).text
    assert "sqlite:" not in text
    assert app.config.sources["shop"].url.written.rpartition("/")[2] not in text


def test_the_list_has_state_reason_last_reading_and_a_spark(client: TestClient) -> None:
    page = client.get("/metrics").text
    for told in ("3 of 4 series unusual", "404 orders", "no subscription watches it", "5 metrics."):
        assert told in page, told
    paths = attribute(page, "d")
    assert len(paths) == 4, "one metric was never pulled"
    assert all(path.startswith("M") for path in paths)


def test_the_filter_stands_in_the_address_and_in_its_field(client: TestClient) -> None:
    page = client.get("/metrics", params={"text": "kg shop"}).text
    assert 'value="kg shop"' in page
    assert "shop.weight" in page
    assert "shop.orders" not in page
    assert "No metric has all of these words." in client.get("/metrics", params={"text": "<b>"}).text


def test_the_page_of_a_metric_has_a_chart_for_every_series(client: TestClient) -> None:
    page = client.get("/metrics/shop.orders").text
    charts = [urlsplit(one) for one in attribute(page, "data-chart")]
    assert {one.path for one in charts} == {"/api/v1/metrics/shop.orders/chart"}
    series = [parse_qs(one.query)["series"][0] for one in charts]
    assert series == ["total", "total", f"country={HOSTILE}", "country=FR", "country=DE"]
    for one in charts:
        assert client.get(f"{one.path}?{one.query}").status_code == 200


def test_series_span_and_band_stand_in_the_address_and_reach_every_chart(client: TestClient) -> None:
    asked = {"series": "country=DE", "span": "1w", "band": "health/threshold"}
    page = client.get("/metrics/shop.orders", params=asked).text
    main, *others = (parse_qs(urlsplit(one).query) for one in attribute(page, "data-chart"))
    assert main["series"] == ["country=DE"]
    assert (main["subscription"], main["entry"]) == (["health"], ["threshold"])
    assert {tuple(one["since"]) for one in (main, *others)} == {("2026-01-27T13:00:00Z",)}
    links = [
        parse_qs(urlsplit(unescape(one)).query) for one in re.findall(r'href="(/metrics/shop.orders\?[^"]+)"', page)
    ]
    assert {"1d", "1w", "4w", "90d", "all"} == {one["span"][0] for one in links if one["series"] == ["country=DE"]}
    assert all(one["band"] == ["health/threshold"] for one in links)


def test_edges_that_were_dragged_come_before_a_span(client: TestClient) -> None:
    asked = {"since": "2026-02-01T00:00:00Z", "until": "2026-02-02T00:00:00Z", "span": "90d"}
    (main, *_) = attribute(client.get("/metrics/shop.orders", params=asked).text, "data-chart")
    found = parse_qs(urlsplit(main).query)
    assert (found["since"], found["until"]) == (["2026-02-01T00:00:00Z"], ["2026-02-02T00:00:00Z"])


def test_series_are_filtered_by_their_values_and_counted(client: TestClient, app: App) -> None:
    page = client.get("/metrics/shop.orders", params={"text": "fr"}).text
    assert [parse_qs(urlsplit(one).query)["series"][0] for one in attribute(page, "data-chart")][1:] == ["country=FR"]
    assert "No series has this in its name." in client.get("/metrics/shop.orders", params={"text": "zz"}).text


def test_the_page_tells_freshness_sql_owner_and_alerts(client: TestClient) -> None:
    page = client.get("/metrics/shop.orders").text
    for told in (
        "SELECT hour AS time, country, orders, weight FROM orders",
        "48 rows in ",
        'href="/subscriptions/health"',
        'href="https://runbooks.example/orders"',
        "seasonal: budget 2/month; critical from score 2",
        "Orders, FR: 50 % below expected",
        "Orders, DE: resolved after 12 h 12 m",
    ):
        assert told in page, told


def test_a_metric_that_was_never_pulled_says_why(client: TestClient) -> None:
    page = client.get("/metrics/shop.hidden").text
    assert "no such column: secret_column" in page
    assert "nothing of query broken_hourly has been pulled yet" in page
    assert attribute(page, "data-chart") == []


def test_why_is_a_page_and_for_htmx_a_fragment(client: TestClient) -> None:
    asked = {"series": "country=FR", "at": "2026-02-03T11:00"}  # as the form sends it: in the zone of the query
    page = client.get("/metrics/shop.orders/why", params=asked).text
    fragment = client.get("/metrics/shop.orders/why", params=asked, headers={"HX-Request": "true"}).text
    assert "Tue 2026-02-03 11:00 Europe/Berlin (10:00 UTC)" in fragment
    assert "detect seasonal" in fragment
    assert "<html" not in fragment
    assert fragment.strip() in page
    assert page.count("<h1>") == 1


def test_what_cannot_be_explained_is_a_sentence_in_a_fragment_and_a_page_of_its_own(client: TestClient) -> None:
    asked = {"series": "country=FR", "at": "2031-01-01T00:00"}
    fragment = client.get("/metrics/shop.orders/why", params=asked, headers={"HX-Request": "true"})
    assert (fragment.status_code, "has nothing at" in fragment.text, "<html" in fragment.text) == (200, True, False)
    page = client.get("/metrics/shop.orders/why", params=asked)
    assert (page.status_code, "Not found" in page.text) == (404, True)


def test_the_components_of_a_series_are_drawn_without_script(client: TestClient) -> None:
    page = client.get("/metrics/shop.orders/parts", params={"series": "country=DE"}).text
    assert re.findall(r"<strong>([a-z]+)</strong>", page) == ["level", "day", "week", "residual"]
    assert len(attribute(page, "d")) == 4


@pytest.mark.parametrize(
    "path",
    ["/metrics/nope", "/metrics/shop.orders?series=country%3DXX", "/subscriptions/nope", "/metrics/nope/parts"],
)
def test_what_is_not_there_is_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, "Not found" in answer.text) == (404, True)


@pytest.mark.parametrize("edge", ["since=0001-01-01T00:00:00%2B02:00", "until=9999-12-31T23:59:59-05:00"])
@pytest.mark.parametrize("path", ["/metrics/shop.orders", "/metrics/shop.orders/parts"])
def test_the_ends_of_time_are_no_trouble(client: TestClient, path: str, edge: str) -> None:
    assert client.get(f"{path}?{edge}").status_code == 200


@pytest.mark.parametrize("path", ["/metrics/shop.orders?span=2y", "/metrics/shop.orders/why?at=never"])
def test_what_makes_no_sense_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422


def test_sources_tell_state_cost_and_when_the_next_pull_is(client: TestClient) -> None:
    page = client.get("/sources").text
    for told in (
        "partly failing",
        "4 pulls failed in a row",
        "2,631 rows in ",
        "4 at a time, 60 s each",
        "never shown",
    ):
        assert told in page, told


def test_a_subscription_is_shown_as_it_is_written_and_what_it_would_do(client: TestClient) -> None:
    page = client.get("/subscriptions/health").text
    for told in (
        "shop.yaml:25",
        "threshold: {metric: shop.orders, where: total, below: 20, severity: critical}",
        "about 2 messages a month",
        "would be told",
        'href="/metrics/shop.orders"',
        "Orders, FR: 50 % below expected",
    ):
        assert told in page, told


def test_an_address_that_is_no_web_address_does_not_become_a_link(app: App) -> None:
    found = metric_page(app, "shop.orders", NOW)
    (one,) = found.subscriptions
    hostile = replace(found, subscriptions=(replace(one, runbook="javascript:alert(1)"),))
    assert facts_of(hostile, View())["runbooks"] == {"health": None}


def test_the_api_answers_what_the_pages_show(client: TestClient) -> None:
    metric = client.get("/api/v1/metrics/shop.orders").json()
    assert [one["labels"] for one in metric["series"]][:2] == [{}, {"country": HOSTILE}]
    assert metric["metric"]["reason"] == "3 of 4 series unusual"
    assert client.get("/api/v1/metrics", params={"text": "kg"}).json()["metrics"][0]["newest"] == 500
    assert client.get("/api/v1/metrics/shop.hidden").json()["metric"]["newest"] is None
    parts = client.get("/api/v1/metrics/shop.orders/parts", params={"series": "country=DE"}).json()
    assert {len(one["values"]) for one in parts["components"]} == {len(parts["times"])}
    (source,) = client.get("/api/v1/sources").json()["sources"]
    assert (source["standing"], source["week"]["rows"]) == ("partly", 2631)
    assert client.get("/api/v1/sources/shop").json() == source
    health, _ = client.get("/api/v1/subscriptions").json()["subscriptions"]
    story = client.get("/api/v1/subscriptions/health").json()
    assert story["subscription"] == health
    assert len(story["alerts"]) == 5


@pytest.mark.parametrize("path", ["metrics/nope", "sources/nope", "subscriptions/nope", "metrics/shop.hidden/parts"])
def test_the_api_refuses_in_json(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]
