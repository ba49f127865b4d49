"""The commands that watch: ``run``, ``once``, and ``db upgrade``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.cli.session import ConfigOption, JsonOption, fail, instant_of, opened, settings

if TYPE_CHECKING:
    from alerting.app import App
    from alerting.bench import Progress
    from alerting.delivery import DeliveryReport
    from alerting.pipeline import Evaluation

db = typer.Typer(no_args_is_help=True)


def run(config: ConfigOption = None) -> None:
    """Watches until SIGTERM or Ctrl-C: evaluates what is due, delivers what is owed, serves the pages."""
    with opened(config, log_level="INFO", has_listener=True) as app, app.store.exclusive():
        from alerting.daemon import Daemon
        from alerting.web.server import serve
        from alerting.web.tokens import BadTokens

        app.adopt_config(datetime.now(UTC))
        try:
            server = serve(app, *app.settings.listen_address)
        except BadTokens as exc:
            fail(str(exc), 2)
        except OSError as exc:
            fail(f"cannot serve pages on {app.settings.listen}: {exc.strerror}; set METRICWATCH_LISTEN", 2)
        try:
            code = Daemon(app, actions=app.actions).run()
        finally:
            server.stop()
    raise typer.Exit(code)


def once(
    config: ConfigOption = None,
    at: Annotated[str | None, typer.Option("--at", help="the time to take for now, ISO 8601 (naive = UTC)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluates everything due and delivers what is owed, then exits: for cron, a CronJob, any DAG runner."""
    now = instant_of(at, "--at") if at else datetime.now(UTC)
    with opened(config) as app, app.store.exclusive():
        app.adopt_config(now)
        app.revisit(now)
        app.progress = _progress()
        evaluations = evaluate_all(app, now)
        report = app.deliver(now if at else lambda: datetime.now(UTC))
        app.expire(now)
    _print(evaluations, report, now, as_json=as_json)


def evaluate_all(app: App, now: datetime) -> list[Evaluation]:
    """Every query that somebody watches: sources side by side, the queries of a source one after the other."""
    watched = [query for query in app.config.queries.values() if app.config.watched(query.name)]
    by_source = groupby(sorted(watched, key=lambda query: query.source), key=lambda query: query.source)
    work = [[query.name for query in queries] for _, queries in by_source]

    def one_source(names: Sequence[str]) -> list[Evaluation]:
        return [app.evaluate(name, now) for name in names]

    if not work:
        return []
    with ThreadPoolExecutor(max_workers=len(work), thread_name_prefix="source") as threads:
        return [evaluation for found in threads.map(one_source, work) for evaluation in found]


@db.command()
def upgrade() -> None:
    """Brings the tables of the state database to the newest version; `run` and `once` do this by themselves."""
    from alerting.store import StoreError, open_store

    url = settings(None).state_url.get_secret_value()
    try:
        open_store(url).close()
    except StoreError as exc:
        fail(str(exc), 2)
    typer.echo("the state database is at the newest version")


@db.callback()
def _db() -> None:
    """Look after the state database."""


def _progress() -> Progress:
    told: dict[str, int] = {}

    def progress(query: str, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if total > 1000 and tenth > told.get(query, -1):
            told[query] = tenth
            typer.echo(f"{query}: {done:,} of {total:,} buckets pulled", err=True)

    return progress


def _print(evaluations: Sequence[Evaluation], report: DeliveryReport, now: datetime, *, as_json: bool) -> None:
    opened_ones = [
        t.incident.id for one in evaluations for t in one.decision.change.transitions if t.opens and t.incident
    ]
    ended = [t.incident.id for one in evaluations for t in one.decision.change.transitions if t.ends and t.incident]
    failed = {one.query: one.error for one in evaluations if one.error}
    if as_json:
        result = {
            "at": now.isoformat(),
            "evaluated": [one.query for one in evaluations],
            "failed": failed,
            "opened": opened_ones,
            "ended": ended,
            "sent": report.sent,
            "unsent": len(report.failed),
        }
        typer.echo(json.dumps(result))
        return
    for name, error in failed.items():
        typer.echo(f"{name}: {error}", err=True)
    typer.echo(
        f"{len(evaluations)} queries evaluated, {len(failed)} failed; {len(opened_ones)} incidents opened, "
        f"{len(ended)} ended; {report.sent} messages sent, {len(report.failed)} will be tried again or need a look"
    )
