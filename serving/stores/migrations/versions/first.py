"""Scores, batches, names and the log, as they were before there were migrations: a store that has them keeps them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("score_id", sa.String(20), primary_key=True),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("low", sa.Float(53), nullable=False),
        sa.Column("high", sa.Float(53), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("percentile", sa.Float(53), nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("row_hash", sa.String, nullable=False),
        sa.Column("frame_hash", sa.String, primary_key=True),
        sa.Column("reasons", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_index("scores_by_list", "scores", ["outcome", "as_of", "rank"], if_not_exists=True)
    op.create_index("scores_by_account", "scores", ["account", "outcome", "as_of"], if_not_exists=True)
    op.create_table(
        "batches",
        sa.Column("outcome", sa.String, primary_key=True),
        sa.Column("as_of", sa.Date, primary_key=True),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("frame_hash", sa.String, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        comment="which scores are shown for an outcome and as_of; earlier ones stay, so that they can be replayed",
        if_not_exists=True,
    )
    op.create_table(
        "names",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        comment="the only place where names are kept; a row can be erased without touching anything else",
        if_not_exists=True,
    )
    op.create_table(
        "log",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(20), nullable=False, unique=True),
        sa.Column("about", sa.String, nullable=False),
        sa.Column("thing", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("contact", sa.String),
        sa.Column("kind", sa.String),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("value", sa.String),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("thing", "event"),
        comment="append-only: what was planned, done, asked and answered, by whom, and when that was written down",
        if_not_exists=True,
    )
    op.create_index("log_by_account", "log", ["account", "about"], if_not_exists=True)
