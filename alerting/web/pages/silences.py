"""Silences: what is kept quiet until when, by whom and why; making, extending and ending one."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerting.app import reading_silences
from alerting.app.reading import IncidentLine
from alerting.core.figures import count
from alerting.core.silences import SUBJECTS, BadSilence
from alerting.web.desk import READ, Desk
from alerting.web.pages.incident_actions import who_of
from alerting.web.pages.posted import LENGTHS, WRONG, Fields, Trouble, Unclear, comment_of, done, length_of
from alerting.web.pages.rendering import page

MATCHERS = ("metric", *SUBJECTS[:2])


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()
    actions = desk.app.actions

    @router.api_route("/silences", methods=READ)
    def silences(request: Request) -> Response:
        return silences_page(request, desk, fields=dict(request.query_params))

    @router.post("/silences/preview")
    def preview(request: Request, fields: Fields) -> Response:
        try:
            mutes = reading_silences.muted_by(desk.app, matchers_of(fields), desk.clock())
        except WRONG as exc:
            return silences_page(request, desk, Trouble("make", str(exc)), fields=fields)
        return silences_page(request, desk, fields=fields, mutes=mutes)

    @router.post("/silences")
    def make(request: Request, fields: Fields) -> Response:
        try:
            comment, who = comment_of(fields), who_of(request, desk)
            did = actions.silence_matching(matchers_of(fields), length_of(fields), comment=comment, **who)
        except WRONG as exc:
            return silences_page(request, desk, Trouble("make", str(exc)), fields=fields)
        return done(request, f"{did.text} · {count(len(did.incidents), 'open incident')}", "/silences")

    @router.post("/silences/{name}/expire")
    def expire(request: Request, name: str) -> Response:
        return done(request, actions.expire(name, **who_of(request, desk)).text, "/silences")

    @router.post("/silences/{name}/extend")
    def extend(request: Request, name: str, fields: Fields) -> Response:
        try:
            did = actions.extend(name, length_of(fields), **who_of(request, desk))
        except (Unclear, BadSilence) as exc:
            return silences_page(request, desk, Trouble(name, str(exc)))
        return done(request, did.text, "/silences")

    return router


def silences_page(
    request: Request,
    desk: Desk,
    trouble: Trouble | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    mutes: tuple[IncidentLine, ...] | None = None,
) -> Response:
    """The lists and the form, filled with ``fields``; ``mutes`` is what was asked to be previewed."""
    now = desk.clock()
    return page(
        request,
        "silences.html",
        status=422 if trouble else 200,
        board=reading_silences.silences(desk.app, now),
        fields=fields or {},
        mutes=mutes,
        trouble=trouble,
        lengths=LENGTHS,
        now=now,
        metrics=sorted(desk.app.config.metrics),
        subscriptions=sorted(desk.app.config.subscriptions),
        queries=sorted(desk.app.config.queries),
    )


def matchers_of(fields: Mapping[str, str]) -> dict[str, str]:
    """What the form says must match; dimensions are ``name=value`` lines. Raises Unclear."""
    found = {name: value for name in MATCHERS if (value := fields.get(name, "").strip())}
    for line in fields.get("dimensions", "").splitlines():
        if not line.strip():
            continue
        name, sign, value = (part.strip() for part in line.partition("="))
        if not sign or not name:
            raise Unclear(f"{line.strip()!r} is no dimension: write name=value, such as country=DE, one on each line")
        if name in found:
            raise Unclear(f"{name} is given twice: all must match, so one of them never would")
        found[name] = value
    if not found:
        raise Unclear("a silence of everything is not possible: name a metric, a subscription or a dimension")
    return found
