"""The commands that act: ``silence``, ``ack``, ``label``, ``resolve``. They work beside a running daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.cli.session import ConfigOption, JsonOption, fail, instant_of, opened, span_of

if TYPE_CHECKING:
    from alerting.app import App
    from alerting.app.actions import Actions, Done
    from alerting.core.actions import Label
    from alerting.core.incidents import Incident
    from alerting.core.silences import Silence

VIA = "cli"
ByOption = Annotated[str | None, typer.Option("--by", help="who does it [default: your login name]")]
TargetArgument = Annotated[str, typer.Argument(help="an incident (the beginning of its id is enough) or a group")]
LABELS: Mapping[str, Label] = {
    "expected": "expected",
    "not-an-anomaly": "not_an_anomaly",
    "new-normal": "new_normal",
}


def silence(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="dimensions as name=value (also subscription=, query=), or one incident or group"),
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="name of a metric, or a pattern: checkout.*")] = None,
    length: Annotated[str | None, typer.Option("--for", help="how long, at most 30d: 2h")] = None,
    starts: Annotated[
        str | None, typer.Option("--from", help="when matchers begin to match, ISO 8601 (naive = UTC) [default: now]")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="why, for those who wonder later")] = "",
    by: ByOption = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="only list the open incidents that it would match")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="list the silences")] = False,
    expire: Annotated[str | None, typer.Option("--expire", metavar="ID", help="end a silence now")] = None,
    extend: Annotated[str | None, typer.Option("--extend", metavar="ID", help="end it later, by --for")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keeps quiet what matches, for a while: recorded, shown, not sent. Ends are always told to whoever was told."""
    now = datetime.now(UTC)
    with _opened(config) as app:
        if listed:
            _print_silences(app.store.silences.all(), now, as_json=as_json)
        elif expire is not None:
            _print(app.actions.expire(expire, by=_author(by), via=VIA, now=now), as_json=as_json)
        elif extend is not None:
            done = app.actions.extend(extend, _length(length), by=_author(by), via=VIA, now=now)
            _print(done, as_json=as_json)
        elif preview:
            _print_preview(app.actions.preview(_matchers(app, what or [], metric)), as_json=as_json)
        else:
            begin = instant_of(starts, "--from") if starts else None
            done = _silence(app.actions, what or [], metric, _length(length), comment, _author(by), now, begin)
            _print(done, as_json=as_json)


def ack(target: TargetArgument, by: ByOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Says that somebody works on it: no more reminders; what gets worse or ends is told all the same."""
    with _opened(config) as app:
        done = app.actions.acknowledge(target, by=_author(by), via=VIA, now=datetime.now(UTC))
        _print(done, as_json=as_json)


def label(
    target: TargetArgument,
    kind: Annotated[str, typer.Argument(help="expected, not-an-anomaly or new-normal")],
    comment: Annotated[str, typer.Option("--comment", help="why")] = "",
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Says what an incident was, and ends it: detectors learn from the answer."""
    if kind not in LABELS:
        fail(f"{kind!r} is no label: write {', '.join(LABELS)}", 2)
    with _opened(config) as app:
        now = datetime.now(UTC)
        done = app.actions.label(target, LABELS[kind], by=_author(by), comment=comment, via=VIA, now=now)
        _print(done, as_json=as_json)


def resolve(
    target: TargetArgument,
    comment: Annotated[str, typer.Option("--comment", help="why")],
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ends an incident by hand; it opens again where new buckets are anomalous."""
    with _opened(config) as app:
        done = app.actions.resolve(target, by=_author(by), comment=comment, via=VIA, now=datetime.now(UTC))
        _print(done, as_json=as_json)


def _silence(
    actions: Actions,
    what: Sequence[str],
    metric: str | None,
    length: timedelta,
    comment: str,
    by: str,
    now: datetime,
    starts: datetime | None,
) -> Done:
    if len(what) == 1 and "=" not in what[0] and metric is None:
        if starts is not None:
            fail(
                "--from: what is open now is silenced now; with matchers (--metric NAME, country=DE) it can be later", 2
            )
        return actions.silence(what[0], length, by=by, comment=comment, via=VIA, now=now)
    matchers = _pairs(what, metric)
    return actions.silence_matching(matchers, length, by=by, comment=comment, via=VIA, now=now, starts=starts)


def _matchers(app: App, what: Sequence[str], metric: str | None) -> dict[str, str]:
    if len(what) == 1 and "=" not in what[0] and metric is None:
        return app.actions.matchers(what[0])
    return _pairs(what, metric)


def _pairs(what: Sequence[str], metric: str | None) -> dict[str, str]:
    found = {} if metric is None else {"metric": metric}
    for text in what:
        name, sign, value = text.partition("=")
        if not sign or not name:
            fail(f"{text!r} is no matcher: write name=value, such as country=DE", 2)
        if name in found:
            fail(f"{name} is given twice: all matchers must match, so one of them never would", 2)
        found[name] = value
    return found


def _length(text: str | None) -> timedelta:
    if text is None:
        fail("say how long: --for 2h", 2)
    return span_of(text, "--for")


def _author(by: str | None) -> str:
    """The login name, where nobody is named; containers may have none."""
    from getpass import getuser

    if by is not None:
        return by
    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        fail("your login name is not known here: say who does it with --by", 2)


@contextmanager
def _opened(config: Path | None) -> Iterator[App]:
    """The app of this process; what people got wrong ends the command with 2."""
    with opened(config, may_be_broken=True) as app:
        try:
            yield app
        except ValueError as exc:
            fail(str(exc), 2)


def _print(done: Done, *, as_json: bool) -> None:
    if as_json:
        result = {"changed": done.changed, "text": done.text, "incidents": list(done.incidents)}
        typer.echo(json.dumps(result))
        return
    typer.echo(f"{done.text} · {_counted(done.incidents)}")


def _print_preview(found: Sequence[Incident], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"incidents": [incident.id for incident in found]}))
        return
    from alerting.core.figures import series_name
    from notifiers.clean import clean

    for incident in found:
        typer.echo(f"{incident.id}  {clean(series_name(incident.metric, incident.labels), 200)}")
    typer.echo(f"would be quiet: {_counted(found)}")


def _print_silences(found: Sequence[Silence], now: datetime, *, as_json: bool) -> None:
    from alerting.cli.reading_plain import plain

    if as_json:
        typer.echo(json.dumps({"silences": [plain(one) for one in found]}))
        return
    from notifiers.clean import clean

    for one in found:
        stands = "until" if one.is_running(now) else "from" if now < one.starts else "over since"
        at = one.starts if stands == "from" else one.ends
        matchers = ", ".join(f"{name}={value}" for name, value in one.matchers.items())
        text = f"{one.id} · {stands} {at:%Y-%m-%d %H:%M} UTC · {matchers} · {one.author}: {one.comment}"
        typer.echo(clean(text, 600))
    if not found:
        typer.echo("no silence")


def _counted(found: Sequence[object]) -> str:
    from alerting.core.figures import count

    return count(len(found), "open incident")
