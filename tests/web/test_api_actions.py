"""What people do through the API: the same as on the pages, kept in the same audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from alerting.app import App, reading
from alerting.web.api.asked import author
from alerting.web.desk import Actor
from alerting.web.server import create
from tests.app.world import NOW
from tests.web.test_api import id_of
from tests.web.test_gate import routes_of
from tests.web.test_pages import Tags

LOCAL = "http://127.0.0.1:8050"
API = "/api/v1"


@pytest.fixture
def client(own: App) -> Iterator[TestClient]:
    with TestClient(create(own, clock=lambda: NOW), base_url=LOCAL + API, follow_redirects=False) as found:
        yield found


def audit(app: App) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.by, one.via, one.comment) for one in reading.actions_done(app)]


def test_an_incident_is_acknowledged_once(client: TestClient, own: App) -> None:
    name = id_of(own, "FR")
    done = client.post(f"/incidents/{name[:-3]}/acknowledge", json={"by": "ann"}).json()
    assert done == {"changed": True, "text": "acknowledged by ann", "incidents": [name]}
    again = client.post(f"/incidents/{name}/acknowledge", json={}).json()
    assert (again["changed"], again["text"]) == (False, "acknowledged by ann already")
    assert client.get(f"/incidents/{name}").json()["incident"]["attention"].startswith("acknowledged by ann")
    assert audit(own) == [("acknowledge", "ann", "api", "")]


def test_an_incident_is_silenced_labelled_and_resolved_with_the_reason_in_the_audit_log(
    client: TestClient, own: App
) -> None:
    name = id_of(own, "FR")
    said = client.post(f"/incidents/{name}/silence", json={"length": "2h", "comment": "deploy"}).json()
    assert said["text"] == "silenced until Tue 2026-02-03 15:10 UTC by local"
    assert client.post(f"/incidents/{name}/label", json={"kind": "expected"}).json()["incidents"] == [name]
    other = client.post("/incidents", json={})
    assert other.status_code == 405
    (third,) = [
        line for line in reading.open_incidents(own, NOW) if line.incident.labels == {} and line.rule == "health"
    ]
    done = client.post(f"/incidents/{third.incident.id}/resolve", json={"comment": "fixed", "by": "bob"}).json()
    assert done["text"] == "resolved by bob"
    assert sorted(audit(own)) == [
        ("expected", "local", "api", ""),
        ("resolve", "bob", "api", "fixed"),
        ("silence", "local", "api", "deploy"),
    ]
    told = client.get("/actions").json()["actions"]
    assert {one["kind"]: one["incidents"] for one in told}["silence"] == [name]


def test_a_group_is_acted_on_by_its_id(client: TestClient, own: App) -> None:
    group = own.store.groups_of(id_of(own, "FR"))[0].id
    assert len(client.post(f"/incidents/{group}/acknowledge", json={}).json()["incidents"]) == 3


def test_a_silence_is_previewed_made_listed_extended_and_expired(client: TestClient, own: App) -> None:
    matchers = {"metric": "shop.*", "country": "FR"}
    by_matchers = client.post("/silences/preview", json={"matchers": matchers}).json()["incidents"]
    by_target = client.post("/silences/preview", json={"target": id_of(own, "FR")}).json()["incidents"]
    assert [one["id"] for one in by_matchers] == [one["id"] for one in by_target] == [id_of(own, "FR")]
    assert client.get("/silences").json() == {"silences": []}
    made = client.post("/silences", json={"matchers": matchers, "length": "2h", "comment": "deploy"}).json()
    assert made["incidents"] == [id_of(own, "FR")]
    (one,) = client.get("/silences").json()["silences"]
    assert (one["matchers"], one["matched"], one["ends"]) == (matchers, 1, "2026-02-03T15:10:00Z")
    of_metric = client.get("/metrics/shop.orders").json()["silences"]
    assert [(silence["id"], silence["comment"]) for silence in of_metric] == [(one["id"], "deploy")]
    client.post(f"/silences/{one['id']}/extend", json={"length": "PT1H"})
    assert own.store.silences.all()[0].ends == NOW + timedelta(hours=3)
    assert client.post(f"/silences/{one['id']}/expire", json={"by": "bob"}).json()["changed"]
    assert {kind for kind, *_ in audit(own)} == {"expire", "extend", "silence"}


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/incidents/nobody/acknowledge", {}, 404, "there is no incident or group 'nobody'"),
        ("/incidents/nobody/label", {"kind": "weird"}, 422, "kind: "),
        ("/incidents/nobody/resolve", {"comment": ""}, 422, "comment: "),
        ("/incidents/nobody/acknowledge", {"sql": "SELECT 1"}, 422, "sql: "),
        ("/silences", {"matchers": {"metric": "x"}, "length": "soon", "comment": "x"}, 422, "length: "),
        ("/silences", {"matchers": {"metric": "x"}, "length": "0s", "comment": "x"}, 422, "longer than nothing"),
        ("/silences", {"matchers": {}, "length": "1h", "comment": "x"}, 400, "a silence of everything is not possible"),
        ("/silences", {"matchers": {"metric": "x"}, "length": "31d", "comment": "x"}, 400, "at most 30 d"),
        ("/silences", {"matchers": {"metric": "x"}, "length": "1h", "comment": " "}, 400, "a silence needs a comment"),
        ("/silences/nobody/expire", {}, 404, "there is no silence 'nobody'"),
        ("/deliveries/retry", {}, 400, "say one: a delivery or a receiver"),
        ("/deliveries/retry", {"delivery": "x"}, 404, "there is no delivery 'x'"),
        ("/deliveries/retry", {"receiver": "scren"}, 404, "did you mean 'screen'?"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    client: TestClient, own: App, path: str, body: dict[str, object], status: int, error: str
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "remedy"})
    assert error in answer.json()["error"]
    assert audit(own) == []


def test_deliveries_are_listed_and_dead_ones_tried_again(client: TestClient, own: App) -> None:
    found = client.get("/deliveries", params={"limit": 1000}).json()
    assert found["deliveries"][0]["why"]
    assert found["receivers_in_trouble"] == []
    assert client.get("/deliveries", params={"unsettled": True}).json()["deliveries"] == []
    assert client.post("/deliveries/retry", json={"receiver": "screen"}).json() == {"ready": [], "refused": {}}


def test_why_is_told_of_an_incident_and_of_a_point(client: TestClient, own: App) -> None:
    story, opening = client.get(f"/incidents/{id_of(own, 'FR')}/why").json()["why"]
    assert story["title"].startswith(id_of(own, "FR"))
    at = {"at": "2026-02-03T11:00", "series": "country=FR"}  # Berlin's, as the query is
    (point,) = client.get("/metrics/shop.orders/why", params=at).json()["why"]
    assert point["title"] == opening["title"]
    assert client.get("/metrics/shop.orderz/why", params=at).json()["error"].endswith("did you mean 'shop.orders'?")


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_end_of_the_calendar_is_outside_of_what_was_pulled(client: TestClient, at: str) -> None:
    answer = client.get("/metrics/shop.orders/why", params={"at": at, "series": "country=FR"})
    assert answer.status_code == 404
    assert "there are buckets from Thu 2025-12-04" in answer.json()["error"]


@pytest.mark.parametrize(
    ("said", "written"), [("", "oncall"), ("oncall", "oncall"), ("ann", "ann (oncall)"), ("a\nb", "a b (oncall)")]
)
def test_whoever_shares_a_token_is_named_beside_it(said: str, written: str) -> None:

    request = Request({"type": "http", "state": {"actor": Actor("oncall", "operate")}})
    assert author(request, said) == written


def test_every_action_of_a_page_has_an_operation(client: TestClient, own: App) -> None:
    known = set(routes_of(create(own)))
    actions = {route.partition(" ")[2] for route in known if route.startswith("POST /") and API not in route}
    actions -= {"/sign-in", "/sign-out"}
    assert len(actions) >= 8
    assert not [path for path in actions if f"POST {API}{path}" not in known]


def test_every_form_of_a_page_leads_to_an_action_that_has_an_operation(own: App) -> None:
    web = create(own, clock=lambda: NOW)
    known = set(routes_of(web))
    own.actions.silence_matching({"metric": "shop.*"}, timedelta(hours=1), by="a", comment="b", via="cli", now=NOW)
    pages = TestClient(web, base_url=LOCAL)
    found = set[str]()
    for path in ("/incidents", f"/incidents/{id_of(own, 'FR')}", "/silences"):
        forms = [
            given for tag, given in Tags(pages.get(path).text).found if tag == "form" and given.get("method") == "post"
        ]
        found |= {re.sub(r"(?<=/)\d{8}T[\w-]+", "{name}", form["action"] or "") for form in forms}
    assert found >= {"/incidents/{name}/acknowledge", "/silences", "/silences/{name}/expire"}
    assert not [path for path in found if f"POST {API}{path}" not in known]
