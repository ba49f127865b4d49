from __future__ import annotations

import pytest

from alerting.warehouse.statements import Style, bare, lint, render

WINDOW = "SELECT at AS time, n FROM t WHERE at >= :start AND at < :end"


@pytest.mark.parametrize(
    ("style", "expected", "edges"),
    [
        ("named", "a >= :start AND b < :end AND c > :start AND d LIKE '5%'", ("start", "end")),
        ("dollar", "a >= $start AND b < $end AND c > $start AND d LIKE '5%'", ("start", "end")),
        ("dollar_number", "a >= $1 AND b < $2 AND c > $1 AND d LIKE '5%'", ("start", "end")),
        ("numeric", "a >= :1 AND b < :2 AND c > :1 AND d LIKE '5%'", ("start", "end")),
        ("qmark", "a >= ? AND b < ? AND c > ? AND d LIKE '5%'", ("start", "end", "start")),
        ("format", "a >= %s AND b < %s AND c > %s AND d LIKE '5%%'", ("start", "end", "start")),
        ("pyformat", "a >= %(start)s AND b < %(end)s AND c > %(start)s AND d LIKE '5%%'", ("start", "end")),
    ],
)
def test_edges_become_the_binds_of_the_driver(style: Style, expected: str, edges: tuple[str, ...]) -> None:
    found = render("a >= :start AND b < :end AND c > :start AND d LIKE '5%'", style)
    assert (found.text, found.edges) == (expected, edges)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ':start', 'it''s :end', \"a:start\", `b:end`",
        "SELECT x::date, y::start, :started, :end_date, :other, a[1:end]",
        "SELECT 1 -- :start\n/* :end\n :start */",
        "SELECT $$ :start $$, $tag$ ' :end $tag$",
        r"SELECT E'\' :start', '\:end'",
        "SELECT '100 %' || x % 2, '{\"a\":1}'",
        "SELECT 'unfinished :start",
    ],
)
def test_all_else_passes_unchanged(sql: str) -> None:
    if "unfinished" in sql:
        assert render(sql, "named").text == sql
    else:
        assert render(sql, "named").edges == ()
        assert render(sql, "dollar_number").text == sql


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 ; ", "SELECT 1"),
        ("SELECT 1; -- done; really\n", "SELECT 1"),
        ("SELECT ';' /* end */ ;;", "SELECT ';'"),
        ("SELECT 1 -- kept\n FROM t", "SELECT 1 -- kept\n FROM t"),
    ],
)
def test_bare_text_can_stand_in_parentheses(sql: str, expected: str) -> None:
    assert bare(sql) == expected


@pytest.mark.parametrize("dialect", ["postgresql", "duckdb", "sqlite", "something-new"])
def test_good_query_has_no_objections(dialect: str) -> None:
    assert lint(WINDOW + ";", dialect) == []
    assert lint(f"WITH x AS ({WINDOW}) SELECT * FROM x -- why\n", dialect) == []


@pytest.mark.parametrize(
    ("sql", "objection"),
    [
        (f"{WINDOW}; DELETE FROM t", "2 statements where one query is expected"),
        ("", "0 statements where one query is expected"),
        ("DELETE FROM t WHERE at >= :start AND at < :end", "DELETE is not a query: begin with SELECT or WITH"),
        (f"WITH d AS (DELETE FROM t RETURNING *) {WINDOW}", "DELETE writes or locks: a metric only reads"),
        (f"{WINDOW} FOR UPDATE", "LOCK writes or locks: a metric only reads"),
        (
            "SELECT at AS time INTO u FROM t WHERE at >= :start AND at < :end",
            "INTO writes or locks: a metric only reads",
        ),
        ("SELECT at AS time FROM t WHERE at >= :start", ":end not used: every pull reads the whole table"),
        ("SELECT at AS time FROM t", ":start and :end not used: every pull reads the whole table"),
        ("SELECT at AS time FROM WHERE (", "the SQL does not parse: "),
    ],
)
def test_lint_names_what_is_wrong(sql: str, objection: str) -> None:
    found = lint(sql, "postgresql")
    assert len(found) == 1
    assert found[0].startswith(objection)
    assert "\x1b" not in found[0]
