"""Silences, and the audit log of what people did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "silences",
        _text("id"),
        _text("matchers"),
        _instant("starts"),
        _instant("ends"),
        _text("author"),
        _text("comment"),
        _instant("created"),
        _text("expired_by"),
        _instant("told_end", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_index("ix_silences_told_end", "silences", ["told_end"])
    op.create_table(
        "actions",
        _text("id"),
        _instant("at"),
        _text("by"),
        _text("via"),
        _text("kind"),
        _text("target"),
        _text("comment"),
        _text("incidents"),
        sa.PrimaryKeyConstraint("id", name="pk_actions"),
    )
    op.create_index("ix_actions_at", "actions", ["at"])
    op.create_table(
        "action_incidents",
        _text("incident_id"),
        _text("kind"),
        _text("action_id"),
        sa.PrimaryKeyConstraint("incident_id", "kind", name="pk_action_incidents"),
    )
    op.create_index("ix_action_incidents_action_id", "action_incidents", ["action_id"])


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
