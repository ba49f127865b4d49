"""The commands one uses while writing YAML: ``init``, ``check``, ``schema``."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from config.folder import read_folder
from config.loader import Loaded, load
from config.model import Config
from config.plug_ins import PlugIns
from config.problems import suggestion
from config.schema import json_schema
from config.secrets import MissingSecret, Secret
from config.starter import SAMPLE_URL, Existing, from_table, sample_rows, starter
from config.urls import dialect, masked, normalised

if TYPE_CHECKING:
    from sqlalchemy import Engine

Doubts = Callable[[Config], Sequence[str]]
"""What else may be wrong with a configuration: a line for each finding."""
Command = Callable[..., None]


@dataclass(frozen=True)
class Trial:
    """What came of a test message to one receiver; ``failure`` empty: it arrived and is marked as over."""

    receiver: str
    failure: str

    def __str__(self) -> str:
        return f"receiver {self.receiver}: {self.failure or 'told, and marked as over'}"


Trials = Callable[[Config, Sequence[str]], Iterable[Trial]]

ConfigOption = Annotated[
    Path, typer.Option("--config", envvar="METRICWATCH_CONFIG", help="folder of YAML files", show_default="metrics")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object")]
_DEFAULT_FOLDER = Path("metrics")


class CannotBegin(Exception):
    """A first folder cannot be written; the message says why, without a password."""


def check_with(
    *,
    connect_problems: Doubts | None = None,
    sql_problems: Doubts | None = None,
    send_trials: Trials | None = None,
    plug_ins: PlugIns = PlugIns(),
) -> Command:
    """The command ``check`` with the questions that only a warehouse room and the receivers can answer."""

    def check(
        receivers: Annotated[list[str] | None, typer.Argument(help="with --send-test: these (default: all)")] = None,
        config: ConfigOption = _DEFAULT_FOLDER,
        connect: Annotated[bool, typer.Option("--connect", help="also ask the warehouses")] = False,
        send_test: Annotated[bool, typer.Option("--send-test", help="send each receiver a test message")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Says what is wrong with the configuration: a line for each mistake, with file, line and column."""
        if (connect and connect_problems is None) or (send_test and send_trials is None):
            _fail(f"check --{'connect' if connect else 'send-test'} is not available in this installation", 2)
        loaded = load(config, plug_ins=plug_ins)
        _check_receivers(loaded, receivers or [], send_test)
        found: list[str] = []
        if not loaded.errors:
            for doubts in (sql_problems, connect_problems if connect else None):
                found.extend(doubts(loaded.config) if doubts else ())
        stop = bool(loaded.errors or found)
        trials = list(send_trials(loaded.config, receivers or [])) if send_test and send_trials and not stop else []
        _print_findings(loaded, found, trials, as_json=as_json)
        raise typer.Exit(1 if loaded.errors or found or any(trial.failure for trial in trials) else 0)

    return check


check = check_with()


def schema() -> None:
    """Prints the JSON Schema of the YAML files, for editors and other tools."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # noqa: T201  # the result itself, unwrapped


def init_with(*, plug_ins: PlugIns = PlugIns()) -> Command:
    """The command ``init``, which reads the folder that is there with these plug-ins."""

    def init(
        config: ConfigOption = _DEFAULT_FOLDER,
        source: Annotated[str | None, typer.Option(help="address of a warehouse, or ${env:NAME}")] = None,
        table: Annotated[str | None, typer.Option(help="table or view to start from, such as public.orders")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Writes a first folder: from a table, or a sample shop that runs at once. Never overwrites a file."""
        if (source is None) != (table is None):
            _fail("--source and --table belong together", 2)
        try:
            if source is None or table is None:
                written = [*_write(config, starter()), *_write_sample(Path(SAMPLE_URL.removeprefix("sqlite:///")))]
            else:
                written = _write(config, _texts_of_table(config, source, table, plug_ins))
        except (CannotBegin, MissingSecret, ValueError) as exc:
            _fail(str(exc), 1)
        except OSError as exc:
            _fail(f"{exc.filename or config} cannot be written: {exc.strerror}", 1)
        _print_written(written, config, as_json=as_json)

    return init


init = init_with()


def _write(folder: Path, texts: Mapping[str, str]) -> list[str]:
    for path in texts:
        if (folder / path).exists():
            raise CannotBegin(f"{folder / path} is already there; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        with (folder / path).open("x", encoding="utf-8") as file:
            file.write(text)
    return [str(folder / path) for path in texts]


def _check_receivers(loaded: Loaded, named: Sequence[str], send_test: bool) -> None:
    if named and not send_test:
        _fail("receivers are named for --send-test only", 2)
    if send_test and loaded.errors:
        return  # the mistakes are told; nobody is sent a test of a configuration that is not what it will be
    for name in named:
        if name not in loaded.config.receivers:
            _fail(f"no receiver is called {name!r}{suggestion(name, loaded.config.receivers)}", 2)


def _print_findings(loaded: Loaded, found: Sequence[str], trials: Sequence[Trial], *, as_json: bool) -> None:
    if as_json:
        findings = {**_findings(loaded, found), **({"trials": [vars(one) for one in trials]} if trials else {})}
        print(json.dumps(findings, indent=2, ensure_ascii=False))  # noqa: T201  # the result itself
        return
    for line in [*map(str, loaded.problems), *found, *map(str, trials)]:
        print(line)  # noqa: T201  # one line per problem, never wrapped
    if not loaded.errors and not found:
        config = loaded.config
        typer.echo(
            f"ok: {len(config.sources)} sources, {len(config.queries)} queries, {len(config.metrics)} metrics, "
            f"{len(config.subscriptions)} subscriptions, {len(config.receivers)} receivers"
        )


def _findings(loaded: Loaded, found: Sequence[str]) -> Mapping[str, object]:
    problems: list[Mapping[str, object]] = [
        {
            "file": problem.path,
            "line": problem.line or None,
            "column": problem.column or None,
            "key": problem.key,
            "message": problem.message,
            "severity": "warning" if problem.is_warning else "error",
        }
        for problem in loaded.problems
    ]
    problems += [
        {"file": None, "line": None, "column": None, "key": "", "message": text, "severity": "error"} for text in found
    ]
    config = loaded.config
    counts = {
        name: len(getattr(config, name)) for name in ("sources", "queries", "metrics", "subscriptions", "receivers")
    }
    return {"valid": not loaded.errors and not found, "problems": problems, **counts}


def _print_written(written: Sequence[str], folder: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"written": list(written)}, indent=2))  # noqa: T201  # the result itself
        return
    for path in written:
        typer.echo(f"wrote {path}")
    option = "" if folder == _DEFAULT_FOLDER else f" --config {folder}"
    typer.echo(f"next: metricwatch check{option}, then metricwatch run{option}")


def _texts_of_table(folder: Path, source: str, table: str, plug_ins: PlugIns) -> dict[str, str]:
    revealed = normalised(Secret(source).reveal())
    existing = _existing(folder, source, plug_ins)
    return from_table(source, table, _columns(revealed, table), existing=existing, dialect_name=dialect(revealed))


def _existing(folder: Path, source: str, plug_ins: PlugIns) -> Existing:
    """What the folder has already. Raises CannotBegin where that cannot be known."""
    if not read_folder(folder).texts:
        return Existing()
    found = load(folder, plug_ins=plug_ins)
    if found.errors:
        raise CannotBegin(f"{folder} has mistakes, first of all {found.errors[0]}; see: metricwatch check")
    sources = [name for name, known in found.config.sources.items() if known.url.written == source]
    return Existing(next(iter(sources), None), next(iter(found.config.receivers), None))


def _columns(url: str, table: str) -> list[tuple[str, str]]:
    """Names and types of a table's columns. Raises CannotBegin."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    _refuse_missing_file(url)
    schema_name, _, name = table.rpartition(".")
    try:
        engine: Engine = create_engine(url, poolclass=NullPool)
        columns = inspect(engine).get_columns(name, schema=schema_name or None)
    except NoSuchTableError:
        raise CannotBegin(f"there is no table {table!r} at {masked(url)}") from None
    except (NoSuchModuleError, ImportError) as exc:
        raise CannotBegin(f"no driver for {dialect(url)!r} is installed: {exc}") from None
    except ArgumentError:
        raise CannotBegin(f"{masked(url)!r} is not an address such as postgresql://user@host/database") from None
    except SQLAlchemyError as exc:
        raise CannotBegin(f"{masked(url)} cannot be read: {_cause(exc, url)}") from None
    return [(str(column["name"]), str(column["type"])) for column in columns]


def _refuse_missing_file(url: str) -> None:
    # Connecting would make an empty database there, and the message would be about a table.
    for scheme in ("sqlite:///", "duckdb:///"):
        path = url.removeprefix(scheme).partition("?")[0]
        if url.startswith(scheme) and path not in ("", ":memory:") and not Path(path).exists():
            raise CannotBegin(f"there is no file {path} (a relative path begins at the working directory)")


def _cause(exc: Exception, url: str) -> str:
    text = (str(getattr(exc, "orig", None) or exc).strip().splitlines() or [type(exc).__name__])[0]
    return text.replace(url, masked(url))


def _write_sample(path: Path) -> list[str]:
    """Makes the sample shop; a file that is already there is kept."""
    if path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders_by_hour (hour TEXT, country TEXT, orders INTEGER, revenue REAL)")
        connection.executemany("INSERT INTO orders_by_hour VALUES (?, ?, ?, ?)", sample_rows(datetime.now(UTC)))
    return [str(path)]


def _fail(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)  # noqa: T201  # errors go to stderr
    raise typer.Exit(code)
