"""Live updates: a stream of server-sent events that says when what pages show may have changed, not what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from alerting.web import refusals
from alerting.web.desk import Desk
from alerting.web.news import News, stamp

PATH = "/live"
MOST_STREAMS = 100
BEAT_S = 15.0
_NAP_S = 0.25


def routes(desk: Desk, most: int = MOST_STREAMS) -> APIRouter:
    router, news = APIRouter(), News(lambda: stamp(desk))
    streams: set[int] = set()

    @router.get(PATH)
    async def live(request: Request) -> Response:
        if len(streams) >= most:
            reason = f"{most} pages are live already"
            return refusals.refusal(PATH, 503, reason, "reload by hand, or try again later", {"Retry-After": "30"})
        stream = _counted(_events(request, desk, news), streams)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return router


async def _counted(events: AsyncIterator[str], streams: set[int]) -> AsyncIterator[str]:
    streams.add(id(events))
    try:
        async for event in events:
            yield event
    finally:
        streams.discard(id(events))


async def _events(request: Request, desk: Desk, news: News) -> AsyncIterator[str]:
    """Until the reader goes or the server stops. A beat in between shows both sides that the line still holds."""
    yield "retry: 3000\n\n"
    told, spoke = "", time.monotonic()
    while not (desk.closing.is_set() or desk.app.stopping.is_set() or await request.is_disconnected()):
        name = await news.name()
        if name != told or time.monotonic() - spoke >= BEAT_S:
            yield f"event: state\ndata: {name}\n\n"
            told, spoke = name, time.monotonic()
        await asyncio.sleep(_NAP_S)
