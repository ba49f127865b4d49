"""The commands that act: ``silence``, ``ack``, ``label``, ``resolve``. They work beside a running daemon, or
through its API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.cli.backend import Target, UrlOption, backend
from alerting.cli.session import ConfigOption, JsonOption, fail, instant_of, span_of

if TYPE_CHECKING:
    from alerting.app import answers
    from alerting.core.actions import Label

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
    url: UrlOption = None,
) -> None:
    """Keeps quiet what matches, for a while: recorded, shown, not sent. Ends are always told to whoever was told."""
    with backend(config, url) as here:
        if listed:
            _print_silences(here.silences(), datetime.now(UTC), as_json=as_json)
        elif expire is not None:
            _print(here.expire(expire, by=by), as_json=as_json)
        elif extend is not None:
            _print(here.extend(extend, _length(length), by=by), as_json=as_json)
        elif preview:
            _print_preview(here.preview(_target(what or [], metric)), as_json=as_json)
        else:
            target, begin = _target(what or [], metric), instant_of(starts, "--from") if starts else None
            if begin is not None and target.matchers is None:
                fail("--from: what is open is silenced now; a later begin needs matchers: --metric NAME, country=DE", 2)
            done = here.silence(target, _length(length), by=by, comment=comment, starts=begin)
            _print(done, as_json=as_json)


def ack(
    target: TargetArgument,
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Says that somebody works on it: no more reminders; what gets worse or ends is told all the same."""
    with backend(config, url) as here:
        _print(here.acknowledge(target, by=by), as_json=as_json)


def label(
    target: TargetArgument,
    kind: Annotated[str, typer.Argument(help="expected, not-an-anomaly or new-normal")],
    comment: Annotated[str, typer.Option("--comment", help="why")] = "",
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Says what an incident was, and ends it: detectors learn from the answer."""
    if kind not in LABELS:
        fail(f"{kind!r} is no label: write {', '.join(LABELS)}", 2)
    with backend(config, url) as here:
        _print(here.label(target, LABELS[kind], by=by, comment=comment), as_json=as_json)


def resolve(
    target: TargetArgument,
    comment: Annotated[str, typer.Option("--comment", help="why")],
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Ends an incident by hand; it opens again where new buckets are anomalous."""
    with backend(config, url) as here:
        _print(here.resolve(target, by=by, comment=comment), as_json=as_json)


def _target(what: Sequence[str], metric: str | None) -> Target:
    is_name = len(what) == 1 and "=" not in what[0] and metric is None
    return Target(name=what[0]) if is_name else Target(matchers=_pairs(what, metric))


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


def _print(done: answers.Done, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done.model_dump(mode="json")))
        return
    typer.echo(f"{done.text} · {_counted(done.incidents)}")


def _print_preview(found: answers.Incidents, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"incidents": [one.id for one in found.incidents]}))
        return
    from alerting.core.figures import series_name
    from notifiers.clean import clean

    for one in found.incidents:
        typer.echo(f"{one.id}  {clean(series_name(one.metric, one.labels), 200)}")
    typer.echo(f"would be quiet: {_counted(found.incidents)}")


def _print_silences(found: answers.Silences, now: datetime, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json")))
        return
    from notifiers.clean import clean

    for one in found.silences:
        stands = "from" if now < one.starts else "until" if now < one.ends else "over since"
        at = one.starts if stands == "from" else one.ends
        matchers = ", ".join(f"{name}={value}" for name, value in one.matchers.items())
        text = f"{one.id} · {stands} {at:%Y-%m-%d %H:%M} UTC · {matchers} · {one.author}: {one.comment}"
        typer.echo(clean(text, 600))
    if not found.silences:
        typer.echo("no silence")


def _counted(found: Sequence[object]) -> str:
    from alerting.core.figures import count

    return count(len(found), "open incident")
