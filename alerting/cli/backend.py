"""Where a command works: on the state beside it, or, with ``--url``, through the API of a running metricwatch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from alerting.cli.points import parsed_series, parsed_time, say_when
from alerting.cli.session import fail, opened

if TYPE_CHECKING:
    from alerting.app import App, answers
    from alerting.core.actions import Label

VIA = "cli"
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="METRICWATCH_URL", help="ask the metricwatch that serves here; METRICWATCH_TOKEN is its token"
    ),
]


@dataclass(frozen=True)
class Target:
    """What is silenced: an incident or a group by ``name``, or whatever ``matchers`` match."""

    name: str = ""
    matchers: Mapping[str, str] | None = None


class Backend(Protocol):
    """What the commands of people on call ask for. Errors end the command with a message."""

    def incidents(self, *, open_only: bool) -> answers.Incidents: ...

    def why(self, target: str, time: str | None, subscription: str | None) -> answers.Whys: ...

    def silences(self) -> answers.Silences: ...

    def preview(self, target: Target) -> answers.Incidents: ...

    def acknowledge(self, target: str, *, by: str | None) -> answers.Done: ...

    def silence(self, target: Target, length: timedelta, *, by: str | None, comment: str) -> answers.Done: ...

    def expire(self, silence: str, *, by: str | None) -> answers.Done: ...

    def extend(self, silence: str, length: timedelta, *, by: str | None) -> answers.Done: ...

    def label(self, target: str, kind: Label, *, by: str | None, comment: str) -> answers.Done: ...

    def resolve(self, target: str, *, by: str | None, comment: str) -> answers.Done: ...


@contextmanager
def backend(config: Path | None, url: str | None) -> Iterator[Backend]:
    """The server at ``url``, else the state of this process; what people got wrong ends the command with 2."""
    if url is not None:
        from alerting.cli.backend_server import server

        with server(url) as found:
            yield found
        return
    with opened(config, may_be_broken=True) as app:
        from alerting.app.reading import NotFound
        from alerting.core.panels import PanelError

        try:
            yield State(app)
        except (NotFound, PanelError, ValueError) as exc:
            fail(str(exc), 2)


class State:
    """The state database, beside a daemon that may be running."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._now = datetime.now(UTC)

    def incidents(self, *, open_only: bool) -> answers.Incidents:
        from alerting.app import answers, reading

        return answers.incidents_of(reading.incidents(self._app, self._now, open_only=open_only))

    def why(self, target: str, time: str | None, subscription: str | None) -> answers.Whys:
        from zoneinfo import ZoneInfo

        from alerting.app import answers, reading

        if time is None:
            if target.partition("{")[0].strip() in self._app.config.metrics:
                raise say_when(target)
            return answers.whys_of(reading.why_incident(self._app, target, self._now))
        name, labels = parsed_series(target)
        at, zone = parsed_time(time), ZoneInfo(reading.timezone_of(self._app, name))
        moment = at if at.tzinfo is not None else at.replace(tzinfo=zone)
        return answers.whys_of(reading.why_point(self._app, name, labels, moment, subscription))

    def silences(self) -> answers.Silences:
        from alerting.app import answers, reading_silences

        return answers.silences_of(reading_silences.silences(self._app, self._now))

    def preview(self, target: Target) -> answers.Incidents:
        from alerting.app import answers, reading_silences

        matchers = self._app.actions.matchers(target.name) if target.matchers is None else target.matchers
        return answers.incidents_of(reading_silences.muted_by(self._app, matchers, self._now))

    def acknowledge(self, target: str, *, by: str | None) -> answers.Done:
        from alerting.app import answers

        return answers.done_of(self._app.actions.acknowledge(target, by=_author(by), via=VIA, now=self._now))

    def silence(self, target: Target, length: timedelta, *, by: str | None, comment: str) -> answers.Done:
        from alerting.app import answers

        actions, now = self._app.actions, self._now
        if target.matchers is None:
            done = actions.silence(target.name, length, by=_author(by), comment=comment, via=VIA, now=now)
        else:
            done = actions.silence_matching(target.matchers, length, by=_author(by), comment=comment, via=VIA, now=now)
        return answers.done_of(done)

    def expire(self, silence: str, *, by: str | None) -> answers.Done:
        from alerting.app import answers

        return answers.done_of(self._app.actions.expire(silence, by=_author(by), via=VIA, now=self._now))

    def extend(self, silence: str, length: timedelta, *, by: str | None) -> answers.Done:
        from alerting.app import answers

        return answers.done_of(self._app.actions.extend(silence, length, by=_author(by), via=VIA, now=self._now))

    def label(self, target: str, kind: Label, *, by: str | None, comment: str) -> answers.Done:
        from alerting.app import answers

        done = self._app.actions.label(target, kind, by=_author(by), comment=comment, via=VIA, now=self._now)
        return answers.done_of(done)

    def resolve(self, target: str, *, by: str | None, comment: str) -> answers.Done:
        from alerting.app import answers

        done = self._app.actions.resolve(target, by=_author(by), comment=comment, via=VIA, now=self._now)
        return answers.done_of(done)


def login_name() -> str | None:
    """Whose terminal this is; None: containers may not know."""
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return None


def _author(by: str | None) -> str:
    name = login_name() if by is None else by
    if name is None:
        fail("your login name is not known here: say who does it with --by", 2)
    return name
