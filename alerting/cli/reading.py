"""The commands that only read the state: ``show``, ``why``, ``incidents``, ``deliveries``.

They take no lock, so they work beside a running daemon. What is heavy is imported where it is used, so that
``--help`` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.cli.backend import UrlOption, backend
from alerting.cli.session import ConfigOption, JsonOption, fail, opened, span_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from alerting.app import App

MOST_CHARTS = 4


def show(
    metric: Annotated[str, typer.Argument(help="name of a metric")],
    since: Annotated[str, typer.Option(help="how far to look back from the newest reading")] = "14d",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows a metric: the newest values of each series, their usual range, and a chart."""
    span = span_of(since, "--since")
    with _opened(config) as app:
        from alerting.app import reading
        from alerting.cli import reading_plain, reading_tables

        shown = reading.show(app, metric, span)
        _print(
            lambda: reading_plain.shown(shown),
            lambda: reading_tables.shown(shown, charts=MOST_CHARTS, width=_width()),
            as_json=as_json,
        )


def why(
    target: Annotated[str, typer.Argument(help="an incident, or METRIC or METRIC{name=value,…}")],
    time: Annotated[
        str | None, typer.Argument(help="ISO 8601; without an offset, in the time zone of the query")
    ] = None,
    subscription: Annotated[str | None, typer.Option(help="only what this subscription says of the metric")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Explains an incident or one point: every gate passed or failed, and what each receiver got."""
    with backend(config, url) as here:
        from alerting.cli import reading_tables

        found = here.why(target, time, subscription)
        _print(lambda: found.model_dump(mode="json"), lambda: reading_tables.whys(found), as_json=as_json)


def incidents(
    everything: Annotated[bool, typer.Option("--all", help="also those that have ended, newest first")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Lists the open incidents."""
    with backend(config, url) as here:
        from alerting.cli import reading_tables

        found = here.incidents(open_only=not everything)
        _print(lambda: found.model_dump(mode="json"), lambda: reading_tables.incidents(found), as_json=as_json)


def deliveries(
    unsettled: Annotated[bool, typer.Option("--unsettled", help="only those still on their way")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists what was sent to whom, what was not, and why; receivers in trouble first."""
    with _opened(config) as app:
        from alerting.app import answers_deliveries, reading
        from alerting.cli import reading_tables

        rows, troubled = reading.deliveries(app, unsettled_only=unsettled), reading.receivers_in_trouble(app)
        _print(
            lambda: answers_deliveries.deliveries_of(rows, troubled).model_dump(mode="json"),
            lambda: reading_tables.deliveries(rows, troubled),
            as_json=as_json,
        )


@contextmanager
def _opened(config: Path | None) -> Iterator[App]:
    """The app of this process; what people got wrong ends the command with 2."""
    with opened(config, may_be_broken=True) as app:
        from alerting.app.reading import NotFound
        from alerting.core.panels import PanelError

        try:
            yield app
        except (NotFound, PanelError, ValueError) as exc:
            fail(str(exc), 2)


def _print(plain: Callable[[], object], table: Callable[[], RenderableType], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plain(), indent=2, ensure_ascii=False, allow_nan=False))  # noqa: T201  # the result itself
        return
    from rich.console import Console

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without braille gets the words
    Console(width=None if sys.stdout.isatty() else _width(), highlight=False, markup=False, emoji=False).print(table())


def _width() -> int:
    """As wide as the terminal; a file or a pipe takes long lines."""
    from shutil import get_terminal_size

    return get_terminal_size().columns if sys.stdout.isatty() else 160
