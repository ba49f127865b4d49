"""``demo``: weeks of real data through the real pipeline, without any configuration."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from alerting.cli.session import JsonOption, settings

if TYPE_CHECKING:
    from rich.console import Console

    from alerting.app import App
    from alerting.demo import Alert, Marked, Outcome


def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="end after the table instead of serving pages")] = False,
    as_json: JsonOption = False,
    slack_channel: Annotated[
        str | None,
        typer.Option(
            help="channel id to really send to; needs METRICWATCH_SLACK_TOKEN", envvar="METRICWATCH_SLACK_CHANNEL"
        ),
    ] = None,
) -> None:
    """Replays weeks of New York taxi rides and store purchases, and shows each alert as it would read in Slack."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from alerting.demo import Senders, play, world

    found = settings(None)
    if found.slack_token and not slack_channel:
        typer.echo("METRICWATCH_SLACK_TOKEN is set: say --slack-channel C… to send there as well", err=True)
    senders = Senders(slack_channel if found.slack_token else None, found.pagerduty_routing_key)
    screen, quiet = Console(stderr=as_json), io.StringIO()
    with (
        tempfile.TemporaryDirectory(prefix="metricwatch-demo-") as folder,
        world(Path(folder), found, senders, quiet if as_json else sys.stdout) as app,
    ):
        columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            tasks: dict[str, object] = {}

            def tell(what: str, share: float) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=1.0)
                bars.update(tasks[what], completed=share)  # type: ignore[arg-type]  # ids of rich

            outcome = play(app, tell)
        if as_json:
            typer.echo(json.dumps(_plain(outcome), indent=2))
        else:
            show(outcome, screen)
        if not no_serve:
            _serve(app, outcome.ended, screen)


def _plain(outcome: Outcome) -> dict[str, object]:
    return {
        "alerts": [
            {
                "metric": alert.incident.metric,
                "series": dict(alert.incident.labels),
                "opened": alert.incident.opened.isoformat(),
                "resolved": alert.incident.resolved.isoformat() if alert.incident.resolved else None,
                "severity": alert.incident.severity,
                "score": round(alert.incident.worst.score, 3),
                "observed": alert.incident.worst.observed,
                "expected": round(alert.incident.worst.expected, 2),
                "label": alert.label.name if alert.label else None,
            }
            for alert in outcome.alerts
        ],
        "labelled": [
            {
                "metric": marked.metric,
                "series": marked.label.series,
                "name": marked.label.name,
                "start": marked.label.start.isoformat(),
                "end": marked.label.end.isoformat(),
                "fired": marked.fired is not None,
                "note": marked.label.note,
            }
            for marked in outcome.labelled
        ],
        "false_per_series_week": round(outcome.false_per_week, 3),
    }


def show(outcome: Outcome, screen: Console) -> None:
    from rich.table import Table

    table = Table(title="What fired, what people had labelled", title_justify="left", show_lines=False)
    for name in ("series", "opened", "lasted", "worst", "score", "labelled by people as", ""):
        table.add_column(name, justify="right" if name in ("worst", "score") else "left")
    rows = [(alert.incident.opened, _fired(alert)) for alert in outcome.alerts]
    rows += [(marked.label.start, _missed(marked)) for marked in outcome.labelled if marked.fired is None]
    for _, row in sorted(rows, key=lambda pair: (pair[1][0], pair[0])):
        table.add_row(*row)
    screen.print(table)
    hits = sum(marked.fired is not None for marked in outcome.labelled)
    screen.print(
        f"{hits} of {len(outcome.labelled)} labelled windows found; {outcome.false_per_week:.2f} alerts a week and "
        f"series outside them, over {outcome.weeks:.0f} weeks of {outcome.series} series."
    )
    for note in dict.fromkeys(marked.label.note for marked in outcome.labelled if marked.label.note):
        screen.print(f"Note on 2 November: {note}; people labelled it as the marathon.", style="dim")


def _fired(alert: Alert) -> tuple[str, ...]:
    incident = alert.incident
    change = incident.worst.observed - incident.worst.expected
    lasted = f"{(incident.resolved - incident.opened).total_seconds() / 3600:.0f} h" if incident.resolved else "open"
    verdict = ("found", "green") if alert.label else ("false", "red")
    return (
        incident.labels.get("market", "taxi"),
        _local(incident.opened, "UTC" if incident.labels else "America/New_York"),
        lasted,
        f"{100 * change / incident.worst.expected:+.0f} %" if incident.worst.expected > 0 else f"{change:+.0f}",
        f"{incident.worst.score:.1f}",
        alert.label.name if alert.label else "–",
        f"[{verdict[1]}]{verdict[0]}[/]",
    )


def _missed(marked: Marked) -> tuple[str, ...]:
    is_taxi = marked.label.series == "nyc-taxi"
    opened = _local(marked.label.start, "America/New_York" if is_taxi else "UTC")
    return (
        "taxi" if is_taxi else marked.label.series,
        f"({opened})",
        "",
        "",
        "",
        marked.label.name,
        "[yellow]missed[/]",
    )


def _local(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"


def _serve(app: App, ended: datetime, screen: Console) -> None:
    """The dashboard as of the end of the replay; its clock goes on from there."""
    import threading
    import time

    from alerting.demo import attend
    from alerting.web.server import serve

    began = time.monotonic()

    def clock() -> datetime:
        return ended + timedelta(seconds=time.monotonic() - began)

    host, port = app.settings.listen_address
    try:
        server = serve(app, host, port, clock=clock)
    except OSError:
        server = serve(app, host, 0, clock=clock)  # somebody else has the port: any other one will do for a demo
    screen.print(f"\nThe dashboard is at {server.url}/ – Ctrl-C ends the demo.", soft_wrap=True)
    try:
        attend(app, clock, threading.Event())
    except KeyboardInterrupt:
        screen.print("bye")
    finally:
        server.stop()
