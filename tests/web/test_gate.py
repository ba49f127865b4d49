"""Who may ask, how, and from where: every route in one table, and what each class of routes refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any, get_args
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.web.desk import Scope
from alerting.web.server import create
from tests.app.world import NOW, opened
from tests.figures import Figure

LOCAL = "http://127.0.0.1:8050"
CLASSES = {
    "probe": {"/healthz", "/readyz", "/-/prometheus"},
    "anybody": {"GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /static"},
    "read": {
        "GET /",
        "GET /live",
        "GET /incidents",
        "GET /incidents/{name}",
        "GET /incidents/{name}/chart.png",
        "GET /silences",
        "GET /api/v1/openapi.json",
        "GET /api/v1/actions",
        "GET /api/v1/deliveries",
        "GET /api/v1/incidents",
        "GET /api/v1/incidents/{name}",
        "GET /api/v1/incidents/{name}/why",
        "GET /metrics",
        "GET /metrics/{name}",
        "GET /metrics/{name}/why",
        "GET /metrics/{name}/parts",
        "GET /sources",
        "GET /subscriptions",
        "GET /subscriptions/{name}",
        "GET /api/v1/metrics",
        "GET /api/v1/metrics/{name}",
        "GET /api/v1/metrics/{name}/parts",
        "GET /api/v1/sources",
        "GET /api/v1/sources/{name}",
        "GET /api/v1/subscriptions",
        "GET /api/v1/subscriptions/{name}",
        "GET /api/v1/metrics/{name}/chart",
        "GET /api/v1/metrics/{name}/why",
        "GET /api/v1/now",
        "GET /api/v1/silences",
    },
    "operate": {
        f"POST {where}{what}"
        for where in ("", "/api/v1")
        for what in (
            "/incidents/{name}/acknowledge",
            "/incidents/{name}/label",
            "/incidents/{name}/resolve",
            "/incidents/{name}/silence",
            "/silences",
            "/silences/preview",
            "/silences/{name}/expire",
            "/silences/{name}/extend",
        )
    },
    "admin": {"POST /api/v1/deliveries/retry"},
}
"""Every route of the server, by who may use it."""
SECRETS: dict[str, str] = {scope: f"mw_{scope:x<43}" for scope in get_args(Scope)}


def routes_of(web: FastAPI) -> Iterator[str]:
    """``METHOD /path`` of every route; HEAD goes with GET."""
    waiting: list[tuple[str, Any]] = [("", route) for route in web.routes]
    for prefix, route in waiting:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting += [(prefix + route.include_context.prefix, one) for one in inner.routes]
        else:
            methods = getattr(route, "methods", None) or {"GET"}
            yield from (f"{method} {prefix}{route.path}" for method in methods - {"HEAD"})


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    lines = [f"{scope} {scope} {sha256(secret.encode()).hexdigest()}" for scope, secret in SECRETS.items()]
    path.write_text("# who may what\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def guarded(watched: Path, tokens_file: Path) -> Iterator[App]:
    with opened(watched, tokens_file=tokens_file) as found:
        yield found


def client_of(app: App, listen: str | None = None) -> TestClient:
    closing = Event()
    closing.set()  # a live stream would never end otherwise
    web = create(app, clock=lambda: NOW, listen=listen, closing=closing)
    return TestClient(web, base_url=LOCAL, follow_redirects=False)


def as_bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[scope]}"}


def form_token(client: TestClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="form_token" value="([\w-]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def sign_in(client: TestClient, scope: str) -> None:
    answer = client.post("/sign-in", data={"form_token": form_token(client), "token": SECRETS[scope]})
    assert answer.status_code == 303


def paths(kind: str, method: str) -> list[str]:
    named = [route.partition(" ") for route in sorted(CLASSES[kind])]
    return [re.sub(r"\{.*?\}", "x", path) for said, _, path in named if said == method]


def posts() -> list[str]:
    return [path for kind in ("anybody", "operate", "admin") for path in paths(kind, "POST")]


def content(path: str) -> dict[str, str]:
    kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
    return {"Content-Type": kind}


def test_every_route_is_classified(app: App, figure: Figure) -> None:
    named = {f"GET {path}" for path in CLASSES["probe"]}.union(*(CLASSES[kind] for kind in CLASSES if kind != "probe"))
    assert set(routes_of(create(app))) == named
    figure("T23", f"{len(named)} routes classified; {len(posts())} change something, none from elsewhere")


@pytest.mark.parametrize("path", paths("read", "GET"))
def test_nothing_is_shown_without_a_token(guarded: App, path: str) -> None:
    answer = client_of(guarded).get(path)
    if path.startswith("/api/"):
        assert answer.status_code == 403
        assert answer.json()["error"] == "a token is needed"
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path.replace('/', '%2F')}")


@pytest.mark.parametrize("path", [path for path in posts() if not path.startswith("/sign-")])
def test_nothing_is_changed_without_a_token_or_with_a_scope_that_is_too_small(guarded: App, path: str) -> None:
    client = client_of(guarded)
    assert client.post(path, content=b"{}", headers=content(path)).status_code == 403
    assert client.post(path, content=b"{}", headers=content(path) | as_bearer("read")).status_code == 403


@pytest.mark.parametrize("path", posts())
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8051"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
)
def test_a_post_from_elsewhere_is_refused_also_with_a_token(guarded: App, path: str, headers: dict[str, str]) -> None:
    client = client_of(guarded)
    sign_in(client, "admin")
    answer = client.post(path, content=b"{}", headers=content(path) | as_bearer("admin") | headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", [path for path in posts() if path != "/sign-in"])
def test_nothing_is_changed_by_get(guarded: App, path: str) -> None:
    before = guarded.store.actions.all(), guarded.store.silences.all()
    for method in ("GET", "HEAD"):
        answer = client_of(guarded).request(method, path, headers=as_bearer("admin"))
        assert answer.status_code in (404, 405) or path in paths("read", "GET")
    assert (guarded.store.actions.all(), guarded.store.silences.all()) == before


@pytest.mark.parametrize("path", [path for path in posts() if not path.startswith("/api/")])
def test_a_form_without_the_token_of_its_page_is_refused(app: App, path: str) -> None:
    client = client_of(app)
    client.get("/incidents")
    for wrong in ("", "x" * 43, "ü"):
        answer = client.post(path, data={"form_token": wrong})
        assert answer.status_code == 403, wrong
        assert "form is too old" in answer.text


def test_a_form_token_is_the_readers_own_and_survives_from_page_to_page(app: App) -> None:
    one, other = client_of(app), client_of(app)
    one.get("/incidents")
    other.get("/incidents")
    first, second = (client.cookies["metricwatch_form"] for client in (one, other))
    assert first != second
    one.get("/incidents")
    assert one.cookies["metricwatch_form"] == first
    assert "set-cookie" not in one.get("/incidents").headers


def test_api_and_static_answers_set_no_cookie(app: App) -> None:
    for path in ("/api/v1/incidents", "/static/style.css", "/healthz"):
        assert "set-cookie" not in client_of(app).get(path).headers


def test_cookies_are_strict_and_out_of_reach_of_scripts(guarded: App) -> None:
    client = client_of(guarded)
    made = [client.get("/sign-in").headers["set-cookie"]]
    token = client.cookies["metricwatch_form"]
    asked = {"form_token": token, "token": SECRETS["read"]}
    made.append(client.post("/sign-in", data=asked).headers["set-cookie"])
    for cookie in made:
        assert "; Path=/; HttpOnly; SameSite=Strict" in cookie
        assert "Secure" not in cookie
    behind_tls = client_of(guarded)
    behind_tls.base_url = "https://127.0.0.1:8050"
    assert behind_tls.get("/sign-in").headers["set-cookie"].endswith("; Secure")


def test_whoever_signed_in_reads_until_they_sign_out(guarded: App) -> None:
    client = client_of(guarded)
    sign_in(client, "read")
    page = client.get("/incidents")
    assert page.status_code == 200
    assert "Sign out" in page.text
    assert SECRETS["read"] not in "".join([*client.cookies.values(), page.text])
    assert client.get("/sign-in?next=/incidents").headers["location"] == "/incidents"
    client.post("/sign-out", data={"form_token": client.cookies["metricwatch_form"]})
    assert client.get("/incidents").status_code == 303


def test_sign_in_leads_to_the_page_that_was_asked_for_and_nowhere_else(guarded: App) -> None:
    for asked, led in (("/incidents?state=all", "/incidents?state=all"), ("//evil.example", "/"), ("/\\evil", "/")):
        client = client_of(guarded)
        said = {"form_token": form_token(client), "token": SECRETS["read"], "next": asked}
        assert client.post("/sign-in", data=said).headers["location"] == led


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "read",
        "read/99999999999/",
        "read/1/x",
        "admin/99999999999/" + "0" * 64,
        "read/²/x",
        "nobody/1/x",
        "read/9e9/x",
    ],
)
def test_a_made_up_cookie_lets_nobody_in(guarded: App, cookie: str) -> None:
    answer = client_of(guarded).get("/incidents", headers={"Cookie": f"metricwatch_session={quote(cookie, safe='/')}"})
    assert answer.status_code == 303


def test_a_cookie_of_another_name_or_of_a_token_that_is_gone_lets_nobody_in(guarded: App, tokens_file: Path) -> None:
    client = client_of(guarded)
    sign_in(client, "read")
    name, ends, signature = client.cookies["metricwatch_session"].split("/")
    for forged in (f"admin/{ends}/{signature}", f"{name}/{int(ends) + 1}/{signature}"):
        stranger = TestClient(client.app, base_url=LOCAL, follow_redirects=False)
        assert stranger.get("/incidents", headers={"Cookie": f"metricwatch_session={forged}"}).status_code == 303
    assert client.get("/incidents").status_code == 200
    kept = [line for line in tokens_file.read_text().splitlines() if not line.startswith("read ")]
    tokens_file.write_text("\n".join(kept))
    assert client.get("/incidents").status_code == 303


@pytest.mark.parametrize("host", ["127.0.0.1:/static/", "127.0.0.1:/healthz?", "127.0.0.1/sign-in#", "x:/healthz?"])
def test_a_name_that_looks_like_an_open_path_opens_nothing(guarded: App, host: str) -> None:
    for path in ("/incidents", "/api/v1/incidents"):
        assert client_of(guarded).get(path, headers={"Host": host}).status_code in (303, 403)


def test_a_path_that_is_written_with_signs_is_asked_for_again_as_it_was(guarded: App) -> None:
    answer = client_of(guarded).get("/metrics/a%20b%3Fc?series=country%3DD%26E")
    assert answer.headers["location"] == "/sign-in?next=%2Fmetrics%2Fa%2520b%253Fc%3Fseries%3Dcountry%253DD%2526E"


def test_a_bearer_reads_what_its_scope_allows(guarded: App) -> None:
    client = client_of(guarded)
    for scope in SECRETS:
        assert client.get("/api/v1/incidents", headers=as_bearer(scope)).status_code == 200
        assert client.get("/incidents", headers=as_bearer(scope)).status_code == 200


def test_beyond_loopback_a_token_opens_and_without_tokens_nothing_does(guarded: App, app: App) -> None:
    for listen in ("0.0.0.0", "10.1.2.3", "::"):
        client = client_of(guarded, listen=listen)
        assert client.get("/api/v1/incidents", headers=as_bearer("read")).status_code == 200
        assert client.get("/api/v1/incidents").status_code == 403
        shut = client_of(app, listen=listen)
        for path in (*paths("read", "GET"), "/sign-in"):
            answer = shut.get(path, headers=as_bearer("read"))
            assert answer.status_code == 403, path
            assert "metricwatch token NAME SCOPE" in answer.text
        for path in CLASSES["probe"]:
            assert shut.get(path).status_code == 200


def test_a_link_from_another_site_is_asked_again_with_the_cookies_that_such_a_link_leaves_out(guarded: App) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    answer = client_of(guarded).get('/incidents/x?a="><b>', headers=elsewhere)
    assert answer.status_code == 200
    assert 'content="0; url=/incidents/x?a=%22%3E%3Cb%3E"' in answer.text
    assert "set-cookie" not in answer.headers


def test_what_is_too_long_or_no_json_is_refused(app: App) -> None:
    client = client_of(app)
    path = "/api/v1/incidents/x/acknowledge"
    assert client.post(path, content=b"x" * 70_000, headers=content(path)).status_code == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = client.post(path, content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
        assert answer.json()["remedy"] == "send it with Content-Type: application/json"


def test_no_answer_lets_other_sites_read_it(guarded: App) -> None:
    for path in ("/api/v1/incidents", "/incidents", "/sign-in"):
        answer = client_of(guarded).get(path, headers={"Origin": "https://evil.example"} | as_bearer("read"))
        assert not [name for name in answer.headers if name.startswith("access-control")]
