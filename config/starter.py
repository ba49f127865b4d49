"""The first folder of somebody new: as text, valid as it is, commented for people who have never seen one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.urls import dialect, literal_secrets, masked

SAMPLE_URL = "sqlite:///shop.db"
URL_VARIABLE = "WAREHOUSE_URL"

_STARTER = """\
# What metricwatch watches. `metricwatch check` reads this folder and says what is wrong, `metricwatch schema` prints
# the JSON Schema that editors use for completion.
version: 1

sources:
  # A warehouse: any SQLAlchemy address. Secrets never stand here: write ${env:NAME} or ${file:PATH} in their place.
  shop: {url: "sqlite:///shop.db"} # relative to the folder in which metricwatch runs

receivers:
  # Where messages go. Others: slack: {channel: C0123ABCD} · pagerduty: {routing_key: "${env:PD_KEY}"}
  screen: {console: {}}

defaults:
  timezone: UTC # in which days begin and people read times, such as Europe/Berlin
  on_error: {notify: [screen]} # told when a query is late or failing

queries:
  # One SQL text, pulled once however many metrics use it: a time column, value columns, and columns that split them.
  orders_hourly:
    source: shop
    bucket: 1h # one point per hour
    delay: 10m # the warehouse needs this long until an hour is complete
    sql: |
      SELECT hour AS time, country, orders, revenue
      FROM orders_by_hour
      WHERE hour >= :start AND hour < :end

metrics:
  shop.orders: # one series for each country, and their total
    query: orders_hourly
    value: orders
    dimensions: [country]
    rollup: sum
    total: true
    better: higher # less is bad news
    unit: orders
  shop.revenue: {query: orders_hourly, value: revenue, rollup: sum, better: higher, unit: EUR}

subscriptions:
  # Who cares about which metrics, how unusual is found, and who is told.
  shop-health:
    metrics: ["shop.*"]
    owner: {team: shop}
    detect:
      - seasonal: {} # learns the day and the week; unusual is what is far from it
      - threshold: {metric: shop.orders, where: total, below: 1, severity: critical} # none at all, anywhere
    guard: {direction: worse, min_change: 10%} # only when it is bad news, and not for less than this
    notify: {warning: [screen]}
"""

_COUNTRIES = (("DE", 120.0), ("FR", 70.0), ("US", 200.0))
_TIME_TYPES = ("TIMESTAMP", "DATETIME", "DATE")
_NUMBER_TYPES = ("INT", "NUMERIC", "DECIMAL", "NUMBER", "FLOAT", "DOUBLE", "REAL", "HUGEINT", "MONEY")
_TEXT_TYPES = ("VARCHAR", "TEXT", "CHAR", "STRING", "ENUM")
_TIME_NAMES = re.compile(r"(.*_)?(time|timestamp|ts|at|date|day|hour)", re.IGNORECASE)
_KEY_NAMES = re.compile(r"(.*_)?(id|key|uuid)", re.IGNORECASE)
_RESERVED = {"order", "user", "group", "select", "from", "where", "table", "desc", "end", "limit", "check", "default"}

_YAML_WORDS = {"true", "false", "null"}
_TAKEN = _RESERVED | _YAML_WORDS | {"time", "row_count"}


class NoTimeColumn(ValueError):
    """A table without a column that could be the time cannot become a metric."""


@dataclass(frozen=True)
class Existing:
    """What a folder already has, so that a new file does not define it again."""

    source: str | None = None
    receiver: str | None = None


def starter() -> dict[str, str]:
    """Texts by path of a first folder, which runs without credentials on the sample of ``sample_rows``."""
    return {"shop.yaml": _STARTER}


def sample_rows(now: datetime) -> list[tuple[str, str, int, float]]:
    """Hour (SQLite text, UTC), country, orders, revenue: eight weeks before ``now``, and the week to come.

    Two hours from now Germany loses half its orders for four hours, so that a first run has something to find.
    """
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(weeks=8)
    rows = []
    for step in range(24 * 7 * 9):
        hour = start + timedelta(hours=step)
        ahead = (hour - now.astimezone(UTC)) / timedelta(hours=1)
        for number, (country, level) in enumerate(_COUNTRIES):
            orders = level * _shape(hour) * (1 + 0.06 * _noise(step, number))
            if country == "DE" and 2 <= ahead < 6:
                orders *= 0.5
            text = hour.strftime("%Y-%m-%d %H:%M:%S")
            rows.append((text, country, round(orders), round(orders * (31 + 2 * _noise(step, number + 7)), 2)))
    return rows


def from_table(
    source_url: str,
    table: str,
    columns: Sequence[tuple[str, str]],
    *,
    existing: Existing = Existing(),
    dialect_name: str | None = None,
) -> dict[str, str]:
    """A query, metrics and a subscription over one table; ``columns`` are names and types.

    ``dialect_name`` is needed where the address is only a reference. Raises NoTimeColumn, ValueError.
    """
    if not all(name.isprintable() for name in (table, *(name for name, _ in columns))):
        raise ValueError(f"table {table!r} has names that cannot be printed")
    found = _table(table, columns, existing.source or "warehouse", dialect_name or dialect(source_url) or "")
    parts = [
        f"# Written by `metricwatch init` from the table {table}: a beginning, yours to change.\nversion: 1",
        "" if existing.source else _source_section(source_url),
        "" if existing.receiver else "receivers:\n  screen: {console: {}} # others: slack, pagerduty, webhook",
        _query_section(found),
        _metrics_section(found),
        _subscription_section(found, existing.receiver or "screen"),
    ]
    return {f"{found.prefix}.yaml": "\n\n".join(part for part in parts if part) + "\n"}


@dataclass(frozen=True)
class _Table:
    name: str
    source: str
    dialect: str
    time: str
    is_daily: bool
    values: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def prefix(self) -> str:
        return re.sub(r"\W+", "_", self.name.rpartition(".")[2]).strip("_")[:60] or "table"

    @property
    def query(self) -> str:
        return f"{self.prefix}_{'daily' if self.is_daily else 'hourly'}"


def _table(name: str, columns: Sequence[tuple[str, str]], source: str, dialect_name: str) -> _Table:
    time, is_daily = _time_column(name, columns)
    values: dict[str, str] = {}
    for column, kind in columns:
        if column != time and _has_type(kind, _NUMBER_TYPES) and not _KEY_NAMES.fullmatch(column):
            values.setdefault(_alias(column), column)
    texts = tuple(column for column, kind in columns if column != time and _has_type(kind, _TEXT_TYPES))
    return _Table(name, source, dialect_name, time, is_daily, tuple(values.values()), texts)


def _shape(hour: datetime) -> float:
    of_day = 1 - 0.75 * math.cos((hour.hour - 2) / 24 * 2 * math.pi)
    return of_day * (0.75 if hour.weekday() >= 5 else 1.0)


def _noise(step: int, number: int) -> float:
    """Between −1 and 1, looks random, is not: the same rows for the same hour of the sample."""
    return math.modf(math.sin(step * 12.9898 + number * 78.233) * 43758.5453)[0]


def _time_column(table: str, columns: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """Name of the time column, and whether it holds whole days."""
    typed = [(name, kind) for name, kind in columns if _has_type(kind, _TIME_TYPES)]
    named = [(name, kind) for name, kind in columns if _TIME_NAMES.fullmatch(name) and _has_type(kind, _TEXT_TYPES)]
    if not typed and not named:
        known = ", ".join(f"{name} {kind}" for name, kind in columns) or "no columns"
        raise NoTimeColumn(f"table {table} has no column of a date or time ({known}); write the query by hand")
    name, kind = (typed or named)[0]
    return name, kind.upper() == "DATE"


def _has_type(kind: str, prefixes: tuple[str, ...]) -> bool:
    text = re.sub(r"^(U?BIG|U?SMALL|U?TINY|U|MEDIUM|N)(?=INT|CHAR|VARCHAR|TEXT)", "", kind.upper())
    return text.startswith(prefixes) and not text.startswith("INTERVAL")


def _source_section(url: str) -> str:
    if literal_secrets(url):
        return (
            f"# The address holds a password, so it does not stand here. Set it where metricwatch runs:\n"
            f"#   export {URL_VARIABLE}='{masked(url)}'  (with the password in place of ***)\n"
            f'sources:\n  warehouse: {{url: "${{env:{URL_VARIABLE}}}"}}'
        )
    return f"sources:\n  warehouse: {{url: {json.dumps(url)}}}"


def _query_section(table: _Table) -> str:
    delay = "6h" if table.is_daily else "15m"
    column = _quoted(table.time, table.dialect)
    lines = [f"SELECT {_bucket_start(column, table)} AS time, count(*) AS row_count"]
    lines += [f"     , sum({_quoted(value, table.dialect)}) AS {_alias(value)}" for value in table.values]
    lines.append(f"FROM {'.'.join(_quoted(part, table.dialect) for part in table.name.split('.'))}")
    lines.append(f"WHERE {column} >= :start AND {column} < :end")
    lines.append("GROUP BY 1")
    return "\n".join(
        [
            "queries:",
            f"  {table.query}:",
            f"    source: {_word(table.source)}",
            f"    bucket: {'1d' if table.is_daily else '1h'}",
            f"    delay: {delay} # how long after a bucket closes is it complete?",
            "    sql: |",
            *(f"      {line}" for line in lines),
        ]
    )


def _metrics_section(table: _Table) -> str:
    lines = [f"  {table.prefix}.row_count: {{query: {table.query}, value: row_count, rollup: sum, fill: zero}}"]
    for value in table.values:
        lines.append(f"  {table.prefix}.{_alias(value)}: {{query: {table.query}, value: {_alias(value)}, rollup: sum}}")
    hint = "# Say better: higher or lower and unit: EUR where you know them."
    if table.texts:
        hint += (
            f"\n# A metric for each {table.texts[0]}: select and group by that column in the query, and add\n"
            f"# dimensions: [{_alias(table.texts[0])}] to the metric."
        )
    return "\n".join([hint, "metrics:", *lines])


def _subscription_section(table: _Table, receiver: str) -> str:
    return "\n".join(
        [
            "subscriptions:",
            "  # Who cares about which metrics, how unusual is found, and who is told.",
            f"  {table.prefix}-health:",
            f'    metrics: ["{table.prefix}.*"]',
            "    # owner: {team: growth, slack: S0123ABCD}  # a user (U…) or user-group (S…) id: the mention",
            "    # runbook: https://wiki.example/what-to-do",
            "    detect:",
            "      - seasonal: {} # learns the day and the week; unusual is what is far from it",
            f"      # - threshold: {{metric: {table.prefix}.row_count, below: 1, severity: critical}}",
            "    guard: {min_change: 10%} # nobody is told for less than this",
            f"    notify: {{warning: [{_word(receiver)}]}}",
        ]
    )


def _bucket_start(column: str, table: _Table) -> str:
    if table.is_daily:
        return column
    templates = {
        "sqlite": "strftime('%Y-%m-%d %H:00:00', {})",
        "mysql": "date_format({}, '%Y-%m-%d %H:00:00')",
        "mariadb": "date_format({}, '%Y-%m-%d %H:00:00')",
        "bigquery": "timestamp_trunc({}, HOUR)",
        "mssql": "datetrunc(hour, {})",
        "clickhousedb": "toStartOfHour({})",
    }
    return templates.get(table.dialect, "date_trunc('hour', {})").format(column)


def _quoted(name: str, dialect_name: str) -> str:
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _RESERVED:
        return name
    if dialect_name in ("mysql", "mariadb", "bigquery", "databricks", "clickhousedb"):
        return "`" + name.replace("`", "``") + "`"
    if dialect_name == "mssql":
        return "[" + name.replace("]", "]]") + "]"
    return '"' + name.replace('"', '""') + '"'


def _word(name: str) -> str:
    """A name of the folder as YAML reads it back: text, also where it looks like a number or a truth."""
    is_plain = re.fullmatch(r"[A-Za-z][\w.\-]*", name) and name.lower() not in _YAML_WORDS
    return name if is_plain else json.dumps(name)


def _alias(name: str) -> str:
    """A name of its own for a column, which needs no quotes anywhere."""
    word = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "value"
    return f"value_{word}" if word[0].isdigit() or word in _TAKEN else word
