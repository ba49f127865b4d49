from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from alerting.app import App
from alerting.store import StoreError
from alerting.web import live
from alerting.web.desk import Desk
from alerting.web.news import LOOK_S, News, stamp
from alerting.web.server import Running, create, serve
from tests.app.world import HOUR, NOW


@pytest.fixture
def running(own: App) -> Iterator[Running]:
    found = serve(own, "127.0.0.1", 0)
    yield found
    found.stop()


def states(answer: httpx2.Response) -> Iterator[str]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield line.removeprefix("data: ")


def test_a_reader_hears_of_what_somebody_did(running: Running, own: App) -> None:
    (worst, *_) = [one for one in own.store.incidents(open_only=True) if one.kind == "metric"]
    with httpx2.Client(base_url=running.url, timeout=20) as client, client.stream("GET", "/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = states(answer)
        before = next(told)
        own.actions.acknowledge(worst.id, by="ann", via="cli", now=NOW)
        assert next(told) != before


def test_a_server_that_stops_ends_its_streams_at_once(running: Running) -> None:
    with httpx2.Client(base_url=running.url, timeout=20) as client, client.stream("GET", "/live") as answer:
        told = states(answer)
        assert next(told)
        began = time.monotonic()
        running.stop()
        assert len(list(told)) <= 1  # a minute may have begun
        assert time.monotonic() - began < 2
    assert not running.is_alive


def test_there_is_no_room_for_everybody(app: App) -> None:
    web = FastAPI()
    web.include_router(live.routes(Desk(app, lambda: NOW), most=0))
    answer = TestClient(web).get("/live")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "0 pages are live already" in answer.text


def test_the_store_is_asked_once_a_second_however_many_listen() -> None:
    clock, asked = [0.0], 0

    def ask() -> str:
        nonlocal asked
        asked += 1
        return str(asked)

    async def listen() -> list[str]:
        news = News(ask, lambda: clock[0])
        together = [*await asyncio.gather(news.name(), news.name(), news.name())]
        clock[0] += LOOK_S
        return [*together, await news.name()]

    assert asyncio.run(listen()) == ["1", "1", "1", "2"]


def test_a_store_that_does_not_answer_is_no_news() -> None:
    def fail() -> str:
        raise StoreError("gone")

    assert asyncio.run(News(fail).name()) == ""


def test_pages_say_how_long_ago_so_each_minute_is_news(app: App) -> None:
    names = [stamp(Desk(app, lambda at=at: at)) for at in (NOW, NOW + HOUR / 7200, NOW + HOUR / 60)]  # type: ignore[misc]
    assert names[0] == names[1] != names[2]


def test_a_page_says_which_state_it_shows(app: App) -> None:
    page = TestClient(create(app, clock=lambda: NOW), base_url="http://127.0.0.1:8050").get("/").text
    assert f'data-stamp="{stamp(Desk(app, lambda: NOW))}"' in page
