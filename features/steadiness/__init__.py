"""Data quality against the data's own past: what stopped, swelled, emptied, vanished or shrank.

Nothing here is set by hand for a table or a feature: each is compared with itself, earlier. Findings are warnings;
they stop nothing.
"""

from __future__ import annotations

from features.intake import Intake
from features.steadiness import frames, intakes, tables
from features.steadiness.finding import Finding, Steadiness
from features.workspace import Workspace

__all__ = ["Finding", "Steadiness", "check", "found", "frames", "remember"]


def check(intake: Intake) -> Steadiness:
    """An open intake against its own past and the intake before; nothing is stored."""
    return _judge(intake)[1]


def remember(intake: Intake) -> Steadiness:
    """The same, stored for the next intake to be compared with."""
    taken, found = _judge(intake)
    intakes.remember(intake.workspace, taken, found)
    return found


def found(workspace: Workspace) -> Steadiness:
    """What was found when the data in use was taken in, and when frames were last built."""
    return intakes.found(workspace) + frames.found(workspace)


def _judge(intake: Intake) -> tuple[intakes.Taken, Steadiness]:
    days = tables.facts(intake)
    taken = intakes.Taken.of(intake, days)
    before = intakes.previous(intake.workspace, taken)
    return taken, intakes.judge(before, taken, days) + tables.judge(intake, days)
