"""The advocacy programme as of a day: who takes part, NPS, revenue touched, the closed loop, the funnel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pandas as pd

from features import frame, windows
from features.errors import PropensityError
from features.workspace import Workspace
from serving.decisions.asks import Ask
from serving.decisions.eligibility import YEAR, Facing, eligibility
from serving.decisions.happened import Act, followed
from serving.decisions.intervals import Bootstrap
from serving.decisions.programme_funnel import Funnel, funnel
from serving.decisions.programme_loop import Loop, loop
from serving.decisions.programme_nps import Nps, nps
from serving.decisions.programme_participation import Participation, participation, took_part
from serving.decisions.programme_revenue import Revenue, revenue
from serving.decisions.whom import open_to
from serving.scores import lists
from serving.work.asking import RISK
from serving.work.known import Known
from serving.work.outreach import opted_out
from serving.work.people import people
from training.asks.past import RULED_BY, declared

Progress = Callable[[int, int], None]


class Part(Protocol):
    def as_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Programme:
    """What the programme came to in the ``days`` that end with ``as_of``. A part is None where a table is missing without
    which nothing is known of it; ``unknown`` says why.
    """

    as_of: date
    days: int
    participation: Participation | None
    nps: Nps | None
    revenue: Revenue
    loop: Loop | None
    funnel: Funnel | None
    unknown: dict[str, str]

    @property
    def since(self) -> date:
        """The first day of the period."""
        return self.as_of - timedelta(days=self.days - 1)

    def as_dict(self) -> dict[str, Any]:
        parts: dict[str, Part | None] = {
            "participation": self.participation,
            "nps": self.nps,
            "revenue": self.revenue,
            "closed_loop": self.loop,
            "funnel": self.funnel,
        }
        told = {
            name: {"unknown": self.unknown[name]} if part is None else part.as_dict() for name, part in parts.items()
        }
        return {"as_of": str(self.as_of), "since": str(self.since), "days": self.days, **told}


def programme(
    workspace: Workspace,
    as_of: date | None = None,
    days: int | None = None,
    progress: Progress = lambda done, of: None,
) -> Programme:
    """By what was known by the end of ``as_of``, the last day of the data by default. Raises PropensityError where the data
    does not reach so far.
    """
    terms, config = workspace.config.programme, workspace.config
    until, length = _within(workspace, as_of), days or terms.period
    since, known = until - timedelta(days=length), Known(workspace, until)
    draws = Bootstrap(config.training.bootstraps, config.training.seed)
    acts, unknown = known.acts(), _unknown(known)
    taking = funnel_ = None
    if "participation" not in unknown:
        eligible, risk_unknown = _eligible(workspace, month_ends(since, until), progress)
        part = took_part(acts, since, until)
        taking = participation(part, eligible, risk_unknown, terms.participation)
        asks = [ask for act in acts if (ask := act.ask) is not None]
        could = part.union(*eligible.values())
        funnel_ = funnel(asks, could, since, until, config.asks.rest_days, draws)
    answers = known.answers()
    year_before = until - timedelta(days=max(YEAR, length))
    now, before = (
        [one for one in answers if begin <= one.at < end]
        for begin, end in (_window(known, length, day) for day in (until, year_before))
    )
    done = [act for act in acts if act.done is not None and since < act.done]
    won = [deal for deal in known.won() if _window(known, length, until)[0] <= deal.at]
    return Programme(
        until,
        length,
        taking,
        None if "nps" in unknown else nps(now, before, terms.nps_accounts, terms.nps, draws),
        revenue(won, done, terms.revenue, unknown.get("revenue", "")),
        None
        if "closed_loop" in unknown
        else loop(followed(now, known.handled()), known.instant, terms.answer_days, lists.owners(workspace), draws),
        funnel_,
        unknown,
    )


def month_ends(since: date, until: date) -> list[date]:
    """The ends of months after ``since``, and ``until`` itself."""
    last = windows.month_end(until)
    last = last if last == until else until.replace(day=1) - timedelta(days=1)
    return sorted({*windows.grid(since + timedelta(days=1), last, "month"), until})


def _within(workspace: Workspace, as_of: date | None) -> date:
    last = frame.observed_until(workspace)
    if as_of is not None and as_of > last:
        raise PropensityError(f"--as-of is {as_of}, and the data ends on {last}", "Name that day or an earlier one.")
    return as_of or last


def _window(known: Known, days: int, until: date) -> tuple[datetime, datetime]:
    """The days that end with ``until``, half-open, as instants."""
    zone = known.workspace.config.timezone
    first = until - timedelta(days=days)
    return windows.moment(windows.as_of_instant(first, zone)), windows.moment(windows.as_of_instant(until, zone))


def _unknown(known: Known) -> dict[str, str]:
    """Part → why nothing is known of it."""
    found = {}
    if not known.mapped("advocacy") and not known.entries("ask"):
        found["participation"] = found["funnel"] = "the table advocacy is not mapped, and nothing was asked here"
    if not known.mapped("feedback"):
        found["nps"] = found["closed_loop"] = "the table feedback is not mapped"
    elif not known.mapped("outreach") and not known.mapped("tickets") and not known.entries("outreach"):
        found["closed_loop"] = "neither outreach nor tickets are mapped: what was done after feedback is not known"
    missing = [table for table in ("deals", "advocacy") if not known.mapped(table)]
    if missing:
        found["revenue"] = f"{' and '.join(missing)} not mapped"
    return found


def _eligible(workspace: Workspace, days: list[date], progress: Progress) -> tuple[dict[date, set[str]], list[date]]:
    """Day → the accounts that could be asked, by what was known then; and the days of which no risk is stored."""
    rows = frame.feature_frame(workspace, days, progress, declared(RULED_BY))
    of_day = dict(iter(rows.groupby("as_of")))
    found, unknown = {}, []
    for number, day in enumerate(days):
        progress(number, len(days))
        known = Known(workspace, day)
        risks = known.risks(RISK, exactly=True)
        if risks is None:
            unknown.append(day)
        of = _asks(known.acts())
        found[day] = _could_be_asked(known, of_day.get(day, rows[:0]), risks[1] if risks else {}, of)
    return found, unknown


def _asks(acts: Sequence[Act]) -> dict[str, list[Ask]]:
    of: dict[str, list[Ask]] = defaultdict(list)
    for act in acts:
        if (ask := act.ask) is not None:
            of[act.account].append(ask)
    return of


def _could_be_asked(
    known: Known, rows: pd.DataFrame, risk: Mapping[str, float], asks: Mapping[str, Sequence[Ask]]
) -> set[str]:
    """The accounts against which no rule speaks, and where somebody is there to ask."""
    workspace, day = known.workspace, known.day + timedelta(days=1)
    terms, alone, there = workspace.config.asks, opted_out(known.entries("opt-out")), [n for n in RULED_BY if n in rows]
    contacts = people(workspace, known.day)
    found = set()
    for account, *values in rows[["account", *there]].itertuples(index=False):
        row = {name: None if pd.isna(value) else float(value) for name, value in zip(there, values, strict=True)}
        facing = Facing(account, day, row, risk.get(account), asks.get(account, ()), account in alone)
        if eligibility(facing, terms).eligible and open_to(contacts.get(account, ()), facing.asks, terms, day):
            found.add(account)
    return found
