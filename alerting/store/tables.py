"""The tables. ``migrations/versions`` brings a database here; a test compares the two.

Buckets of points and verdicts are whole microseconds since 1970 (UTC): they are read by the ten thousand. All other
instants are timestamps. JSON is ASCII text that ``encoding`` writes, because PostgreSQL's JSON refuses NUL and NaN.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)

from alerting.store.types import Utc, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

OPEN_INCIDENT = "status IN ('firing', 'recovering')"

# One number per value column and combination of dimensions (both JSON: names keep what a database would refuse),
# append-only within a query digest: the place in vectors.
point_keys = Table(
    "point_keys",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Column("dimensions", Text, nullable=False),
    Index("ux_point_keys", "digest", "value", "dimensions", unique=True),
)

# One version of one bucket: the float64 vector of all series, NaN = no reading, and when it was first seen.
points = Table(
    "points",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("seen", BigInteger, primary_key=True, autoincrement=False),
    Column("vector", LargeBinary, nullable=False),
)

# All versions of one week of old buckets, compressed, in parts of some hundred series each.
point_chunks = Table(
    "point_chunks",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("week", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("versions", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)

query_states = Table(
    "query_states",
    metadata,
    Column("name", Words, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("added", Utc, nullable=False),
    Column("watermark", Utc),
    Column("backfilled", Utc),
    Column("newest", Utc),
    Column("restated", Utc),
    Column("attempted", Utc),
    Column("succeeded", Utc),
    Column("failures", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("columns", Text, nullable=False),
    Column("schema_change", Words, nullable=False),
)

# What the answered pulls of one hour took; ``last_…`` what those of its newest evaluation (``at``) took.
pull_costs = Table(
    "pull_costs",
    metadata,
    Column("query", Words, primary_key=True),
    Column("hour", Utc, primary_key=True),
    Column("pulls", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("at", Utc, nullable=False),
    Column("last_pulls", Integer, nullable=False),
    Column("last_rows", BigInteger, nullable=False),
    Column("last_seconds", Double, nullable=False),
)

watches = Table(
    "watches",
    metadata,
    Column("subscription", Words, primary_key=True),
    Column("entry", Words, primary_key=True),
    Column("metric", Words, primary_key=True),
    Column("added", Utc, nullable=False),
    Column("judged_until", Utc),
    Column("state", LargeBinary, nullable=False),
    Column("labels", Text, nullable=False),
)

# What one detect entry said of one bucket: vectors in the order of the watch's labels. NULL = nothing but NaN.
verdicts = Table(
    "verdicts",
    metadata,
    Column("subscription", Words, primary_key=True),
    Column("entry", Words, primary_key=True),
    Column("metric", Words, primary_key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("expected", LargeBinary),
    Column("lower", LargeBinary),
    Column("upper", LargeBinary),
    Column("score", LargeBinary),
    Column("status", LargeBinary, nullable=False),
)

series_states = Table(
    "series_states",
    metadata,
    Column("subject", Words, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("metric", Words, nullable=False),
    Column("labels", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("since", Utc, nullable=False),
    Column("last", Utc, nullable=False),
    Column("streak", Integer, nullable=False),
    Column("episodes", Integer, nullable=False),
    Column("first_pending", Text),
    Column("changes", Text, nullable=False, server_default="[]"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Words, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("metric", Words, nullable=False),
    Column("labels", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("opened", Utc, nullable=False),
    Column("detected", Utc, nullable=False, index=True),
    Column("resolved", Utc),
    Column("cause", Words, nullable=False),
    Column("first", Text, nullable=False),
    Column("last", Text, nullable=False),
    Column("worst", Text, nullable=False),
    Column("flapping", Boolean, nullable=False, server_default=false()),
    Index(
        "ux_incidents_open",
        "subject",
        "fingerprint",
        unique=True,
        sqlite_where=text(OPEN_INCIDENT),
        postgresql_where=text(OPEN_INCIDENT),
    ),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("subject", Words, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("reading", Text, nullable=False),
    Column("cause", Words, nullable=False),
    Column("incident_id", Text, index=True),
    Column("incident", Text),
    Column("severity_rose", Boolean, nullable=False),
    Column("began_flapping", Boolean, nullable=False, server_default=false()),
    Index("ix_transitions_series", "subject", "fingerprint", "at"),
)

# ``origin``: the group that this one stands in for, told to the fallback of a receiver that is out of order.
groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("receiver", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("opened", Utc, nullable=False),
    Column("severity_told", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("flushed", Utc),
    Column("closed", Utc, index=True),
    Column("remote_id", Words),
    Column("sent_version", Integer, nullable=False),
    Column("origin", Text, index=True),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("incident_id", Text, primary_key=True, index=True),
    Column("place", Integer, nullable=False),
)

# ``why`` a delivery is owed and when it is ``due``; ``reason`` what became of it and ``not_before`` when it is tried
# next. ``is_doubtful``: an attempt ended without a known outcome.
outbox = Table(
    "outbox",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("receiver", Words, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("why", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("created", Utc, nullable=False),
    Column("due", Utc, nullable=False),
    Column("not_before", Utc, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("first_attempt", Utc),
    Column("lease_until", Utc),
    Column("term", Integer, nullable=False),
    Column("is_doubtful", Boolean, nullable=False),
    Column("is_closing", Boolean, nullable=False),
    Column("remote_id", Words),
    Column("settled", Utc),
    Index("ux_outbox_sequence", "receiver", "group_id", "sequence", unique=True),
    Index("ix_outbox_due", "receiver", "state", "not_before"),
)

# What delivery knows of a receiver beyond its rows: until when it asked us to wait, whether it is out of order, and
# which receiver is told instead while it is.
receivers = Table(
    "receivers",
    metadata,
    Column("name", Words, primary_key=True),
    Column("wait_until", Utc),
    Column("trouble", Text),
    Column("since", Utc),
    Column("probe_at", Utc),
    Column("reason", Words, nullable=False),
    Column("fallback", Words),
)

config_files = Table(
    "config_files",
    metadata,
    Column("path", Words, primary_key=True),
    Column("text", Words, nullable=False),
    Column("digest", Text, nullable=False),
    Column("loaded_at", Utc, nullable=False),
    Column("error", Words, nullable=False),
)

# ``told_end``: when whoever was owed something heard that the silence ended; until then it holds.
silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("starts", Utc, nullable=False),
    Column("ends", Utc, nullable=False),
    Column("author", Words, nullable=False),
    Column("comment", Words, nullable=False),
    Column("created", Utc, nullable=False),
    Column("expired_by", Words, nullable=False),
    Column("told_end", Utc, index=True),
)

# The audit log: what people did, the ids of the incidents as JSON.
actions = Table(
    "actions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Utc, nullable=False, index=True),
    Column("by", Words, nullable=False),
    Column("via", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Words, nullable=False),
    Column("comment", Words, nullable=False),
    Column("incidents", Text, nullable=False),
)

# What happens to an incident once, whoever does it: acknowledged, labelled, resolved.
action_incidents = Table(
    "action_incidents",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("action_id", Text, nullable=False, index=True),
)
