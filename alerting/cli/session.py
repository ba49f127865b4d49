"""What every command that works with the state does first and last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from alerting.app import App
    from config.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="folder of YAML files [env: METRICWATCH_CONFIG] [default: metrics]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object")]


@contextmanager
def opened(
    config: Path | None, *, may_be_broken: bool = False, log_level: str = "WARNING", has_listener: bool = False
) -> Iterator[App]:
    """The app while the block runs. What a person can mend is one message on stderr, not a traceback.

    ``has_listener``: somebody listens to the buttons in Slack; without, messages have none.
    Exit 1: the configuration is bad; exit 2: the state cannot be used, or a setting is wrong.
    """
    from alerting.app import BadConfig, open_app
    from alerting.judging import UnknownExecutor
    from alerting.store import StoreError

    app: App | None = None
    try:
        found = settings(config, log_level)
        heard = found if has_listener else found.model_copy(update={"slack_app_token": None})
        app = open_app(heard, may_be_broken=may_be_broken)
        yield app
    except BadConfig as exc:
        fail(str(exc), 1)
    except (StoreError, UnknownExecutor) as exc:
        fail(str(exc), 2)
    finally:
        if app is not None:
            app.close()


def settings(config: Path | None, log_level: str = "WARNING") -> Settings:
    """The settings of the environment, and the folder of ``--config``; logging follows them, else ``log_level``."""
    from alerting.telemetry import configure
    from config.settings import BadSettings, read_settings, unknown_variables

    try:
        found = read_settings()
    except BadSettings as exc:
        fail(str(exc), 2)
    configure(found.log_format, found.log_level or log_level)
    for strange in unknown_variables():
        # A name that resembles none of ours is somebody's own: secrets of the YAML may begin like our settings.
        if "unknown setting" not in strange or "did you mean" in strange:
            typer.echo(f"metricwatch: warning: {strange}", err=True)
    return found if config is None else found.model_copy(update={"config": config})


def span_of(text: str, option: str) -> timedelta:
    """The duration that an option says; what is none, or nothing, ends the command with the option's name."""
    from config.durations import parse

    try:
        span = parse(text)
    except ValueError as exc:
        fail(f"{option}: {exc}", 2)
    if not span:
        fail(f"{option}: should be longer than nothing", 2)
    return span


def instant_of(text: str, option: str) -> datetime:
    """The instant that an option says, UTC; what is none ends the command with the option's name."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text!r} is not a time: write 2026-01-14T15:00 or 2026-01-14T15:00+01:00", 2)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def fail(message: str, code: int) -> NoReturn:
    """Ends the command with a message on stderr."""
    typer.echo(f"metricwatch: {message}", err=True)
    raise typer.Exit(code)
