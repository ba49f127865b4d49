"""The command ``deliveries``: ``list`` (also when nothing else is said) and ``retry``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from alerting.cli import reading
from alerting.cli.session import ConfigOption, JsonOption, fail, opened

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
        from alerting.app.actions import UnknownTarget
        from alerting.app.retrying import retry as tried_again

        try:
            done = tried_again(app, datetime.now(UTC), delivery=delivery, receiver=receiver)
        except UnknownTarget as exc:
            fail(str(exc), 2)
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
