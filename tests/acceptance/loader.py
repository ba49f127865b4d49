"""A shop that never closes: loads an order volume into PostgreSQL, second by second, until it is stopped.

Run it as ``python -m tests.acceptance.loader DSN``. ``history`` writes the days before; the row of ``plan`` says when,
and by how much, business drops.
"""

from __future__ import annotations

import math
import sys
import time
from datetime import UTC, datetime, timedelta

import psycopg

TABLES = """
CREATE TABLE orders (created_at timestamptz NOT NULL, quantity double precision NOT NULL);
CREATE INDEX ON orders (created_at);
CREATE TABLE plan (since timestamptz, until timestamptz, factor double precision);
"""


def per_second(moment: datetime) -> float:
    """Orders of one second: a daily rhythm, and a repeatable unevenness of a few percent a minute."""
    day = 1 + 0.3 * math.sin(2 * math.pi * (moment.hour * 60 + moment.minute) / 1440)
    minute = int(moment.timestamp()) // 60
    uneven = ((minute * 2654435761) % 1000) / 1000 - 0.5
    return 5 * day * (1 + 0.06 * uneven)


def history(connection: psycopg.Connection, until: datetime, days: int) -> None:
    """Whole minutes up to ``until``, one row each."""
    start = until - timedelta(days=days)
    minutes = [start + timedelta(minutes=n) for n in range(days * 1440)]
    with connection.cursor().copy("COPY orders (created_at, quantity) FROM STDIN") as copy:
        for minute in minutes:
            copy.write_row((minute, 60 * per_second(minute)))


def second(connection: psycopg.Connection, moment: datetime) -> None:
    """The orders of one second, fewer while a drop is planned."""
    found = connection.execute("SELECT factor FROM plan WHERE since <= %s AND %s < until", (moment, moment)).fetchone()
    factor = found[0] if found else 1.0
    connection.execute("INSERT INTO orders VALUES (%s, %s)", (moment, per_second(moment) * factor))


def main(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        newest = connection.execute("SELECT max(created_at) FROM orders").fetchone()
        assert newest is not None
        moment = newest[0].astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        while True:
            while moment <= datetime.now(UTC):
                second(connection, moment)
                moment += timedelta(seconds=1)
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1])
