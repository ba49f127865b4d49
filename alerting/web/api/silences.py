"""Silences: what is kept quiet until when; making, extending and ending one."""

from __future__ import annotations

from fastapi import APIRouter, Request

from alerting.app import answers, reading_silences
from alerting.web.api.asked import Doing, Extending, Matching, MatchSilencing, SilenceName, author, length
from alerting.web.api.errors import refusals
from alerting.web.api.incidents import VIA
from alerting.web.desk import Desk


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/silences", tags=["silences"])
    actions = desk.app.actions
    failures = refusals(400, 404, 413, 415)

    @router.get("", responses=refusals())
    def silences() -> answers.Silences:
        """Every silence that runs or will, and the last that are over."""
        return answers.silences_of(reading_silences.silences(desk.app, desk.clock()))

    @router.post("", responses=failures)
    def make(request: Request, asked: MatchSilencing) -> answers.Done:
        """Everything that all matchers match is quiet for this long, also what opens later."""
        by, span = author(request, asked.by), length(asked.length)
        done = actions.silence_matching(
            asked.matchers, span, by=by, comment=asked.comment, via=VIA, now=desk.clock(), starts=asked.starts
        )
        return answers.done_of(done)

    @router.post("/preview", responses=failures)
    def preview(asked: Matching) -> answers.Incidents:
        """The open incidents that such a silence would keep quiet; nothing is changed."""
        matchers = actions.matchers(asked.target) if asked.target else asked.matchers
        return answers.incidents_of(reading_silences.muted_by(desk.app, matchers, desk.clock()))

    @router.post("/{name}/expire", responses=failures)
    def expire(request: Request, name: SilenceName, asked: Doing) -> answers.Done:
        """The silence ends now."""
        return answers.done_of(actions.expire(name, by=author(request, asked.by), via=VIA, now=desk.clock()))

    @router.post("/{name}/extend", responses=failures)
    def extend(request: Request, name: SilenceName, asked: Extending) -> answers.Done:
        """The silence ends this much later."""
        by, span = author(request, asked.by), length(asked.length)
        return answers.done_of(actions.extend(name, span, by=by, via=VIA, now=desk.clock()))

    return router
