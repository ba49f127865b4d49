"""The API of a running metricwatch, for people who have no access to its state."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import httpx2

from alerting.app import answers
from alerting.cli.backend import Target, login_name
from alerting.cli.points import parsed_series, parsed_time, say_when
from alerting.cli.session import fail
from alerting.core.actions import Label
from config.durations import written

TIMEOUT_S = 30
_Found = TypeVar("_Found", bound=answers.Answer)


@contextmanager
def server(url: str) -> Iterator[Server]:
    """The server at this address; what it refuses ends the command with 2."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        fail(f"--url: {url!r} is no web address: write https://metricwatch.example", 2)
    token = _token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx2.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=TIMEOUT_S) as client:
        try:
            yield Server(client, has_token=bool(token))
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
            fail(f"no answer from {where} ({type(exc).__name__}): does metricwatch run there? see --url", 2)
        except ValueError as exc:
            fail(str(exc), 2)


class Server:
    """Answers like the state beside it would; who acts is whoever the token belongs to, and ``by`` beside it."""

    def __init__(self, client: httpx2.Client, *, has_token: bool) -> None:
        self._client = client
        self._has_token = has_token

    def incidents(self, *, open_only: bool) -> answers.Incidents:
        return self._read(answers.Incidents, "/incidents", {"state": "open" if open_only else "all", "limit": 200})

    def why(self, target: str, time: str | None, subscription: str | None) -> answers.Whys:
        if time is None:
            if "{" in target:
                raise say_when(target)
            return self._read(answers.Whys, f"/incidents/{_part(target)}/why", {})
        name, labels = parsed_series(target)
        asked: dict[str, str | list[str] | int] = {"at": parsed_time(time).isoformat()}
        asked["series"] = [f"{dimension}={value}" for dimension, value in labels.items()]
        if subscription is not None:
            asked["subscription"] = subscription
        return self._read(answers.Whys, f"/metrics/{_part(name)}/why", asked)

    def silences(self) -> answers.Silences:
        return self._read(answers.Silences, "/silences", {})

    def preview(self, target: Target) -> answers.Incidents:
        return self._do(answers.Incidents, "/silences/preview", _written(target))

    def acknowledge(self, target: str, *, by: str | None) -> answers.Done:
        return self._act(f"/incidents/{_part(target)}/acknowledge", by, {})

    def silence(
        self, target: Target, length: timedelta, *, by: str | None, comment: str, starts: datetime | None
    ) -> answers.Done:
        asked = {"length": written(length), "comment": comment}
        if target.matchers is None:
            return self._act(f"/incidents/{_part(target.name)}/silence", by, asked)
        begin = {} if starts is None else {"starts": starts.isoformat()}
        return self._act("/silences", by, {**asked, **begin, **_written(target)})

    def expire(self, silence: str, *, by: str | None) -> answers.Done:
        return self._act(f"/silences/{_part(silence)}/expire", by, {})

    def extend(self, silence: str, length: timedelta, *, by: str | None) -> answers.Done:
        return self._act(f"/silences/{_part(silence)}/extend", by, {"length": written(length)})

    def label(self, target: str, kind: Label, *, by: str | None, comment: str) -> answers.Done:
        return self._act(f"/incidents/{_part(target)}/label", by, {"kind": kind, "comment": comment})

    def resolve(self, target: str, *, by: str | None, comment: str) -> answers.Done:
        return self._act(f"/incidents/{_part(target)}/resolve", by, {"comment": comment})

    def _act(self, path: str, by: str | None, asked: Mapping[str, object]) -> answers.Done:
        named = (None if self._has_token else login_name()) if by is None else by
        return self._do(answers.Done, path, {**asked, "by": named or ""})

    def _do(self, kind: type[_Found], path: str, asked: Mapping[str, object]) -> _Found:
        return _answer(kind, self._client.post(path, json=asked))

    def _read(self, kind: type[_Found], path: str, asked: Mapping[str, str | list[str] | int]) -> _Found:
        return _answer(kind, self._client.get(path, params=asked))


def _answer(kind: type[_Found], said: httpx2.Response) -> _Found:
    if said.status_code == 200 and said.headers.get("content-type", "").startswith("application/json"):
        return kind.model_validate_json(said.content)
    return _refused(said)


def _refused(said: httpx2.Response) -> NoReturn:
    try:
        found = said.json()
        error, remedy = str(found["error"]), str(found["remedy"])
    except (ValueError, KeyError, TypeError):
        fail(f"this is no metricwatch, or an older one: it answered {said.status_code}; see --url", 2)
    if said.status_code == 403 and "token" in error:
        remedy = "set METRICWATCH_TOKEN to one that `metricwatch token NAME SCOPE` made"
    fail(f"{error}: {remedy}" if remedy else error, 2)


def _token() -> str:
    path = os.environ.get("METRICWATCH_TOKEN_FILE", "")
    if not path:
        return os.environ.get("METRICWATCH_TOKEN", "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not text"
        fail(f"METRICWATCH_TOKEN_FILE: {path} cannot be read: {reason}", 2)


def _part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")


def _written(target: Target) -> dict[str, object]:
    return {"target": target.name} if target.matchers is None else {"matchers": dict(target.matchers)}
