"""What is unusual now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from alerting.app import answers_now
from alerting.app.reading_now import Filters, board
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk

Words = Annotated[str, Query(max_length=200)]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["now"])

    @router.get("/now", responses=refusals())
    def now(
        team: Annotated[Words, Query(description="only what this team owns")] = "",
        tag: Annotated[Words, Query(description="only metrics with this tag")] = "",
        subscription: Annotated[Words, Query(description="only of this subscription")] = "",
        text: Annotated[Words, Query(description="stands in names, labels or tags")] = "",
    ) -> answers_now.Now:
        """What is unusual now, grouped as messages are, worst first; then what is pending, silent or in trouble."""
        filters = Filters(team, tag, subscription, text.strip())
        return answers_now.now_of(board(desk.app, desk.clock(), filters))

    return router
