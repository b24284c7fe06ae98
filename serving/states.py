"""What accounts have come to, month by month: who is satisfied, loyal, an advocate or at risk, and who became what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from features import frame, windows
from features.errors import PropensityError
from features.workspace import Workspace
from serving import customers
from serving.decisions.loyalty import Place, business, loyalty
from serving.decisions.states import CONTINUUM, Standing, matrix, standing, transitions
from serving.store import Store

Progress = Callable[[int, int], None]
MONTHS = 12


@dataclass(frozen=True)
class Month:
    """How many accounts stand where at the end of a month; ``scored`` are those whose risk is that of a stored score.

    ``moves`` are the transitions since the month before; none where that month is not looked at.
    """

    as_of: date
    counts: Mapping[str, int]
    scored: int
    moves: Mapping[tuple[str, str], int]

    @property
    def accounts(self) -> int:
        return sum(self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.as_of),
            "accounts": self.accounts,
            "scored": self.scored,
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
        """The transitions of all months together."""
        return sum((Counter(month.moves) for month in self.months), Counter())

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.months[-1].as_of),
            "months": [month.as_dict() for month in self.months],
            "transitions": matrix(self.moves),
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
    workspace: Workspace, months: int = MONTHS, until: date | None = None, progress: Progress = lambda done, of: None
) -> Continuum:
    """Everybody at the last ``months`` ends of a month, up to ``until`` (the last day observed by default)."""
    days = month_ends(workspace, months, until)
    found: list[Month] = []
    standings: list[Standing] = []
    before: dict[str, str] | None = None
    for number, (day, standings, scored) in enumerate(_each(workspace, days), 1):
        after = {one.account: one.state for one in standings}
        moves = Counter() if before is None else transitions(before, after)
        found.append(Month(day, Counter(after.values()), scored, moves))
        before = after
        progress(number, len(days))
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


def _each(workspace: Workspace, days: Sequence[date]) -> Iterator[tuple[date, list[Standing], int]]:
    """Day by day: where everybody stands, and how many have a score of that day."""
    for day in days:
        seen = customers.customers(workspace, day)
        scored = sum(one.leaves is not None for one in seen)
        yield day, [standing(one, workspace.config.states) for one in seen], scored
