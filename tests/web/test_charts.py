from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.app.answers_chart import Chart
from alerting.web.server import create
from tests.app.world import DROP_FR, HOSTILE, NOW

ADDRESS = "/api/v1/metrics/shop.orders/chart"


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with TestClient(create(app, clock=lambda: NOW), base_url="http://127.0.0.1:8050") as found:
        yield found


def test_a_chart_is_columns_of_numbers(client: TestClient) -> None:
    found = client.get(ADDRESS, params={"series": "country=FR", "since": DROP_FR.isoformat()}).json()
    assert {name: found[name] for name in ("metric", "labels", "title", "unit", "bucket", "bucket_s", "decimated")} == {
        "metric": "shop.orders",
        "labels": {"country": "FR"},
        "title": "shop.orders{country=FR}",
        "unit": "orders",
        "bucket": "1h",
        "bucket_s": 3600,
        "decimated": False,
    }
    assert found["times"] == [DROP_FR.timestamp() + 3600 * n for n in range(4)]
    assert found["observed"] == [102, 100, 102, 100]
    assert (found["low"], found["high"], found["anomalies"]) == ([], [], [0, 1, 2, 3])
    assert found["incidents"][0]["opened"] == DROP_FR.timestamp()


def test_the_answer_is_what_the_document_says(client: TestClient) -> None:
    for points in (10, 800):
        answer = client.get(ADDRESS, params={"points": points})
        described = Chart.model_validate_json(answer.text)
        assert set(answer.json()) == set(Chart.model_fields)
        assert described.incidents
        assert described.decimated is (points == 10)


def test_what_is_not_known_is_null(client: TestClient) -> None:
    found = client.get("/api/v1/metrics/shop.unwatched/chart").json()
    assert set(found["lower"]) == {None}


def test_few_points_keep_least_and_greatest(client: TestClient) -> None:
    found = client.get(ADDRESS, params={"points": 10}).json()
    assert found["decimated"] is True
    assert len({len(found[name]) for name in ("times", "observed", "low", "high", "expected", "lower", "upper")}) == 1
    assert all(
        low <= mean <= high for low, mean, high in zip(found["low"], found["observed"], found["high"], strict=True)
    )


def test_a_hostile_series_can_be_asked_for(client: TestClient) -> None:
    answer = client.get(ADDRESS, params={"series": f"country={HOSTILE}"})
    assert answer.json()["labels"] == {"country": HOSTILE}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"series": "country=XX"}, 404),
        ({"series": "no sign"}, 404),
        ({"since": "2030-01-01"}, 400),
        ({"since": "9999-12-31T23:59:59-14:00"}, 400),
        ({"until": "0001-01-01T00:00:00"}, 400),
        ({"since": "yesterday"}, 422),
        ({"points": 1_000_000}, 422),
    ],
)
def test_what_cannot_be_drawn_says_why(client: TestClient, parameters: dict[str, str], status: int) -> None:
    answer = client.get(ADDRESS, params=parameters)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_chart_is_compressed_for_those_who_understand_it(client: TestClient) -> None:
    plain = client.get(ADDRESS, headers={"accept-encoding": "identity"})
    packed = client.get(ADDRESS, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()


def test_static_files_are_kept_while_their_content_stays(client: TestClient) -> None:
    page = client.get("/incidents").text
    address = next(part for part in page.split('"') if part.startswith("/static/charts.js?v="))
    assert "immutable" in client.get(address).headers["cache-control"]
    assert client.get("/static/charts.js").headers["cache-control"] == "no-cache"
