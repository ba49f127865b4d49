"""Which delivery of a group brought the chart that its message shows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("groups", sa.Column("charted", sa.Text()))
