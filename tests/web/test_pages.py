from __future__ import annotations

from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from alerting.app import App, reading
from alerting.web.desk import Desk
from alerting.web.pages.incidents import facts_of
from alerting.web.pages.rendering import rendered
from tests.app.world import HOSTILE, NOW


def id_of(app: App, country: str) -> str:
    lines = reading.incidents(app, NOW)
    (found,) = [line.incident.id for line in lines if dict(line.incident.labels) == {"country": country}]
    return found


class Tags(HTMLParser):
    """Every tag of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_list_has_open_ones_and_those_that_ended(client: TestClient, app: App) -> None:
    page = client.get("/incidents").text
    told = ("Orders, FR: 50 % below expected", "broken_hourly: 4 pulls failed in a row", "Orders, DE: resolved after")
    assert sorted(told, key=page.index) == list(told)
    assert f'href="/incidents/{id_of(app, "FR")}"' in page


def test_a_page_shows_headline_chart_gates_timeline_and_deliveries(client: TestClient, app: App) -> None:
    name = id_of(app, "FR")
    page = client.get(f"/incidents/{name}").text
    for told in (
        "Orders, FR: 50 % below expected",
        "since Tue 10:00 (09:00 UTC, 4 h): 100 orders/h, usually",
        f'src="/incidents/{name}/chart.png"',
        "2 anomalous buckets in a row",
        "detect seasonal",
        "shop.orders{country=FR} opened: ",
        "3 incidents opened the group",
        "trigger 1",
        'href="https://runbooks.example/orders"',
    ):
        assert told in page, told


def test_the_chart_is_a_picture(client: TestClient, app: App) -> None:
    answer = client.get(f"/incidents/{id_of(app, 'FR')}/chart.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")


def test_the_health_of_a_query_has_a_page_without_a_chart(client: TestClient, app: App) -> None:
    (name,) = [line.incident.id for line in reading.open_incidents(app, NOW) if line.incident.kind == "failing"]
    page = client.get(f"/incidents/{name}")
    assert page.status_code == 200
    assert "<img" not in page.text
    assert client.get(f"/incidents/{name}/chart.png").status_code == 404


def test_the_beginning_of_an_id_leads_to_its_page(client: TestClient, app: App) -> None:
    name = id_of(app, "FR")
    answer = client.get(f"/incidents/{name[:-3]}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/incidents/{name}")


@pytest.mark.parametrize("path", ["/incidents/20990101", "/incidents/20260203", "/incidents/x/chart.png", "/nothing"])
def test_what_is_not_there_is_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Not found" in answer.text
    assert "/incidents" in answer.text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_nothing_that_loads_from_elsewhere_shows_the_api(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_hostile_name_is_text_on_every_page(client: TestClient, app: App) -> None:
    pages = ["/", "/incidents", f"/incidents/{id_of(app, HOSTILE)}", f"/incidents/{HOSTILE.replace('/', '')}"]
    for path in pages:
        page = client.get(path).text
        assert escape("<script>") in page, path
        assert all(attributes.get("src") for tag, attributes in Tags(page).found if tag == "script"), path


def test_only_our_own_files_run_in_a_page_and_nothing_comes_from_elsewhere(client: TestClient, app: App) -> None:
    for path in ("/", "/incidents", f"/incidents/{id_of(app, 'FR')}", "/nothing"):
        for tag, attributes in Tags(client.get(path).text).found:
            assert tag not in ("style", "iframe"), path
            assert not [name for name in attributes if name == "style" or name.startswith("on")], path
            if tag in ("img", "link", "script") or "action" in attributes:
                leads = attributes.get("src") or attributes.get("href") or attributes.get("action") or ""
                assert leads.startswith("/"), path


def incident_text(app: App, found: reading.IncidentPage) -> str:
    frame = {"path": "/", "said": "", "form_token": ""}
    return rendered("incident.html", **frame, **facts_of(Desk(app, lambda: NOW), found))


def test_an_address_that_is_no_web_address_does_not_become_a_link(app: App) -> None:
    page = reading.incident_page(app, id_of(app, "FR"), NOW)
    assert "javascript:" not in incident_text(app, replace(page, runbook="javascript:alert(1)"))


def test_an_incident_that_told_nobody_says_so(app: App) -> None:
    page = reading.incident_page(app, id_of(app, "FR"), NOW)
    assert "no delivery was planned" in incident_text(app, replace(page, outcomes=()))


def test_the_style_is_served_and_knows_dark_and_narrow_screens(client: TestClient) -> None:
    answer = client.get("/static/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in answer.text
    assert "max-width: 40rem" in answer.text
