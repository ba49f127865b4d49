"""The JSON API: what it answers, and that its document tells the truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from alerting.app import App, reading
from alerting.web.server import create
from tests.app.world import NOW

LOCAL = "http://127.0.0.1:8050"


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with TestClient(create(app, clock=lambda: NOW), base_url=LOCAL, follow_redirects=False) as found:
        yield found


def id_of(app: App, country: str) -> str:
    lines = reading.incidents(app, NOW)
    (found,) = [line.incident.id for line in lines if dict(line.incident.labels) == {"country": country}]
    return found


def test_incidents_are_listed_as_pages_say_them(client: TestClient) -> None:
    (france,) = [
        one for one in client.get("/api/v1/incidents").json()["incidents"] if one["labels"] == {"country": "FR"}
    ]
    told = {name: france[name] for name in ("headline", "subscription", "status", "severity", "state", "resolved")}
    assert told == {
        "headline": "Orders, FR: 50 % below expected",
        "subscription": "health",
        "status": "firing",
        "severity": "critical",
        "state": "critical",
        "resolved": None,
    }
    assert france["opened"] == "2026-02-03T09:00:00Z"
    assert 90 < france["last"]["observed"] < 110


def test_now_is_what_is_unusual_as_its_page_says_it(client: TestClient) -> None:
    found = client.get("/api/v1/now").json()
    (orders,) = [one for one in found["groups"] if one["subscription"] == "health"]
    assert (orders["count"], orders["severity"], orders["owner"]) == (3, "critical", "shop")
    assert [one["query"] for one in found["troubles"]] == ["broken_hourly"]
    assert client.get("/api/v1/now", params={"team": "nobody"}).json()["groups"] == []


def test_ended_incidents_are_listed_when_all_are_asked_for(client: TestClient) -> None:
    only_open, everything = (
        client.get("/api/v1/incidents", params={"state": state}).json()["incidents"] for state in ("open", "all")
    )
    assert {one["status"] for one in only_open} == {"firing"}
    assert {one["status"] for one in everything} == {"firing", "resolved"}
    assert len(client.get("/api/v1/incidents", params={"state": "all", "limit": 1}).json()["incidents"]) == 1


def test_one_incident_comes_with_timeline_gates_and_deliveries(client: TestClient, app: App) -> None:
    name = id_of(app, "FR")
    found = client.get(f"/api/v1/incidents/{name[:-3]}").json()
    assert found["incident"]["id"] == name
    assert "opened: " in found["timeline"][0]["text"]
    assert {gate["name"] for gate in found["why"]["gates"]} >= {"pulled", "detect seasonal"}
    assert found["deliveries"][0]["kind"] == "trigger"
    assert found["runbook"] == "https://runbooks.example/orders"


def test_a_refusal_says_what_is_wrong_and_what_to_do(client: TestClient) -> None:
    answer = client.get("/api/v1/incidents/nobody")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "there is no incident 'nobody'; see: metricwatch incidents --all",
        "remedy": "",
    }
    wrong = client.get("/api/v1/incidents", params={"limit": "many"})
    assert wrong.status_code == 422
    assert wrong.json()["error"].startswith("limit: ")
    assert client.get("/api/v1/nothing").json()["remedy"] == "see /api/v1/openapi.json"


def test_every_field_and_operation_is_described(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        assert path.startswith("/api/v1/"), path
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (method, path, parameter["name"])
    for name, schema in document["components"]["schemas"].items():
        if name not in ("HTTPValidationError", "ValidationError"):
            assert schema["description"], name
