"""Which version is in use: promoting and going back, each written down with who, when, why and what the gate had said.

A model and its calibration are one version, so a champion is always whole. Each move is a record of its own among the
registered model's tags, written before the alias ``champion`` is set.

What is guaranteed when several move at once: processes that share the workspace's folder move one after the other, and
a model that was judged against a champion which has since changed is refused. Processes with folders of their own on
one MLflow server cannot be kept apart that strictly: every move is recorded, all of them end with the champion of the
last record, and who was overtaken is told so, or is seen in the history to have been champion for a moment.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from getpass import getuser
from typing import Any, Literal
from uuid import uuid4

from features import frame
from features.errors import PropensityError
from features.files import alone
from features.workspace import Workspace
from training.gate import PROMOTED
from training.model import honour
from training.outcomes import configured
from training.registry import Registered, Registry, Version

PREFIX = "promotion."
LONGEST = 2000
AT_MOST = 20


@dataclass(frozen=True)
class Move:
    """The champion went ``before`` → ``after`` (version numbers), at a time in UTC; ``forced`` against the gate."""

    kind: Literal["promotion", "rollback"]
    before: int | None
    after: int
    at: str
    by: str
    why: str
    verdict: str
    forced: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def promote(
    workspace: Workspace,
    outcome: str,
    version: int | None = None,
    *,
    by: str | None = None,
    why: str = "",
    force: bool = False,
    over: int | Literal["whichever"] | None = "whichever",
) -> Move:
    """Make a version (the challenger, if none is named) the champion.

    Refused where the gate has refused it, unless ``force`` with a reason; where its files are not whole or today's
    features are not its own; and where the champion is not ``over`` any more, against which it was judged.
    """
    configured(workspace, outcome)
    registry = Registry(workspace)
    wanted = _challenger(registry, outcome) if version is None else registry.version(outcome, version)
    forced = wanted.verdict != PROMOTED
    if forced and not (force and why.strip()):
        raise PropensityError(
            f"the gate did not pass version {wanted.number} of {outcome}: {wanted.verdict or 'it was never judged'}",
            "Train a better one; or force it with a reason, which is recorded.",
            status=409,
        )
    _usable(workspace, registry, wanted)
    with alone(workspace.state / "promotion.lock"):
        champion = registry.champion(outcome)
        before = None if champion is None else champion.number
        if before == wanted.number:
            raise PropensityError(
                f"version {before} of {outcome} is the champion already", "There is nothing to do.", status=409
            )
        if over not in ("whichever", before):
            raise PropensityError(
                f"version {wanted.number} of {outcome} was judged against {_called(over)}, and now the champion is "
                f"{_called(before)}",
                "Train again, so that it is compared with the champion of today; or promote it by name.",
                status=409,
            )
        return _moved(registry, wanted, Move("promotion", before, wanted.number, *_said(by, why, wanted), forced))


def rollback(
    workspace: Workspace, outcome: str, *, by: str | None = None, why: str = "", over: int | None = None
) -> Move:
    """Make the champion before this one the champion again; a second time goes back one further.

    Refused where the champion is not ``over``, if that is named.
    """
    configured(workspace, outcome)
    registry = Registry(workspace)
    with alone(workspace.state / "promotion.lock"):
        current = registry.require_champion(outcome).number
        if over not in (None, current):
            raise PropensityError(
                f"the champion of {outcome} is version {current}, not {over}", "Look at the models again.", status=409
            )
        line = _line(history(workspace, outcome), current)
        if len(line) < 2:
            raise PropensityError(
                f"before version {current} {outcome} had no champion to go back to",
                "Promote another version by name.",
                status=409,
            )
        wanted = registry.version(outcome, line[-2])
        _usable(workspace, registry, wanted)
        return _moved(registry, wanted, Move("rollback", current, wanted.number, *_said(by, why, wanted), False))


def history(workspace: Workspace, outcome: str) -> list[Move]:
    """Every move of the champion, the oldest first."""
    return [move for _, move in _records(Registry(workspace), outcome)]


def models(workspace: Workspace) -> dict[str, list[Registered]]:
    """Every registered version of every outcome: aliases, verdict, dates, metrics; the newest first."""
    registry = Registry(workspace)
    return {outcome: registry.versions(outcome) for outcome, _ in workspace.config.outcomes}


def _challenger(registry: Registry, outcome: str) -> Version:
    found = registry.challenger(outcome)
    if found is None:
        raise PropensityError(f"there is no challenger for {outcome}", "Train one, or name a version.", status=404)
    return found


def _usable(workspace: Workspace, registry: Registry, version: Version) -> None:
    """Refuse what could not be served: its bytes are checked, and its features against those of today."""
    honour(registry.load(version), frame.current_plan(workspace))


def _said(by: str | None, why: str, version: Version) -> tuple[str, str, str, str]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return at, by or _user(), why.strip()[:LONGEST], version.verdict


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "unknown"


def _called(number: object) -> str:
    return "no champion" if number is None else f"version {number}"


def _records(registry: Registry, outcome: str) -> list[tuple[str, Move]]:
    """Keys are numbered, not dated: clocks of different machines differ."""
    notes = registry.notes(outcome)
    return [(key, Move(**json.loads(notes[key]))) for key in sorted(notes) if key.startswith(PREFIX)]


def _moved(registry: Registry, version: Version, move: Move) -> Move:
    """Record, then set the alias to what the last record says, until that is still the last one afterwards."""
    outcome = version.outcome
    records = _records(registry, outcome)
    number = 1 + (int(records[-1][0].split(".")[1]) if records else 0)
    mine = f"{PREFIX}{number:08}.{uuid4().hex[:12]}"
    registry.note(outcome, mine, json.dumps(move.as_dict()))
    for _ in range(AT_MOST):
        last, latest = _records(registry, outcome)[-1]
        registry.promote(version if last == mine else registry.version(outcome, latest.after))
        if _records(registry, outcome)[-1][0] == last:
            break
    if last != mine:
        raise PropensityError(
            f"version {version.number} of {outcome} was overtaken: {latest.by} made version {latest.after} the champion",
            "See the history of the outcome's champions, and promote again if yours is to be used.",
            status=409,
        )
    return move


def _line(moves: list[Move], current: int) -> list[int]:
    """The champions that led to the current one: a promotion adds to them, a rollback takes away."""
    line: list[int] = []
    for move in moves:
        line = _up_to(line, move.before)
        line = _up_to(line, move.after) if move.kind == "rollback" else [*line, move.after]
    return _up_to(line, current)


def _up_to(line: list[int], number: int | None) -> list[int]:
    """The line as far as a champion; one that got there without a record, set by hand in MLflow, is added."""
    if number is None:
        return []
    if number in line:
        return line[: len(line) - line[::-1].index(number)]
    return [*line, number]
