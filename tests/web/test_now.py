from __future__ import annotations

from collections.abc import Iterator
from html import escape

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.web.server import create
from tests.app.world import HOSTILE, NOW
from tests.web.test_pages import Tags, id_of


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with TestClient(create(app, clock=lambda: NOW), base_url="http://127.0.0.1:8050") as found:
        yield found


def test_the_page_of_now_leads_with_what_is_unusual(client: TestClient, app: App) -> None:
    page = client.get("/").text
    for told in (
        "<title>1 unusual · metricwatch</title>",
        "Orders, FR: 50 % below expected",
        "since Tue 10:00 (09:00 UTC, 4 h): 100 orders/h, usually",
        f'href="/incidents/{id_of(app, "FR")}"',
        'href="https://runbooks.example/orders"',
        "4 pulls failed in a row",
        "2 metrics normal, oldest evaluation 0 s ago",
    ):
        assert told in page, told
    assert page.index("Orders, FR") < page.index("broken_hourly") < page.index("2 metrics normal")


def test_every_chart_of_the_page_can_be_drawn(client: TestClient) -> None:
    figures = [found for tag, found in Tags(client.get("/").text).found if tag == "figure"]
    addresses = [found["data-chart"] or "" for found in figures]
    assert len(addresses) == 3
    labels = []
    for address in addresses:
        found = client.get(address).json()
        assert found["anomalies"], address
        assert found["entry"] == "seasonal"
        labels.append(found["labels"])
    assert labels == [{"country": "FR"}, {}, {"country": HOSTILE}]


def test_filters_live_in_the_address_and_stay_in_the_form(client: TestClient) -> None:
    page = client.get("/", params={"text": HOSTILE, "team": "shop"}).text
    assert f'value="{escape(HOSTILE)}"' in page
    assert '<option value="shop" selected>' in page
    assert "Orders, FR" not in page
    assert "Orders, &lt;script&gt;" in page


def test_a_filter_that_fits_nothing_says_so(client: TestClient) -> None:
    page = client.get("/", params={"text": "nothing like it"}).text
    assert "No metric fits this filter." in page
    assert "<title>Nothing unusual · metricwatch</title>" in page


def test_when_all_is_well_the_page_says_what_is_watched(client: TestClient) -> None:
    page = client.get("/", params={"text": "weight"}).text
    assert "Everything that is watched is as it usually is: shop.weight." in page
    assert "1 metric normal" in page


def test_a_group_is_taken_from_the_page_and_the_page_says_so(own: App) -> None:
    web = create(own, clock=lambda: NOW)
    with TestClient(web, base_url="http://127.0.0.1:8050", headers={"Origin": "http://127.0.0.1:8050"}) as client:
        page = client.get("/", params={"text": "orders"}).text
        (form,) = [found for tag, found in Tags(page).found if tag == "form" and found.get("method") == "post"]
        fields = {
            found["name"] or "": found["value"] for tag, found in Tags(page).found if found.get("type") == "hidden"
        }
        assert fields["back"] == "/?text=orders"
        after = client.post(form["action"] or "", data=fields)
    assert after.url.query == b"text=orders"
    assert "acknowledged 14:10 by local" in after.text
    assert len(own.store.actions.acknowledged()) == 3
