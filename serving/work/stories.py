"""Story demand of a workspace: open deals beside the advocates that could speak for them, as of the latest data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from features import intake
from features.database import literal
from features.errors import PropensityError
from features.windows import as_of_instant, moment
from features.workspace import Workspace
from serving.decisions.eligibility import Eligibility, eligibility
from serving.decisions.stories import Deal, Gap, Teller, gaps
from serving.decisions.whom import Person, consented
from serving.stores.store import Store
from serving.work.asking import Situation

Progress = Callable[[str], None]
TOLD_BY = ("reference", "case study")
"""The kinds of ask that tell a story to a buyer."""
DEALS = """
SELECT coalesce(deal, 'row ' || row_number() OVER ()), a.account, {about}, value
FROM {deals} d LEFT JOIN {accounts} a USING (account_code)
WHERE opened < $as_of AND NOT coalesce(won < $as_of, false) AND NOT coalesce(lost < $as_of, false)
    AND coalesce(d.recorded_at < $as_of, true)
ORDER BY ALL
"""
OF_ACCOUNTS = {
    "industry": ("SELECT account, industry FROM {accounts}",),
    "product": (
        "SELECT account, line_of_business FROM {accounts}",
        "SELECT a.account, c.line_of_business FROM {contracts} c JOIN {accounts} a USING (account_code) "
        "WHERE coalesce(c.signed, c.starts) < $as_of AND coalesce(c.recorded_at < $as_of, true)",
    ),
    "region": (
        "SELECT account, buying_country FROM {accounts}",
        "SELECT account, using_country FROM {accounts}",
    ),
}
"""What a deal is about → where the accounts say that of themselves."""
ACTED = """
SELECT DISTINCT a.account FROM {advocacy} t JOIN {accounts} a USING (account_code)
WHERE done < $as_of AND coalesce(t.recorded_at < $as_of, true)
"""


@dataclass(frozen=True)
class Stories:
    """Stories that open deals want, the dearest gap first; which dimensions tell them apart, and which are left out, why."""

    as_of: date
    dimensions: tuple[str, ...]
    left_out: dict[str, str]
    deals: int
    value: float
    uncovered: float
    advocates: int
    gaps: list[Gap]
    names: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        told = {name: value for name, value in vars(self).items() if name not in ("gaps", "names")}
        return {
            **told,
            "as_of": str(self.as_of),
            "dimensions": list(self.dimensions),
            "gaps": [self._gap(one) for one in self.gaps],
        }

    def _gap(self, gap: Gap) -> dict[str, Any]:
        told = gap.as_dict()
        named = [one | {"name": self.names.get(one["account"], one["account"])} for one in told["candidates"]]
        return told | {"candidates": named}


def stories(
    workspace: Workspace,
    top: int,
    today: date | None = None,
    progress: Progress = lambda _: None,
    now: Situation | None = None,
) -> Stories:
    """The ``top`` gaps. An advocate has acted before, somebody there has agreed to a reference or a case study, and nothing
    but time speaks against an ask; a candidate has not acted yet and may be asked now. ``now`` is the situation of ``today``,
    where it is known already.

    Raises PropensityError where no deals are mapped.
    """
    if "deals" not in intake.current(workspace)[1].tables:
        raise PropensityError(
            "there are no deals in this workspace, so nobody knows which stories are wanted",
            "Map the table deals in propensity.toml.",
        )
    situation = now or Situation.of(workspace, today, progress)
    progress("open deals")
    deals, about, left_out, acted = _read(workspace, situation.as_of)
    dimensions = tuple(name for name in OF_ACCOUNTS if name not in left_out)
    tellers = [one for account in situation.facing if (one := _teller(situation, account, about)) is not None]
    advocates = [one for one in tellers if one.account in acted and _only_time(situation, one.account)]
    candidates = [one for one in tellers if one.account not in acted and situation.eligibility(one.account).eligible]
    found = gaps(dimensions, deals, advocates, candidates)
    bare = [one for one in found if one.uncovered_deals][:top]
    names = Store(workspace).names(sorted({one.account for gap in bare for one in gap.candidates}))
    return Stories(
        situation.as_of,
        dimensions,
        left_out,
        len(deals),
        sum(one.value for one in found),
        sum(one.uncovered for one in found),
        len(advocates),
        bare,
        names,
    )


def _only_time(situation: Situation, account: str) -> bool:
    """Nothing but time speaks against an ask: no risk, no notice, no opt-out, no escalation, no bad answer."""
    found: Eligibility = eligibility(situation.facing[account], situation.workspace.config.asks)
    return all(one.clears is not None or one.rule == "open ask" for one in found.objections)


def _teller(situation: Situation, account: str, about: dict[str, dict[str, frozenset[str]]]) -> Teller | None:
    """None where nobody there has agreed to tell a story."""
    facing, terms = situation.facing[account], situation.workspace.config.asks
    each: list[tuple[Person, str]] = [
        (person, kind)
        for person in situation.people.get(account, ())
        for kind in consented(person, terms, facing.day)
        if kind in TOLD_BY
    ]
    if not each:
        return None
    person, kind = max(each, key=lambda one: (situation.accepts[one].value, one[0].contact, one[1]))
    of_account = {name: values.get(account, frozenset()) for name, values in about.items()}
    return Teller(account, of_account, situation.left(account), person.contact, kind, situation.accepts[person, kind])


def _read(
    workspace: Workspace, as_of: date
) -> tuple[list[Deal], dict[str, dict[str, frozenset[str]]], dict[str, str], set[str]]:
    """Open deals, what accounts say of themselves by dimension, dimensions left out and why, and who has acted."""
    folder, report = intake.current(workspace)
    there = {name: f"read_parquet({literal(str(folder / f'{name}.parquet'))})" for name in report.tables}
    mapped = set(report.tables["deals"].columns)
    instant = {"as_of": moment(as_of_instant(as_of, workspace.config.timezone))}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")

        def told(query: str, **more: str) -> list[tuple]:  # type: ignore[type-arg]
            given = instant if "$as_of" in query else None
            return connection.execute(query.format(**there, **more), given).fetchall()

        rows = told(DEALS, about=", ".join(f"d.{name}" for name in OF_ACCOUNTS))
        deals = [Deal(row[0], row[1], dict(zip(OF_ACCOUNTS, row[2:-1], strict=True)), row[-1]) for row in rows]
        about = {}
        for name, queries in OF_ACCOUNTS.items():
            of: dict[str, set[str]] = defaultdict(set)
            for query in queries:
                if "{contracts}" not in query or "contracts" in there:
                    for account, value in told(query):
                        of[account] |= {value} - {None}
            about[name] = {account: frozenset(values) for account, values in of.items()}
        acted = {row[0] for row in told(ACTED)} if "advocacy" in there else set()
    left_out = {"role": "deals do not say who is to hear the story"}
    for name, values in about.items():
        asked = {deal.about[name] for deal in deals} - {None}
        if name not in mapped:
            left_out[name] = f"deals have no column {name}"
        elif deals and not asked & frozenset().union(*values.values()):
            left_out[name] = f"no {name} of an open deal is one that accounts have"
    return deals, about, left_out, acted
