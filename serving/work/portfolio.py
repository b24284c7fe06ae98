"""The portfolio as of a date: every contract's ARR where it belongs, every account's measures beside it."""

from __future__ import annotations

import csv
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from features import facts, frame, intake, windows
from features.database import literal
from features.errors import PropensityError
from features.facts import UNIT
from features.files import replaced
from features.settings.states import States
from features.workspace import Workspace
from serving.cells import defused
from serving.decisions import portfolio as decisions
from serving.decisions.loyalty import ARR_CHANGE, CELLS, LOYALTIES, MODEL, UNKNOWN, business, loyalty
from serving.decisions.portfolio import ACCOUNT, LINE, Group, Portfolio, Slice, expected, split
from serving.decisions.states import CONTINUUM, SCORE, SIGNS, Seen, standing
from serving.stores.store import Store
from serving.work import customers
from serving.work.customers import YEAR

KINDS = {
    "states": CONTINUUM,
    "loyalty": LOYALTIES,
    "business": CELLS,
    "risk_told_by": (SCORE, SIGNS),
    "growth_told_by": (MODEL, ARR_CHANGE, UNKNOWN),
}
"""What accounts are counted by, and what each may be."""
ATTRIBUTES = {
    LINE: ("line_of_business", UNKNOWN),
    "country": ("billing_country", UNKNOWN),
    "owner": ("owner", "nobody"),
    "segment": ("segment", "not segmented"),
    "partner": ("CASE WHEN coalesce(epoch_us(partner_since) < $as_of, true) THEN partner END", "direct"),
    "industry": ("industry", UNKNOWN),
}
"""Where an account belongs, as SQL, and what it is called where that is not known."""
MOST = 64
"""How many are kept of what was put together."""
SEEN = "occurred < $as_of AND known < $as_of"
HELD = f"""
SELECT a.account, label, sum(value) FILTER (kind = 'live' AND {SEEN}), sum(value) FILTER (kind = 'arr' AND {SEEN}),
    sum(value) FILTER (kind = 'arr' AND occurred < $before AND known < $as_of)
FROM ({{facts}}) JOIN {{accounts}} a USING (account_code) GROUP BY ALL
"""


@dataclass(frozen=True)
class Held:
    """What an account has under contract in a line of business, in millionths: contracts, ARR, ARR a year before."""

    line: str | None
    live: int
    arr: int
    before: int


@dataclass(frozen=True)
class Found:
    """A portfolio as of a date, in ``currency``. Of all live contracts, ``unpriced`` have no ARR and count as 0."""

    as_of: date
    currency: str
    within: Mapping[str, str]
    portfolio: Portfolio
    unpriced: int
    names: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.as_of),
            "currency": self.currency,
            "by": self.portfolio.by,
            "within": dict(self.within),
            "contracts_without_arr": self.unpriced,
            "count": self.portfolio.count,
            "groups": [self._named(one) | one.as_dict() for one in self.portfolio.groups],
            "total": self.portfolio.total.as_dict(),
        }

    def write(self, file: Path) -> None:
        """One line per group, and the total, as CSV; cells that a spreadsheet would run as a formula are defused."""
        total = self.portfolio.total
        lines = [*(self._named(one) | _flat(one) for one in self.portfolio.groups), _flat(total)]
        with replaced(file) as part:
            # In quotes, since a carriage return within a cell would otherwise begin a row, and that row a formula.
            pd.DataFrame(lines).map(defused).to_csv(part, index=False, quoting=csv.QUOTE_NONNUMERIC)

    def _named(self, group: Group) -> dict[str, Any]:
        return {"name": self.names.get(group.name, group.name)} if self.portfolio.by == ACCOUNT else {}


@dataclass(frozen=True)
class Whole:
    """Everything as of a day, to be put together at any level. Of all live contracts, ``unpriced`` have no ARR.

    What was put together last is ``kept``, since who looks into it goes down and up again.
    """

    workspace: Workspace
    as_of: date
    slices: list[Slice]
    unpriced: int
    kept: OrderedDict[Hashable, Found] = field(default_factory=OrderedDict)

    def at(
        self,
        by: str = decisions.GLOBAL,
        within: Mapping[str, str] | None = None,
        start: int = 0,
        top: int | None = None,
    ) -> Found:
        """Raises PropensityError where the level is none, or nothing is within a group."""
        asked = (by, *sorted((within or {}).items()), start, top)
        if asked not in self.kept:
            self.kept[asked] = self._put_together(by, within or {}, start, top)
            while len(self.kept) > MOST:
                self.kept.popitem(last=False)
        return self.kept[asked]

    def _put_together(self, by: str, within: Mapping[str, str], start: int, top: int | None) -> Found:
        found = decisions.portfolio(self.slices, by, within, start, top)
        shown = [one.name for one in found.groups] if by == ACCOUNT else []
        names = Store(self.workspace).names(shown)
        return Found(self.as_of, self.workspace.config.currency, within, found, self.unpriced, names)


def portfolio(
    workspace: Workspace,
    by: str = decisions.GLOBAL,
    within: Mapping[str, str] | None = None,
    day: date | None = None,
) -> Found:
    """Every measure at a level, as of the end of ``day`` (the last one observed by default).

    Raises PropensityError where the level is none, nothing is within a group, or the day has not been observed.
    """
    return whole(workspace, day).at(by, within)


def whole(workspace: Workspace, day: date | None = None) -> Whole:
    """As ``portfolio``, before a level is chosen."""
    observed = frame.observed_until(workspace)
    as_of = day or observed
    if as_of > observed:
        raise PropensityError(
            f"{as_of} has not been observed yet: the data ends on {observed}", f"Name {observed} or an earlier day."
        )
    return Whole(workspace, as_of, *read(workspace, as_of))


def read(workspace: Workspace, day: date) -> tuple[list[Slice], int]:
    """All slices as of the end of ``day``, and how many live contracts have no ARR."""
    seen = customers.customers(workspace, day)
    held, belongs, unpriced = _contracts(workspace, day)
    return list(sliced(seen, held, belongs, workspace.config.states)), unpriced


def sliced(
    seen: Sequence[Seen],
    held: Mapping[str, Sequence[Held]],
    belongs: Mapping[str, Mapping[str, str]],
    terms: States,
) -> Iterator[Slice]:
    """What every customer has in each line of business, and what those who have left had a year before.

    A contract without a line of business counts to that of its account. What is told of an account as a whole (answers,
    acts, escalations) is split by live ARR; one without a live contract has it all in its own line of business.
    """
    customer = {one.account: one for one in seen}
    for account in sorted(customer.keys() | held.keys()):
        one, places = customer.get(account), belongs[account]
        lines: dict[str, Held] = {}
        for part in held.get(account, ()):
            line = part.line or places[LINE]
            so_far = lines.get(line, Held(line, 0, 0, 0))
            lines[line] = Held(line, so_far.live + part.live, so_far.arr + part.arr, so_far.before + part.before)
        if one is not None and not any(part.live for part in lines.values()):
            lines.setdefault(places[LINE], Held(places[LINE], 0, 0, 0))
        here = [] if one is None else sorted(line for line, part in lines.items() if part.live) or [places[LINE]]
        shares = _shares(one, here, [lines[line].arr for line in here])
        labels = {} if one is None else _labels(one, terms)
        for line, part in sorted(lines.items()):
            amounts = {"contracts": part.live, "arr": part.arr, "arr_year_before": part.before} | _at_stake(
                one, part.arr
            )
            if line in here:
                yield Slice(account, {**places, LINE: line}, True, amounts | shares[line], labels)
            elif any(amounts.values()):
                yield Slice(account, {**places, LINE: line}, False, amounts)


def _shares(one: Seen | None, lines: Sequence[str], weights: Sequence[int]) -> dict[str, dict[str, int]]:
    """Line of business → its part of what is told of the account as a whole."""
    found: dict[str, dict[str, int]] = {line: {} for line in lines}
    for name in ("escalations", "acts", "nps_answers", "nps_promoters", "nps_detractors") if one else ():
        assert one is not None
        whole = round((one.row.get(name) or 0) * UNIT)
        for line, part in zip(lines, split(whole, weights), strict=True):
            found[line][name] = part
    return found


def _at_stake(one: Seen | None, arr: int) -> dict[str, int]:
    """What of an ARR is expected to leave, to have been scored, to be under notice and unscored, and to grow."""
    if one is None:
        return {}
    stake = {"arr_scored": arr, "arr_at_risk": expected(one.leaves, arr)} if one.leaves is not None else {}
    if one.leaves is None and one.row.get("notice_given"):
        stake["arr_under_notice"] = arr
    return stake | ({"arr_expanding": expected(one.grows, arr)} if one.grows is not None else {})


def _labels(one: Seen, terms: States) -> dict[str, str]:
    place = business(one, terms)
    growth = place.evidence[1]
    by = (SIGNS if one.leaves is None else SCORE, UNKNOWN if growth.met is None else growth.rule)
    return dict(zip(KINDS, (standing(one, terms).state, loyalty(one, terms).name, place.name, *by), strict=True))


def _contracts(workspace: Workspace, day: date) -> tuple[dict[str, list[Held]], dict[str, dict[str, str]], int]:
    """What each account holds, where each belongs, and how many live contracts have no ARR; by both clocks."""
    folder, report = intake.current(workspace)
    zone = workspace.config.timezone
    instants = {
        "as_of": windows.as_of_instant(day, zone),
        "before": windows.as_of_instant(day - timedelta(days=YEAR), zone),
    }
    accounts = f"read_parquet({literal(str(folder / 'accounts.parquet'))})"
    held: dict[str, list[Held]] = defaultdict(list)
    unpriced = 0

    def select(kind: str, label: str) -> str:
        return facts.select(kind, folder, workspace, report, label)

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = ", ".join(sql for sql, _ in ATTRIBUTES.values())
        asked = {name: at for name, at in instants.items() if f"${name}" in columns}
        rows = connection.execute(f"SELECT account, {columns} FROM {accounts}", asked).fetchall()
        if "contract.live" in facts.available(report):
            kinds = {"live": "contract.live", "arr": "contract.arr"}
            union = " UNION ALL ".join(
                f"SELECT *, '{name}' AS kind FROM ({select(kind, 'line_of_business')})"
                for name, kind in kinds.items()
                if kind in facts.valued(report)
            )
            query = HELD.format(facts=union, accounts=accounts)
            for account, line, live, arr, before in connection.execute(query, instants).fetchall():
                held[account].append(Held(line, int(live or 0), int(arr or 0), int(before or 0)))
            query = f"SELECT sum(value) FROM ({select('contract.live', 'CAST(arr IS NULL AS INTEGER)')}) WHERE label = '1' AND {SEEN}"
            count = connection.execute(query, {"as_of": instants["as_of"]}).fetchone()
            unpriced = int((count[0] if count else 0) or 0) // UNIT
    belongs = {
        account: {name: value or other for (name, (_, other)), value in zip(ATTRIBUTES.items(), values, strict=True)}
        for account, *values in rows
    }
    return held, belongs, unpriced


def _flat(group: Group) -> dict[str, Any]:
    """A group as one line: how many accounts, and how much ARR, of each label."""
    flat = {name: value for name, value in group.as_dict().items() if name not in KINDS}
    for kind, labels in KINDS.items():
        for label in labels:
            tally = group.of(kind, label)
            flat[f"{kind}: {label}"], flat[f"{kind}: {label}, ARR"] = tally.accounts, tally.arr / UNIT
    return flat
