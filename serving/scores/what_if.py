"""What if an account were treated otherwise: its latest scores made again with some features set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features import frame
from features.errors import PropensityError
from features.plan import Plan
from features.workspace import Workspace
from serving.scores.lists import latest
from serving.scores.score import Score
from serving.scores.stored import Stored
from training import what_if as training
from training.model import honour


@dataclass(frozen=True)
class Asked:
    """A score, and what the model that made it would say."""

    score: Score
    found: training.WhatIf
    plan: Plan

    def as_dict(self) -> dict[str, Any]:
        return {"outcome": self.score.outcome, "score": self.score.as_dict(), **self.found.as_dict()}


def what_if(
    workspace: Workspace, account: str, changes: Mapping[str, float], outcome: str | None = None
) -> list[Asked]:
    """Of each outcome that the account has a score of; see ``training.what_if`` for what can be set."""
    stored, plan, found = Stored(workspace), frame.current_plan(workspace), []
    for score in latest(workspace, account, outcome):
        model, row = stored.made_from(score)
        peers = frame.peers_of(workspace, score.as_of, score.frame_hash)
        found.append(Asked(score, training.what_if(model, plan, row, changes, peers), plan))
    return found


def levers(workspace: Workspace, account: str) -> dict[str, list[training.Lever]]:
    """Outcome → what can be asked of the account's latest score of it; raises the error that says why there is none."""
    stored, plan = Stored(workspace), frame.current_plan(workspace)
    return {score.outcome: _levers(stored, plan, score) for score in latest(workspace, account)}


def _levers(stored: Stored, plan: Plan, score: Score) -> list[training.Lever]:
    model, row = stored.made_from(score)
    honour(model, plan)
    return training.levers(model, plan, row)


def parsed(texts: list[str]) -> dict[str, float]:
    """``feature=value`` as given on a command line."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        number = _number(value)
        if not (equals and name and math.isfinite(number)):
            raise PropensityError(f"--set is {text!r}", "Write feature=value, the value a number: --set touches=3.")
        found[name.strip()] = number
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
