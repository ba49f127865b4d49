"""The command line: each command is imported when it is called, so that help and typos answer at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer


@dataclass(frozen=True)
class Command:
    """``address`` is a dotted name of a function; None: comes with a later release."""

    name: str
    summary: str
    address: str | None


COMMANDS = (
    Command("demo", "Replay weeks of real data through the real pipeline; no configuration.", "replaying:demo"),
    Command("init", "Write a first folder of YAML, also from a table of yours.", "writing:init"),
    Command("check", "Say what is wrong with the configuration, with file, line and column.", "checking:check"),
    Command("schema", "Print the JSON Schema that editors use.", "writing:schema"),
    Command("show", "Last values, band and a chart of a metric in the terminal.", "reading:show"),
    Command("run", "Watch: evaluate what is due and deliver what is owed, until stopped.", "watching:run"),
    Command("once", "Evaluate everything due, deliver what is owed, exit: for cron.", "watching:once"),
    Command("why", "Every gate that a point or an incident passed or failed.", "reading:why"),
    Command("incidents", "What is open, and what was.", "reading:incidents"),
    Command("silence", "Keep quiet what matches, for a while.", "acting:silence"),
    Command("ack", "Say that somebody works on an incident: no more reminders.", "acting:ack"),
    Command("label", "Say what an incident was, and end it: detectors learn from it.", "acting:label"),
    Command("resolve", "End an incident by hand.", "acting:resolve"),
    Command("deliveries", "What each receiver got, and why; retry what is dead.", "delivering:deliveries"),
    Command("token", "Make a token for the pages and the API.", "tokens:token"),
    Command("score", "Judge a CSV file line by line, causally.", "scoring:score"),
    Command("db", "Look after the state database.", "watching:db"),
    *(Command(name, "Comes with a later release.", None) for name in ("backtest", "plan", "tune", "test")),
)


def main() -> None:
    """Runs the command that the arguments name."""
    program()()


def program(arguments: list[str] | None = None) -> typer.Typer:
    """The program with the command that the arguments name loaded, and all others as their summaries."""
    given = sys.argv[1:] if arguments is None else arguments
    wanted = next((word for word in given if not word.startswith("-")), None)
    app = typer.Typer(name="metricwatch", add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(_root)
    for command in COMMANDS:
        if command.address is None:
            settings = {"allow_extra_args": True, "ignore_unknown_options": True}
            app.command(command.name, help=command.summary, hidden=True, context_settings=settings)(_later(command))
        elif command.name != wanted:
            app.command(command.name, help=command.summary)(_unloaded)
        else:
            _add(app, command, command.address)
    return app


def _add(app: typer.Typer, command: Command, address: str) -> None:
    module, _, attribute = address.partition(":")
    found = getattr(import_module(f"alerting.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=command.name, help=command.summary)
    else:
        app.command(command.name, help=command.summary)(found)


def _root(
    version: Annotated[bool, typer.Option("--version", help="print the version", is_eager=True)] = False,
) -> None:
    """Tells people when a business metric in their data warehouse does something unusual."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"metricwatch {installed('metricwatch')}")
        raise typer.Exit


def _unloaded() -> None:
    """Stands in the help for a command that is not the one called."""


def _later(command: Command) -> Callable[[], None]:
    def later() -> None:
        typer.echo(f"metricwatch {command.name}: not available yet", err=True)
        raise typer.Exit(2)

    return later
