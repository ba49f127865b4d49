"""Deliveries, and the audit log: what each receiver got, and what people did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from alerting.app import answers_deliveries as answers
from alerting.app import reading, retrying
from alerting.web.api.asked import Retrying
from alerting.web.api.errors import refusals
from alerting.web.desk import Desk

Limit = Annotated[int, Query(ge=1, le=1000, description="at most this many")]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["deliveries"])

    @router.get("/deliveries", responses=refusals())
    def deliveries(
        unsettled: Annotated[bool, Query(description="only those still on their way")] = False, limit: Limit = 200
    ) -> answers.Deliveries:
        """What was sent to whom, what was not, and why."""
        rows = reading.deliveries(desk.app, unsettled_only=unsettled, limit=limit)
        return answers.deliveries_of(rows, reading.receivers_in_trouble(desk.app))

    @router.post("/deliveries/retry", responses=refusals(400, 404, 413, 415))
    def retry(asked: Retrying) -> answers.Retry:
        """Makes dead deliveries ready again; never one whose group was told newer."""
        if (asked.delivery is None) == (asked.receiver is None):
            raise HTTPException(400, "say one: a delivery or a receiver")
        done = retrying.retry(desk.app, desk.clock(), delivery=asked.delivery, receiver=asked.receiver)
        return answers.retry_of(done)

    @router.get("/actions", responses=refusals())
    def actions(limit: Limit = 200) -> answers.Actions:
        """The audit log: who did what, from where, and to which incidents."""
        return answers.actions_of(reading.actions_done(desk.app, limit=limit))

    return router
