"""What pulling costs, by query and hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from alerting.store.types import Utc, Words

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "pull_costs",
        sa.Column("query", Words(), primary_key=True),
        sa.Column("hour", Utc(), primary_key=True),
        sa.Column("pulls", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("last_pulls", sa.Integer(), nullable=False),
        sa.Column("last_rows", sa.BigInteger(), nullable=False),
        sa.Column("last_seconds", sa.Double(), nullable=False),
    )
