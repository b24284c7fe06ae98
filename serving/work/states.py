"""What accounts have come to, month by month: who is satisfied, loyal, an advocate or at risk, and who became what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from features import frame, windows
from features.errors import PropensityError
from features.workspace import Workspace
from serving.decisions.loyalty import Place, business, loyalty
from serving.decisions.states import CONTINUUM, SCORE, SIGNS, Standing, matrix, standing, transitions
from serving.stores.store import Store
from serving.work import customers

Progress = Callable[[int, int], None]
Keep = Callable[[date, Sequence[Standing]], None]
MONTHS = 12


@dataclass(frozen=True)
class Month:
    """How many accounts stand where at the end of a month; ``scored`` are those whose risk is that of a stored score.

    ``moves`` are the transitions since the month before; none where that month is not looked at. They are ``alike`` where
    risk is told in both months by the same: by scores, or by signs.
    """

    as_of: date
    counts: Mapping[str, int]
    scored: int
    moves: Mapping[tuple[str, str], int]
    alike: bool

    @property
    def risk_by(self) -> str:
        return SCORE if self.scored else SIGNS

    @property
    def accounts(self) -> int:
        return sum(self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.as_of),
            "accounts": self.accounts,
            "scored": self.scored,
            "risk_told_by": self.risk_by,
            "like_the_month_before": self.alike if self.moves else None,
            "states": {state: self.counts.get(state, 0) for state in CONTINUUM},
            "transitions": matrix(self.moves) if self.moves else None,
        }


@dataclass(frozen=True)
class Continuum:
    """Months, oldest first, and where everybody stands at the end of the last one."""

    months: list[Month]
    standings: list[Standing]
    names: Mapping[str, str]

    @property
    def moves(self) -> Counter[tuple[str, str]]:
        """The transitions of all months together, but for those where risk is told by something else than before: there
        accounts would seem to have moved that did not.
        """
        return sum((Counter(month.moves) for month in self.months if month.alike), Counter())

    @property
    def unlike(self) -> list[date]:
        """The months whose transitions are left out."""
        return [month.as_of for month in self.months if month.moves and not month.alike]

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.months[-1].as_of),
            "months": [month.as_dict() for month in self.months],
            "transitions": matrix(self.moves),
            "left_out_of_transitions": [str(day) for day in self.unlike],
            "accounts": [{"name": self.names.get(one.account, one.account)} | one.as_dict() for one in self.standings],
        }


@dataclass(frozen=True)
class Told:
    """One account at the end of the last month: its standing, loyalty and business, and where it stood before.

    ``standing`` is None where it is no customer by then; in ``before``, None is a month in which it was none.
    """

    account: str
    name: str
    as_of: date
    standing: Standing | None
    places: tuple[Place, Place] | None
    before: list[tuple[date, str | None]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "name": self.name,
            "as_of": str(self.as_of),
            "state": self.standing.state if self.standing else None,
            "stage": self.standing.stage if self.standing else None,
            "verdicts": [one.as_dict() for one in self.standing.verdicts] if self.standing else [],
            "loyalty": self.places[0].as_dict() if self.places else None,
            "business": self.places[1].as_dict() if self.places else None,
            "months": [{"as_of": str(day), "state": state} for day, state in self.before],
        }


def continuum(
    workspace: Workspace,
    months: int = MONTHS,
    until: date | None = None,
    progress: Progress = lambda done, of: None,
    keep: Keep = lambda day, standings: None,
) -> Continuum:
    """Everybody at the last ``months`` ends of a month, up to ``until`` (the last day observed by default).

    ``keep`` is handed each of these days with where everybody stands.
    """
    days, terms = month_ends(workspace, months, until), workspace.config.states
    found: list[Month] = []
    standings: list[Standing] = []
    before: dict[str, str] = {}
    for day, seen in zip(days, customers.by_day(workspace, days), strict=True):
        standings = [standing(one, terms) for one in seen]
        after = {one.account: one.state for one in standings}
        moves = transitions(before, after) if found else Counter()
        scored = sum(one.leaves is not None for one in seen)
        alike = bool(found) and bool(found[-1].scored) == bool(scored)
        found.append(Month(day, Counter(after.values()), scored, moves, alike))
        before = after
        keep(day, standings)
        progress(len(found), len(days))
    return Continuum(found, standings, Store(workspace).names([one.account for one in standings]))


def told(workspace: Workspace, account: str, months: int = MONTHS, until: date | None = None) -> Told:
    """One account: the rules of each state with its own numbers, and its states month by month."""
    days, terms = month_ends(workspace, months, until), workspace.config.states
    seen = customers.history(workspace, account, days)
    each = [None if one is None else standing(one, terms) for one in seen]
    last = seen[-1]
    return Told(
        account,
        Store(workspace).names([account]).get(account, account),
        days[-1],
        each[-1],
        None if last is None else (loyalty(last, terms), business(last, terms)),
        [(day, one.state if one else None) for day, one in zip(days, each, strict=True)],
    )


def month_ends(workspace: Workspace, months: int, until: date | None = None) -> list[date]:
    """The last ``months`` ends of a month that have been observed, oldest first, from ``until`` backwards."""
    observed = frame.observed_until(workspace)
    if until is not None and until > observed:
        raise PropensityError(
            f"{until} has not been observed yet: the data ends on {observed}", f"Name {observed} or an earlier day."
        )
    day = until or observed
    last = day if day == windows.month_end(day) else day.replace(day=1) - timedelta(days=1)
    first = last - timedelta(days=31 * months)
    return windows.grid(first, last, "month")[-months:]
