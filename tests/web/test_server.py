from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from alerting.app import App, open_app
from alerting.app.pulse import Pulse
from alerting.web.server import create, serve
from tests.app.world import NOW, opened, settings_of

LOCAL = "http://127.0.0.1:8050"
HEALTH = ("/healthz", "/readyz")


def client_of(app: App, *, listen: str | None = None, base_url: str = LOCAL) -> TestClient:
    return TestClient(create(app, listen=listen, clock=lambda: NOW), base_url=base_url, follow_redirects=False)


@pytest.fixture
def broken(watched: Path, tmp_path: Path) -> Path:
    """A world whose state lost its tables."""
    shutil.copy(watched / "state.db", tmp_path)
    shutil.copytree(watched / "metrics", tmp_path / "metrics")
    return tmp_path


def break_state(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.db")) as connection, connection:
        connection.execute("DROP TABLE query_states")
        connection.execute("DROP TABLE incidents")


def test_it_is_alive_while_the_scheduler_beats_and_not_after_thirty_seconds(app: App) -> None:
    clock = [100.0]
    app.pulse = Pulse(lambda: clock[0])
    client = client_of(app)
    clock[0] += 30
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "ok\n")
    clock[0] += 0.5
    late = client.get("/healthz")
    assert (late.status_code, late.text) == (503, "the scheduler has not beaten for 30 s\n")
    app.pulse.beat()
    assert client.get("/healthz").status_code == 200


def test_it_is_ready_when_the_store_answers(app: App) -> None:
    assert client_of(app).get("/readyz").status_code == 200


def test_prometheus_reads_a_few_gauges(app: App) -> None:
    answer = client_of(app).get("/-/prometheus", headers={"host": "10.1.2.3:8050"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    critical = samples['metricwatch_open_incidents{severity="critical"}']
    assert int(critical) == sum(one.severity == "critical" for one in app.store.incidents(open_only=True))
    assert (samples["metricwatch_queries_watched"], samples["metricwatch_queries_failing"]) == ("2", "1")
    assert samples["metricwatch_evaluation_age_seconds"] == "0"
    assert samples["metricwatch_deliveries_unsettled"] == "0"
    assert "shop" not in answer.text


def test_a_broken_store_is_not_ready_but_alive_and_its_words_stay_in_the_log(broken: Path) -> None:
    with opened(broken) as app:
        break_state(broken)
        client = client_of(app)
        assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
        assert client.get("/-/prometheus").status_code == 503
        page = client.get("/incidents")
    assert page.status_code == 503
    assert "try again in a moment" in page.text
    assert "no such table" not in page.text
    assert "SELECT" not in page.text


def test_without_any_configuration_it_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "bad.yaml").write_text("version: 1\nsurces: {}\n", encoding="utf-8")
    app = open_app(settings_of(tmp_path), may_be_broken=True)
    try:
        answer = client_of(app).get("/readyz")
    finally:
        app.close()
    assert (answer.status_code, "metricwatch check" in answer.text) == (503, True)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/incidents", "/healthz", "/static/style.css", "/nothing"])
def test_other_methods_are_no_way_to_ask(app: App, method: str, path: str) -> None:
    answer = client_of(app).request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("path", ["/incidents", "/healthz", "/readyz", "/static/style.css"])
def test_head_is_answered_like_get_without_a_body(app: App, path: str) -> None:
    answer = client_of(app).head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]:80"])
def test_a_foreign_name_is_refused_with_the_remedy(app: App, host: str) -> None:
    for path in ("/incidents", "/", "/static/style.css"):
        answer = client_of(app).get(path, headers={"host": host})
        assert answer.status_code == 403, path
        assert "METRICWATCH_HOSTS" in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8050", "localhost", "LOCALHOST:1", "[::1]:8050", "metrics.lan", "watch.example:443"]
)
def test_known_names_are_answered(watched: Path, host: str) -> None:
    with opened(watched, hosts=("metrics.lan:8050",), public_url="https://watch.example/") as app:
        assert client_of(app).get("/incidents", headers={"host": host}).status_code == 200


def test_health_answers_any_prober(app: App) -> None:
    for path in HEALTH:
        assert client_of(app).get(path, headers={"host": "10.1.2.3:8050"}).status_code == 200


@pytest.mark.parametrize("listen", ["0.0.0.0", "10.1.2.3", "::"])
def test_beyond_loopback_only_health_answers(app: App, listen: str) -> None:
    client = client_of(app, listen=listen)
    assert [client.get(path).status_code for path in HEALTH] == [200, 200]
    for path in ("/", "/incidents", "/static/style.css", "/incidents/x/chart.png"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "METRICWATCH_LISTEN=127.0.0.1:8050" in answer.text


@pytest.mark.parametrize("path", ["/incidents", "/nothing", "/healthz", "/static/style.css", "/incidents/x"])
def test_every_answer_carries_the_headers_that_keep_it_safe(app: App, path: str) -> None:
    for answer in (client_of(app).get(path), client_of(app).get(path, headers={"host": "evil.example"})):
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers


def test_a_file_beside_the_static_ones_is_out_of_reach(app: App) -> None:
    assert client_of(app).get("/static/..%2fserver.py").status_code == 404


def test_a_conversation_is_refused(app: App) -> None:
    with pytest.raises(WebSocketDisconnect), client_of(app).websocket_connect("/incidents"):
        pass


def test_a_real_server_answers_stops_and_frees_its_port(app: App) -> None:
    running = serve(app, "127.0.0.1", 0)
    try:
        with httpx2.Client(base_url=running.url, timeout=10) as client:
            assert client.get("/healthz").text == "ok\n"
            assert "Unusual now" in client.get("/").text
            assert "server" not in client.get("/healthz").headers
        with pytest.raises(OSError, match="in use"):
            serve(app, "127.0.0.1", running.port)
    finally:
        running.stop()
    assert not running.is_alive
    serve(app, "127.0.0.1", running.port).stop()
