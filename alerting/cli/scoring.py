"""``metricwatch score``: judges a CSV file line by line, and writes what it thinks beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

import detectors
from alerting import scoring
from detectors.buckets import Bucket


def score(
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns time (or timestamp) and value.", metavar="FILE.csv")
    ],
    detector: Annotated[str, typer.Option(help="Name of a detector.")] = "seasonal",
    settings: Annotated[list[str] | None, typer.Option("--set", help="A parameter.", metavar="KEY=VALUE")] = None,
    bucket: Annotated[str | None, typer.Option(help="1m to 12h, 1d, 1w, 1mo; default: the commonest spacing.")] = None,
    timezone: Annotated[str, typer.Option(help="Zone of times that carry none, and of seasons.")] = "UTC",
    output: Annotated[Path | None, typer.Option("-o", help="Where to write; default: standard output.")] = None,
) -> None:
    """Judge one series from a file: each line depends on the lines before it only."""
    try:
        judge = detectors.load(detector, **dict(_setting(text) for text in settings or ()))
        zone = ZoneInfo(timezone).key
        width = Bucket.parse(bucket).text if bucket else None
    except ValidationError as exc:
        _stop("; ".join(_problem(detector, error["loc"], error["msg"]) for error in exc.errors()), 2)
    except ZoneInfoNotFoundError:
        _stop(f"--timezone: {timezone!r} is not a time zone", 2)
    except (ValueError, LookupError, TypeError) as exc:
        _stop(str(exc), 2)
    _write(_answer(file, judge, width, zone), output)


def _answer(file: Path, detector: detectors.Detector, bucket: str | None, timezone: str) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = scoring.read(stream, str(file), timezone)
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(file.name, total=None)
            judged = scoring.score(
                lines,
                detector,
                bucket=bucket,
                timezone=timezone,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except OSError as exc:
        _stop(f"{file}: {exc.strerror}", 2)
    except scoring.UnreadableSeries as exc:
        _stop(str(exc), 1)
    return list(scoring.write(lines, judged))


def _write(answer: list[str], output: Path | None) -> None:
    text = "\n".join(answer) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as exc:
        _stop(f"{output}: {exc.strerror}", 2)


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(f"--set: {text!r} is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _problem(detector: str, place: tuple[int | str, ...], message: str) -> str:
    known = ", ".join(detectors.type_of(detector).model_fields)
    if message.startswith("Extra inputs"):
        return f"--set {place[0]}: not a parameter of {detector}; there are {known}"
    key = f"--set {'.'.join(map(str, place))}: " if place else f"--detector {detector}: "
    return key + message.removeprefix("Value error, ")


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
