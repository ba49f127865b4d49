"""``check --connect``: logs in everywhere and runs every query over its newest bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from alerting.warehouse.errors import SourceError
from alerting.warehouse.pull import Pulled, Warehouse, open_warehouse
from alerting.warehouse.statements import lint
from alerting.warehouse.windows import Window, split
from config.model import Config, Query

WARNING = "warning: "


def connect_problems(
    config: Config, now: datetime, *, environment: Mapping[str, str] = os.environ, sources: Sequence[str] | None = None
) -> list[str]:
    """One line per problem, naming source or query; lines that begin with ``warning: `` do not stop anything.

    Every source is logged in to, every query is linted and run over the newest bucket that is due at ``now``.
    """
    problems: list[str] = []
    for name, source in config.sources.items():
        if sources is not None and name not in sources:
            continue
        queries = [query for query in config.queries.values() if query.source == name]
        try:
            warehouse = open_warehouse(source, environment=environment)
        except SourceError as exc:
            problems.append(str(exc))
            continue
        try:
            problems += _of_source(warehouse, config, queries, now)
        finally:
            warehouse.close()
    return problems


def value_columns(config: Config, query: str) -> tuple[str, ...]:
    """The value columns that the metrics of a query read, each once."""
    return tuple(dict.fromkeys(metric.value for metric in config.metrics_of(query)))


def _of_source(warehouse: Warehouse, config: Config, queries: Sequence[Query], now: datetime) -> Iterator[str]:
    subject = f"source {warehouse.source.name}"
    try:
        can_write = warehouse.ask(subject, warehouse.dialect.can_write)
    except SourceError as exc:
        # Its queries would all say the same.
        yield str(exc)
        return
    if can_write:
        yield f"{WARNING}{subject}: its role can change data; give metricwatch one that can only read"
    for query in queries:
        yield from _of_query(warehouse, config, query, now)


def _of_query(warehouse: Warehouse, config: Config, query: Query, now: datetime) -> Iterator[str]:
    for objection in lint(query.sql, warehouse.url.get_backend_name()):
        yield f"{WARNING}query {query.name}: {objection}"
    try:
        pulled = warehouse.pull(query, newest_bucket(query, now), value_columns(config, query.name))
    except SourceError as exc:
        yield str(exc)
        return
    for warning in pulled.warnings:
        yield f"{WARNING}query {query.name}: {warning}"
    if not pulled.rows:
        yield f"{WARNING}query {query.name}: no row for its newest bucket; is delay long enough?"
    yield from _missing_dimensions(config, query, pulled)


def _missing_dimensions(config: Config, query: Query, pulled: Pulled) -> Iterator[str]:
    for metric in config.metrics_of(query.name):
        for dimension in metric.dimensions:
            if dimension not in pulled.columns:
                has = ", ".join(pulled.columns)
                yield f"query {query.name}: metric {metric.name} wants the dimension {dimension}; the result has {has}"


def newest_bucket(query: Query, now: datetime) -> Window:
    """The window of the newest bucket that is due."""
    until = query.bucket.start(now - query.delay, query.timezone)
    # No calendar bucket is longer than 31 days and an hour: the last piece of 32 days is one bucket.
    before = query.bucket.start(until - query.bucket.nominal * 1.2, query.timezone)
    return split(query, Window(before, until, "new"), 1)[0]
