from __future__ import annotations

import pytest

from config.urls import dialect, literal_secrets, masked, normalised


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://db/shop", "postgresql+psycopg://db/shop"),
        ("postgresql://app@db/shop", "postgresql+psycopg://app@db/shop"),
        ("postgresql+psycopg2://db/shop", "postgresql+psycopg2://db/shop"),
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("duckdb:////var/x.duckdb", "duckdb:////var/x.duckdb"),
        ("mysql+pymysql://db/postgres://", "mysql+pymysql://db/postgres://"),
    ],
)
def test_postgres_means_the_driver_we_ship(url: str, expected: str) -> None:
    assert normalised(url) == expected


@pytest.mark.parametrize(
    ("url", "has_secret"),
    [
        ("postgresql://app@db/shop", False),
        ("postgresql://app:s3cret@db/shop", True),
        ("postgresql://:s3cret@db/shop", True),
        ("postgresql://app:${env:P}@db/shop", False),
        ("postgresql://app:${file:/run/p}@db/shop", False),
        ("postgresql://app:pre${env:P}@db/shop", True),
        ("postgresql://${env:U}:${env:P}@db:5432/shop", False),
        ("snowflake://u@a/db?password=x", True),
        ("trino://u@h/c?access_token=${env:T}", False),
        ("${env:URL}", False),
        ("duckdb:///C:/a@b.duckdb", False),
        ("postgresql://db:5432/shop", False),
    ],
)
def test_only_references_may_hold_a_password(url: str, has_secret: bool) -> None:
    assert literal_secrets(url) is has_secret


@pytest.mark.parametrize(
    "url", ["postgresql://app:canary@db/shop", "postgresql://app:can@ary@db/x", "snowflake://u@a/b?password=canary&x=1"]
)
def test_a_masked_address_shows_no_password(url: str) -> None:
    shown = masked(url)
    assert "can" not in shown
    assert "***" in shown


def test_what_has_no_scheme_has_no_dialect() -> None:
    assert [dialect(text) for text in ("shop", "", "://x", "bigquery://acme", "MYSQL+pymysql://h/d")] == [
        None,
        None,
        None,
        "bigquery",
        "mysql",
    ]
