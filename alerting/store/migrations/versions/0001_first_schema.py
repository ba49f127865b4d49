"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_OPEN = "status IN ('firing', 'recovering')"
_VECTORS = (
    ("points", "vector"),
    ("point_chunks", "packed"),
    ("verdicts", "expected"),
    ("verdicts", "lower"),
    ("verdicts", "upper"),
    ("verdicts", "score"),
)


def upgrade() -> None:
    _points()
    _judgements()
    _incidents()
    _groups()
    _deliveries()
    _configuration()
    if op.get_bind().dialect.name == "postgresql":
        for table, column in _VECTORS:  # float noise does not shrink: do not even try to compress it
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _points() -> None:
    op.create_table(
        "point_keys",
        _text("digest"),
        _number("number"),
        _text("value"),
        _text("dimensions"),
        sa.PrimaryKeyConstraint("digest", "number", name="pk_point_keys"),
    )
    op.create_index("ux_point_keys", "point_keys", ["digest", "value", "dimensions"], unique=True)
    op.create_table(
        "points",
        _text("digest"),
        _micros("bucket"),
        _micros("seen"),
        _vector("vector"),
        sa.PrimaryKeyConstraint("digest", "bucket", "seen", name="pk_points"),
    )
    op.create_table(
        "point_chunks",
        _text("digest"),
        _number("week"),
        _number("part"),
        _micros("first"),
        _micros("last"),
        _number("versions"),
        _number("width"),
        _vector("packed"),
        sa.PrimaryKeyConstraint("digest", "week", "part", name="pk_point_chunks"),
    )


def _judgements() -> None:
    op.create_table(
        "watches",
        _text("subscription"),
        _text("entry"),
        _text("metric"),
        _instant("added"),
        _instant("judged_until", nullable=True),
        _vector("state"),
        _text("labels"),
        sa.PrimaryKeyConstraint("subscription", "entry", "metric", name="pk_watches"),
    )
    op.create_table(
        "verdicts",
        _text("subscription"),
        _text("entry"),
        _text("metric"),
        _micros("bucket"),
        _vector("expected", nullable=True),
        _vector("lower", nullable=True),
        _vector("upper", nullable=True),
        _vector("score", nullable=True),
        _vector("status"),
        sa.PrimaryKeyConstraint("subscription", "entry", "metric", "bucket", name="pk_verdicts"),
    )
    op.create_table(
        "series_states",
        _text("subject"),
        _text("fingerprint"),
        _text("metric"),
        _text("labels"),
        _text("status"),
        _instant("since"),
        _instant("last"),
        _number("streak"),
        _number("episodes"),
        _text("first_pending", nullable=True),
        sa.PrimaryKeyConstraint("subject", "fingerprint", name="pk_series_states"),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        _text("id"),
        _text("subject"),
        _text("fingerprint"),
        _text("kind"),
        _text("metric"),
        _text("labels"),
        _text("status"),
        _text("severity"),
        _instant("opened"),
        _instant("detected"),
        _instant("resolved", nullable=True),
        _text("cause"),
        _text("first"),
        _text("last"),
        _text("worst"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_detected", "incidents", ["detected"])
    op.create_index(
        "ux_incidents_open",
        "incidents",
        ["subject", "fingerprint"],
        unique=True,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        _text("subject"),
        _text("fingerprint"),
        _text("before"),
        _text("after"),
        _instant("at"),
        _text("reading"),
        _text("cause"),
        _text("incident_id", nullable=True),
        _text("incident", nullable=True),
        _claim("severity_rose"),
        sa.PrimaryKeyConstraint("id", name="pk_transitions"),
    )
    op.create_index("ix_transitions_incident_id", "transitions", ["incident_id"])
    op.create_index("ix_transitions_series", "transitions", ["subject", "fingerprint", "at"])


def _groups() -> None:
    op.create_table(
        "groups",
        _text("id"),
        _text("receiver"),
        _text("key"),
        _text("subject"),
        _instant("opened"),
        _text("severity_told"),
        _number("sequence"),
        _instant("flushed", nullable=True),
        _instant("closed", nullable=True),
        _text("remote_id", nullable=True),
        _number("sent_version"),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
    )
    op.create_index("ix_groups_closed", "groups", ["closed"])
    op.create_table(
        "group_members",
        _text("group_id"),
        _text("incident_id"),
        _number("place"),
        sa.PrimaryKeyConstraint("group_id", "incident_id", name="pk_group_members"),
    )
    op.create_index("ix_group_members_incident_id", "group_members", ["incident_id"])


def _deliveries() -> None:
    op.create_table(
        "outbox",
        _text("delivery_id"),
        _text("receiver"),
        _text("group_id"),
        _number("sequence"),
        _text("kind"),
        _text("payload"),
        _text("why"),
        _text("state"),
        _text("reason"),
        _instant("created"),
        _instant("due"),
        _instant("not_before"),
        _number("attempt"),
        _instant("first_attempt", nullable=True),
        _instant("lease_until", nullable=True),
        _number("term"),
        _claim("is_doubtful"),
        _claim("is_closing"),
        _text("remote_id", nullable=True),
        _instant("settled", nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_due", "outbox", ["receiver", "state", "not_before"])
    op.create_index("ux_outbox_sequence", "outbox", ["receiver", "group_id", "sequence"], unique=True)
    op.create_table(
        "receivers",
        _text("name"),
        _instant("wait_until", nullable=True),
        _text("trouble", nullable=True),
        _instant("since", nullable=True),
        _instant("probe_at", nullable=True),
        _text("reason"),
        sa.PrimaryKeyConstraint("name", name="pk_receivers"),
    )


def _configuration() -> None:
    op.create_table(
        "config_files",
        _text("path"),
        _text("text"),
        _text("digest"),
        _instant("loaded_at"),
        _text("error"),
        sa.PrimaryKeyConstraint("path", name="pk_config_files"),
    )
    op.create_table(
        "query_states",
        _text("name"),
        _text("digest"),
        _instant("added"),
        _instant("watermark", nullable=True),
        _instant("backfilled", nullable=True),
        _instant("newest", nullable=True),
        _instant("restated", nullable=True),
        _instant("attempted", nullable=True),
        _instant("succeeded", nullable=True),
        _number("failures"),
        _text("error"),
        _text("columns"),
        _text("schema_change"),
        sa.PrimaryKeyConstraint("name", "digest", name="pk_query_states"),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _vector(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _micros(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _claim(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), nullable=False)
