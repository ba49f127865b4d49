"""Fallback receivers: who is told instead of a receiver, and which groups stand in for another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from alerting.store.types import Words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("groups", sa.Column("origin", sa.Text()))
    op.create_index("ix_groups_origin", "groups", ["origin"])
    op.add_column("receivers", sa.Column("fallback", Words()))
