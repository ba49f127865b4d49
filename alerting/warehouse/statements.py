"""SQL texts: ``:start`` and ``:end`` become the driver's binds, all else passes unchanged; and a lint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Style = Literal["named", "dollar", "dollar_number", "qmark", "format", "pyformat", "numeric"]
Edge = Literal["start", "end"]

# Strings, quoted names, comments and casts are taken whole, so that a colon in them is never read as a bind.
_TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?\*/ )
  | (?P<verbatim> (?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
      | \$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$ | :: )
  | (?<![\w:]):(?P<edge>start|end)\b
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SQLGLOT_NAMES = {"postgresql": "postgres", "mssql": "tsql", "awsathena": "athena", "clickhousedb": "clickhouse"}


@dataclass(frozen=True)
class Statement:
    """A text in the driver's own style, and the edges it binds, in the order of the placeholders.

    For the styles that bind by name, ``edges`` holds each used edge once.
    """

    text: str
    edges: tuple[Edge, ...]


def render(sql: str, style: Style) -> Statement:
    """The text with ``:start`` and ``:end`` as placeholders of ``style``; ``%`` is doubled where the driver asks.

    >>> render("select ':start', a::date from t where at >= :start", "dollar_number")
    Statement(text="select ':start', a::date from t where at >= $1", edges=('start',))
    """
    doubles = style in ("format", "pyformat")
    edges: list[Edge] = []
    parts: list[str] = []
    for match in _TOKEN.finditer(sql):
        edge = match["edge"]
        if edge is None:
            parts.append(match[0].replace("%", "%%") if doubles else match[0])
            continue
        name: Edge = "start" if edge == "start" else "end"
        if style in ("qmark", "format") or name not in edges:
            edges.append(name)
        parts.append(_placeholder(name, style, edges))
    return Statement("".join(parts), tuple(edges))


def bare(sql: str) -> str:
    """The text without trailing semicolons, blanks and comments: what may stand in parentheses."""
    tokens = list(_TOKEN.finditer(sql))
    while tokens and (tokens[-1]["comment"] or tokens[-1][0] in "; \t\r\n"):
        tokens.pop()
    return "".join(token[0] for token in tokens)


def lint(sql: str, dialect: str) -> list[str]:
    """What a careful reader would object to: not exactly one query, something that writes, no window.

    This is advice for ``check``, not a wall: the wall is a role that can only read. ``dialect`` is SQLAlchemy's name.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse(sql, read=_sqlglot_name(dialect))
    except SqlglotError as exc:
        return [f"the SQL does not parse: {_first_line(exc)}"]
    trees = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(trees) != 1:
        return [f"{len(trees)} statements where one query is expected"]
    problems = []
    if not isinstance(trees[0], exp.Query):
        problems.append(f"{trees[0].key.upper()} is not a query: begin with SELECT or WITH")
    writes = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.Into, exp.Lock,
              exp.Copy, exp.Command, exp.TruncateTable)  # fmt: skip
    for node in trees[0].find_all(*writes):
        if node is not trees[0]:
            problems.append(f"{node.key.upper()} writes or locks: a metric only reads")
    missing = [f":{edge}" for edge in ("start", "end") if edge not in render(sql, "named").edges]
    if missing:
        problems.append(f"{' and '.join(missing)} not used: every pull reads the whole table")
    return problems


def _placeholder(name: Edge, style: Style, edges: list[Edge]) -> str:
    match style:
        case "named":
            return f":{name}"
        case "dollar":
            return f"${name}"
        case "dollar_number":
            return f"${edges.index(name) + 1}"
        case "qmark":
            return "?"
        case "format":
            return "%s"
        case "pyformat":
            return f"%({name})s"
        case "numeric":
            return f":{edges.index(name) + 1}"


def _sqlglot_name(dialect: str) -> str | None:
    from sqlglot.dialects.dialect import Dialect

    name = _SQLGLOT_NAMES.get(dialect, dialect)
    return name if Dialect.get(name) else None


def _first_line(exc: Exception) -> str:
    # The parser underlines the place with terminal codes.
    return re.sub(r"\x1b\[\d+m", "", str(exc)).splitlines()[0].rstrip(". ")
