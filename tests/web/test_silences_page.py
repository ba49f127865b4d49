"""Silences: previewed, made, extended and ended on their page, without any script."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.core.silences import silence
from alerting.store import Recording
from tests.app.world import HOSTILE, NOW
from tests.web.forms import send, sentence, wrong

HOUR = timedelta(hours=1)


def made(app: App, starts: timedelta, ends: timedelta, comment: str) -> str:
    one = silence({"metric": "shop.*"}, NOW + starts, NOW + ends, author="ann", comment=comment, now=NOW + starts)
    app.store.record(Recording(NOW, silences=(one,)))
    return one.id


def test_a_preview_lists_what_would_be_quiet_and_makes_nothing(browser: TestClient, own: App) -> None:
    fields = {"metric": "shop.*", "dimensions": "country=FR\n", "comment": "deploy", "own": "3h"}
    browser.get("/silences")
    token = {"form_token": browser.cookies["metricwatch_form"]}
    answer = browser.post("/silences/preview", data={**token, **fields}).text
    assert "Would keep quiet 1 open incident, and" in answer
    assert "Orders, FR" in answer
    assert all(f'value="{value}"' in answer for value in ("shop.*", "deploy", "3h"))
    assert ">country=FR" in answer
    assert own.store.silences.all() == ()


def test_a_preview_of_what_matches_nothing_says_so(browser: TestClient) -> None:
    browser.get("/silences")
    token = {"form_token": browser.cookies["metricwatch_form"]}
    answer = browser.post("/silences/preview", data={**token, "metric": "other.*"}).text
    assert "Nothing that is open now matches" in answer


def test_a_silence_is_made_and_listed_with_until_when_by_whom_and_why(browser: TestClient, own: App) -> None:
    fields = {"metric": "shop.*", "dimensions": f"country={HOSTILE}", "length": "4h", "comment": "deploy"}
    assert sentence(browser, send(browser, "/silences", "/silences", **fields)).endswith("local · 1 open incident.")
    (one,) = own.store.silences.all()
    assert dict(one.matchers) == {"metric": "shop.*", "country": HOSTILE}
    page = browser.get("/silences").text
    assert "4 h left · local: deploy" in page
    assert "matches 1 open incident" in page


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"comment": "deploy"}, "a silence of everything is not possible"),
        ({"metric": "shop.*"}, "needs a comment"),
        ({"metric": "shop.*", "comment": "x", "dimensions": "country"}, "write name=value"),
        ({"metric": "shop.*", "comment": "x", "dimensions": "a=1\na=2"}, "a is given twice"),
        ({"metric": "shop.*", "comment": "x", "own": "40d"}, "at most 30 d"),
    ],
)
def test_what_is_wrong_is_said_at_the_form(browser: TestClient, own: App, fields: dict[str, str], reason: str) -> None:
    answer = send(browser, "/silences", "/silences", **{"length": "1h", **fields})
    assert answer.status_code == 422
    assert reason in wrong(answer.text)
    assert own.store.silences.all() == ()


def test_running_coming_and_over_stand_apart(browser: TestClient, own: App) -> None:
    made(own, -2 * HOUR, -HOUR, "yesterday's deploy")
    made(own, -HOUR, HOUR, "today's deploy")
    made(own, HOUR, 2 * HOUR, "tomorrow's deploy")
    page = browser.get("/silences").text
    order = [page.index(one) for one in ("today&#39;s", ">Coming<", "tomorrow&#39;s", ">Over<", "yesterday&#39;s")]
    assert order == sorted(order)


def test_a_silence_is_extended_and_then_ended(browser: TestClient, own: App) -> None:
    name = made(own, -HOUR, HOUR, "deploy")
    longer = send(browser, "/silences", f"/silences/{name}/extend", length="1d")
    assert sentence(browser, longer) == f"Silence {name} extended until Wed 2026-02-04 14:10 UTC by local."
    over = send(browser, "/silences", f"/silences/{name}/expire")
    assert sentence(browser, over) == f"Silence {name} expired by local."
    page = browser.get("/silences").text
    assert "Nothing is silenced." in page
    assert "expired by local" in page


def test_one_that_cannot_be_extended_says_why_beside_it(browser: TestClient, own: App) -> None:
    name = made(own, -HOUR, timedelta(days=29), "deploy")
    answer = send(browser, "/silences", f"/silences/{name}/extend", length="4d")
    assert answer.status_code == 422
    assert "at most 30 d" in wrong(answer.text)
    assert own.store.silences.all()[0].ends == NOW + timedelta(days=29)


@pytest.mark.parametrize("action", ["expire", "extend"])
def test_a_silence_that_is_not_there_is_not_found(browser: TestClient, action: str) -> None:
    browser.get("/silences")
    token = {"form_token": browser.cookies["metricwatch_form"]}
    answer = browser.post(f"/silences/x/{action}", data={**token, "length": "1h"})
    assert answer.status_code == 404
