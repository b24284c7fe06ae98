"""How old a score is, and whether that is too old."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.workspace import Workspace
from serving.scores.score import Score


def today(workspace: Workspace) -> date:
    """The date by the workspace's zone."""
    return datetime.now(ZoneInfo(workspace.config.timezone)).date()


def aged(workspace: Workspace, as_of: date, day: date | None = None) -> dict[str, Any]:
    """``age_days``: whole days since as_of (0 where it is not over yet); ``stale``: more than ``[freshness]`` allows."""
    days = max(0, ((day or today(workspace)) - as_of).days)
    return {"age_days": days, "stale": days > workspace.config.freshness.days}


def told(workspace: Workspace, score: Score, day: date | None = None) -> dict[str, Any]:
    """A score as it is served: with its age."""
    return score.as_dict() | aged(workspace, score.as_of, day)
