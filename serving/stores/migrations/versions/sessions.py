"""Who is logged in to the pages, and who has set out to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("scope", sa.String(5), nullable=False),
        sa.Column("owner", sa.String),
        sa.Column("key", sa.String(12)),
        sa.Column("issuer", sa.String),
        sa.Column("subject", sa.String),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        comment="who is logged in to the pages; of a session's secret only its hash; a row is gone once it is over",
    )
    op.create_table(
        "logins",
        sa.Column("state", sa.String(64), primary_key=True),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("way", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        comment="who is at the OpenID provider: hashes of the state and of the browser's cookie, and where they want to go",
    )
