"""Sources, queries and metrics: from entries to the model, one by one, then against each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from config.documents import MetricDocument, QueryDocument, SourceDocument
from config.model import Late, Metric, OnError, Query, Restate, Source
from config.nodes import Node, nearest
from config.problems import Problem, suggestion
from config.secrets import MissingSecret, Secret
from config.sections import Sections, laid_over
from config.urls import dialect, literal_secrets
from config.validation import checked, is_absent, missing
from detectors.buckets import Bucket

_OWN_QUERY = set(QueryDocument.model_fields) - {"template", "max_series"}
_EDGES = (":start", ":end")


@dataclass(frozen=True)
class Written:
    """Everything that is written, whether or not it can be read, and what surrounds it."""

    sections: Sections
    sql_files: Mapping[str, str]
    environment: Mapping[str, str]
    lost: frozenset[str] = frozenset()
    """Words that look like keys in files that are no YAML: names that are perhaps defined there."""

    def nodes(self, section: str) -> Mapping[str, Node]:
        return self.sections.entries[section]

    @cached_property
    def tags(self) -> Mapping[str, frozenset[str]]:
        """The tags of each metric, those of its template included."""
        found = {}
        for name, entry in self.nodes("metrics").items():
            node = laid_over(self.sections, "metrics", entry)[0] if entry.entries else entry
            items = node.entries["tags"].items if "tags" in node.entries else ()
            found[name] = frozenset(item.content for item in items if isinstance(item.content, str))
        return found

    def may_name(self, section: str, name: str) -> bool:
        """False where the name is surely a mistake: one broken file is one mistake, not one for each reference."""
        return name in self.nodes(section) or name in self.lost


@dataclass
class Pulls:
    """What warehouses are asked for. Entries with a mistake are left out and told in ``problems``."""

    sources: dict[str, Source] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def pulls(written: Written) -> Pulls:
    """Every source, query and metric that can be used."""
    found = Pulls()
    for name, node in written.nodes("sources").items():
        _add_source(found, name, node, written)
    for name, entry in written.nodes("queries").items():
        if (query := _laid_over(found, written, "queries", entry)) is not None:
            _add_query(found, name, query, written)
    for name, entry in written.nodes("metrics").items():
        if (metric := _laid_over(found, written, "metrics", entry)) is not None:
            _add_metric(found, name, metric, written)
    return found


def unknown_receivers(node: Node, location: tuple[str, ...], told: list[str], written: Written) -> list[Problem]:
    """Names in a list of receivers that no receiver has."""
    known = written.nodes("receivers")
    return [
        nearest(node, (*location, index))[0].problem(f"no receiver is called {name!r}{suggestion(name, known)}")
        for index, name in enumerate(told)
        if not written.may_name("receivers", name)
    ]


def unset_references(node: Node, secret: Secret, environment: Mapping[str, str]) -> list[Problem]:
    """A warning only: the machine that checks is often not the one that runs."""
    problems = []
    for kind, name in secret.references:
        try:
            Secret(f"${{{kind}:{name}}}").reveal(environment)
        except MissingSecret as exc:
            problems.append(node.problem(str(exc), is_warning=True))
    return problems


def is_faulty(problems: list[Problem]) -> bool:
    return any(not problem.is_warning for problem in problems)


def _laid_over(found: Pulls, written: Written, section: str, entry: Node) -> Node | None:
    if entry.content is None:  # already told: it is no mapping
        return None
    node, problems = laid_over(written.sections, section, entry)
    found.problems.extend(problems)
    return node


def _add_source(found: Pulls, name: str, node: Node, written: Written) -> None:
    if node.content is None:
        return
    read = checked(SourceDocument, node)
    problems = list(read.problems)
    if is_absent(SourceDocument, node, "url"):
        problems.append(missing(node, "url"))
    elif read.document is not None and read.document.url is not None:
        problems.extend(_url_problems(node.entries["url"], read.document.url, written.environment))
    found.problems.extend(problems)
    document = read.document
    if document is not None and document.url is not None and not is_faulty(problems):
        timeout = document.timeout or timedelta(seconds=60)
        found.sources[name] = Source(name, Secret(document.url), document.concurrency, timeout, document.naive_time)


def _url_problems(node: Node, url: str, environment: Mapping[str, str]) -> list[Problem]:
    if literal_secrets(url):
        return [node.problem("holds a password: write ${env:NAME} or ${file:PATH} in its place")]
    if "${" in url and not Secret(url).references:
        return [node.problem("a reference is written ${env:NAME} or ${file:PATH}")]
    if not Secret(url).references and dialect(url) is None:
        return [node.problem("should be an address such as postgresql://user@host/database or duckdb:///file.duckdb")]
    return unset_references(node, Secret(url), environment)


def _add_query(found: Pulls, name: str, node: Node, written: Written) -> None:
    read = checked(QueryDocument, node)
    if read.document is None:
        found.problems.extend(read.problems)
        return
    sql, wrong = _sql(node, read.document, written)
    problems = [*read.problems, *_query_problems(node, read.document, written), *wrong]
    found.problems.extend(problems)
    if sql is not None and not is_faulty(problems):
        found.queries[name] = _query(name, read.document, sql)


def _query(name: str, document: QueryDocument, sql: str) -> Query:
    restate, late, on_error = document.restate, document.late, document.on_error
    assert document.bucket is not None
    assert document.source is not None
    return Query(
        name=name,
        source=document.source,
        sql=sql,
        bucket=Bucket.parse(document.bucket),
        timezone=document.timezone or "UTC",
        delay=document.delay or timedelta(0),
        restate=Restate(restate.window, restate.every) if restate and restate.window and restate.every else None,
        late=Late(late.warning, late.critical) if late and (late.warning or late.critical) else None,
        history=document.history or timedelta(days=400),
        max_series=document.max_series or 1000,
        on_error=OnError(on_error.after, tuple(on_error.notify)) if on_error else OnError(),
    )


def _query_problems(node: Node, document: QueryDocument, written: Written) -> list[Problem]:
    sources = written.nodes("sources")
    problems = []
    if is_absent(QueryDocument, node, "source"):
        problems.append(missing(node, "source", f"is missing{suggestion('', sources)}"))
    elif document.source is not None and not written.may_name("sources", document.source):
        hint = suggestion(document.source, sources)
        problems.append(node.entries["source"].problem(f"no source is called {document.source!r}{hint}"))
    if is_absent(QueryDocument, node, "bucket"):
        problems.append(missing(node, "bucket", "is missing: how wide is a point? (15m, 1h, 1d)"))
    problems.extend(_span_problems(node, document))
    if document.on_error is not None:
        problems.extend(unknown_receivers(node, ("on_error", "notify"), document.on_error.notify, written))
    return problems


def _span_problems(node: Node, document: QueryDocument) -> list[Problem]:
    problems = []
    restate, late = document.restate, document.late
    if restate and not (restate.window and restate.every):
        absent = "every" if restate.window else "window"
        problems.append(missing(node.entries["restate"], absent))
    if late and late.warning and late.critical and late.warning >= late.critical:
        problems.append(node.entries["late"].problem("warning should come before critical"))
    if document.bucket and document.history and document.history < 2 * Bucket.parse(document.bucket).nominal:
        problems.append(node.entries["history"].problem(f"is shorter than two buckets of {document.bucket}"))
    return problems


def _sql(node: Node, document: QueryDocument, written: Written) -> tuple[str | None, list[Problem]]:
    has_sql, has_file = (not is_absent(QueryDocument, node, key) for key in ("sql", "sql_file"))
    if document.sql is not None and document.sql_file is not None:
        return None, [node.entries["sql_file"].problem("sql and sql_file are both given; keep one", at_key=True)]
    if document.sql is not None:
        return document.sql, _edge_problems(node.entries["sql"], document.sql)
    if document.sql_file is None:
        return None, [] if has_sql or has_file else [missing(node, "sql", "is missing (or sql_file)")]
    place = node.entries["sql_file"]
    text = written.sql_files.get(document.sql_file.removeprefix("./"))
    if text is None:
        hint = suggestion(document.sql_file, written.sql_files) if written.sql_files else ""
        return None, [place.problem(f"there is no file {document.sql_file!r} (ending in .sql) in this folder{hint}")]
    return text, _edge_problems(place, text)


def _edge_problems(place: Node, sql: str) -> list[Problem]:
    absent = [edge for edge in _EDGES if not re.search(rf"(?<!:){edge}\b", sql)]
    if not absent:
        return []
    message = f"the SQL does not use {' and '.join(absent)}: every pull reads the whole table"
    return [place.problem(message, is_warning=True)]


def _add_metric(found: Pulls, name: str, node: Node, written: Written) -> None:
    read = checked(MetricDocument, node)
    document = read.document
    if document is None:
        found.problems.extend(read.problems)
        return
    problems = [*read.problems, *_metric_problems(node, document)]
    is_own_query = is_absent(MetricDocument, node, "query") and "ratio" not in node.entries
    if document.query is not None:
        problems.extend(_query_reference_problems(node, document.query, written))
    elif is_own_query and name in written.nodes("queries"):
        problems.append(node.problem("brings a query of its own, whose name is taken by a query", at_key=True))
    found.problems.extend(problems)
    if is_own_query:
        _add_query(found, name, node.only(set(QueryDocument.model_fields)), written)
    query = document.query or name
    if document.value is not None and not is_faulty(problems):
        found.metrics[name] = _metric(name, query, document.value, document)


def _metric(name: str, query: str, value: str, document: MetricDocument) -> Metric:
    return Metric(
        name=name,
        query=query,
        value=value,
        dimensions=tuple(document.dimensions or ()),
        rollup=document.rollup,
        total=bool(document.total),
        fill=document.fill,
        better=document.better,
        unit=document.unit,
        tags=tuple(document.tags or ()),
        max_series=document.max_series or 1000,
    )


def _query_reference_problems(node: Node, query: str, written: Written) -> list[Problem]:
    own = [key for key in node.entries if key in _OWN_QUERY]
    if own:
        message = f"stands beside query: a metric names a query or brings its own ({', '.join(own)})"
        return [node.entries[own[0]].problem(message, at_key=True)]
    if not written.may_name("queries", query):
        hint = suggestion(query, written.nodes("queries"))
        return [node.entries["query"].problem(f"no query is called {query!r}{hint}")]
    return []


def _metric_problems(node: Node, document: MetricDocument) -> list[Problem]:
    if is_absent(MetricDocument, node, "value") and "ratio" not in node.entries:
        return [missing(node, "value", "is missing: which column holds the values?")]
    dimensions, value = document.dimensions or [], document.value or ""
    if value.lower() == "time" or value in dimensions:
        return [node.entries["value"].problem(f"{value!r} is a time or dimension column, not the values")]
    repeated = sorted({name for name in dimensions if dimensions.count(name) > 1})
    if repeated:
        return [node.entries["dimensions"].problem(f"names {repeated[0]!r} twice")]
    if document.total and dimensions and document.rollup is None:
        return [missing(node, "rollup", "is missing: how are the series added up to the total?")]
    return []
