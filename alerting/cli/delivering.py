"""The command ``deliveries``: ``list`` (also when nothing else is said) and ``retry``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.cli import reading
from alerting.cli.session import ConfigOption, JsonOption, fail, opened

if TYPE_CHECKING:
    from alerting.app import App

deliveries = typer.Typer(invoke_without_command=True)
UnsettledOption = Annotated[bool, typer.Option("--unsettled", help="only those still on their way")]


@deliveries.callback()
def _deliveries(
    context: typer.Context, unsettled: UnsettledOption = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Lists what was sent to whom, what was not, and why; receivers in trouble first."""
    context.obj = config
    if context.invoked_subcommand is None:
        reading.deliveries(unsettled, config, as_json)


@deliveries.command("list")
def list_(
    context: typer.Context, unsettled: UnsettledOption = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Lists what was sent to whom, what was not, and why; receivers in trouble first."""
    reading.deliveries(unsettled, config or context.obj, as_json)


@deliveries.command()
def retry(
    context: typer.Context,
    delivery: Annotated[str | None, typer.Argument(help="id of a dead delivery, as --json lists it")] = None,
    receiver: Annotated[str | None, typer.Option("--receiver", help="all dead deliveries of this receiver")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes dead deliveries ready again; never one whose group was told newer. Exit 1 where nothing became ready."""
    if (delivery is None) == (receiver is None):
        fail("say one: a delivery, or --receiver NAME; see: metricwatch deliveries --json", 2)
    folder: Path | None = config or context.obj
    with opened(folder, may_be_broken=True) as app:
        _check_names(app, delivery, receiver)
        done = app.store.outbox.retry(datetime.now(UTC), delivery_id=delivery, receiver=receiver)
    if as_json:
        typer.echo(json.dumps({"ready": list(done.ready), "refused": dict(done.refused)}))
    else:
        for name in done.ready:
            typer.echo(f"{name}: ready, sent by the running daemon or the next once")
        for name, reason in done.refused.items():
            typer.echo(f"{name}: not tried again: {reason}")
        if not (done.ready or done.refused):
            typer.echo("no dead delivery")
    raise typer.Exit(0 if done.ready else 1)


def _check_names(app: App, delivery: str | None, receiver: str | None) -> None:
    """Ends the command with 2 where there is no such delivery, or nobody to send it to."""
    from config.problems import suggestion

    if delivery is not None:
        receiver = app.store.outbox.receiver_of(delivery)
        if receiver is None:
            fail(f"there is no delivery {delivery!r}; see: metricwatch deliveries --json", 2)
    if receiver not in app.config.receivers:
        fail(f"no receiver is called {receiver!r}{suggestion(str(receiver), app.config.receivers)}", 2)
