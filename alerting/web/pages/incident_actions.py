"""What people do on the page of an incident or a group: acknowledge, silence, label, resolve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypedDict

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerting.app.actions import Done
from alerting.core.actions import LABELS, Label
from alerting.core.figures import count
from alerting.web.desk import Desk
from alerting.web.pages.incidents import incident_page
from alerting.web.pages.posted import WRONG, Fields, Trouble, Unclear, comment_of, done, length_of
from alerting.web.pages.sign_in import destination


class Who(TypedDict):
    """Who acts, from where and when."""

    by: str
    via: str
    now: datetime


def routes(desk: Desk) -> APIRouter:
    router = APIRouter()
    actions = desk.app.actions

    @router.post("/incidents/{name}/acknowledge")
    def acknowledge(request: Request, name: str, fields: Fields) -> Response:
        return act(request, desk, name, "acknowledge", fields, lambda who: actions.acknowledge(name, **who))

    @router.post("/incidents/{name}/silence")
    def silence(request: Request, name: str, fields: Fields) -> Response:
        def quieten(who: Who) -> Done:
            return actions.silence(name, length_of(fields), comment=comment_of(fields), **who)

        return act(request, desk, name, "silence", fields, quieten)

    @router.post("/incidents/{name}/label")
    def label(request: Request, name: str, fields: Fields) -> Response:
        def say(who: Who) -> Done:
            return actions.label(name, _label_of(fields), comment=comment_of(fields), **who)

        return act(request, desk, name, "label", fields, say)

    @router.post("/incidents/{name}/resolve")
    def resolve(request: Request, name: str, fields: Fields) -> Response:
        def end(who: Who) -> Done:
            if not comment_of(fields):
                raise Unclear("why? resolving by hand needs a comment, for those who wonder later")
            return actions.resolve(name, comment=comment_of(fields), **who)

        return act(request, desk, name, "resolve", fields, end)

    return router


def who_of(request: Request, desk: Desk) -> Who:
    """Who asks; the audit log keeps it."""
    return {"by": request.state.actor.name, "via": "dashboard", "now": desk.clock()}


def act(
    request: Request, desk: Desk, name: str, form: str, fields: Mapping[str, str], action: Callable[[Who], Done]
) -> Response:
    """Does it and leads back; what is wrong is said at the form. Raises UnknownIncident, StoreError."""
    try:
        did = action(who_of(request, desk))
    except WRONG as exc:
        return incident_page(request, desk, name, Trouble(form, str(exc), fields))
    several = f" · {count(len(did.incidents), 'open incident')}" if form == "silence" or len(did.incidents) > 1 else ""
    there = destination(fields["back"]) if "back" in fields else f"/incidents/{name}"
    return done(request, f"{did.text}{several}", there)


def _label_of(fields: Mapping[str, str]) -> Label:
    kind = fields.get("kind", "")
    if kind not in LABELS:
        raise Unclear("what was it? choose one of the three")
    return kind
