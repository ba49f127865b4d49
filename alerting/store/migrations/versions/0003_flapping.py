"""What is remembered of series that flap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("series_states", sa.Column("changes", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("incidents", sa.Column("flapping", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("transitions", sa.Column("began_flapping", sa.Boolean(), nullable=False, server_default=sa.false()))
