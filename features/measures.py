"""What companies steer by: answers by instrument, by role and by touchpoint, and usage by role.

They are declared like features, and computed where they are asked about (``features.frame.feature_rows``): frames, and
so models, do not hold them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from features import frame
from features.aggregations import active_days, count, level, mean
from features.expressions import Difference, Ratio
from features.feature import Declaration, Feature, column_name
from features.settings.beacon import Beacon
from features.tables import ROLES, TOUCHPOINTS
from features.workspace import Workspace

INSTRUMENTS = {"NPS": 10.0, "CSAT": 5.0, "CES": 7.0, "rating": 5.0}
"""Each with the highest answer on its usual scale."""
ANY = "answers"


@dataclass(frozen=True)
class Measure:
    """A metric in the words of people. ``name`` is what the user calls it, ``column`` where its values are.

    ``role`` and ``touchpoint`` narrow it, empty for everybody and everything. ``points`` is how many points of 100 one
    unit of it is; 0 where it is not told in points (usage).
    """

    name: str
    said: str
    column: str
    role: str = ""
    touchpoint: str = ""
    points: float = 0.0

    @property
    def answers(self) -> bool:
        return self.points > 0


def measures(days: int, usage_days: int) -> tuple[tuple[Measure, ...], tuple[Declaration, ...]]:
    """Every measure over these windows, and what has to be declared to compute them."""
    told = [*_nps(days), *_answers(days), *_touchpoints(days), *_usage(usage_days)]
    return tuple(one for one, _ in told if one is not None), tuple(declared for _, declared in told)


def of(settings: Beacon) -> tuple[tuple[Measure, ...], tuple[Declaration, ...]]:
    """Those of a workspace."""
    return measures(settings.days, settings.usage_days)


def only(declared: tuple[Declaration, ...], columns: set[str]) -> tuple[Declaration, ...]:
    """What it takes to compute these columns; what something is made of is declared before it."""
    wanted = {column.rpartition("_")[0] for column in columns} | columns
    for one in reversed(declared):
        if one.name in wanted:
            wanted |= set(getattr(one, "parts", ()))
    return tuple(one for one in declared if one.name in wanted)


def values(
    workspace: Workspace, accounts: list[str], days: list[date], declared: tuple[Declaration, ...]
) -> pd.DataFrame:
    """Each account as of a date of its own: one column per declaration that the workspace's tables can tell."""
    return frame.feature_rows(workspace, accounts, days, declared=declared)


def _nps(days: int) -> Iterator[tuple[Measure | None, Declaration]]:
    """NPS as it is reported: promoters' share of answers less detractors'."""
    yield None, Feature("promoters_of", "feedback.promoter", count, "perception", "NPS answers of 9 or 10", "{value} promoter answers in the last {window}", "answers", (days,), spec=f"feedback responded=-5 instrument=NPS score=9; feedback responded=-4 instrument=NPS score=8 => {days} days: 1")  # fmt: skip
    yield None, Feature("detractors_of", "feedback.detractor", count, "perception", "NPS answers below 7", "{value} detractor answers in the last {window}", "answers", (days,), spec=f"feedback responded=-5 instrument=NPS score=6; feedback responded=-4 instrument=NPS score=7 => {days} days: 1")  # fmt: skip
    yield None, Feature("nps_of", "feedback", count, "perception", "NPS answers", "{value} NPS answers in the last {window}", "answers", (days,), label="nps", spec=f"feedback responded=-5 instrument=NPS score=9; feedback responded=-4 instrument=CSAT score=4 => {days} days: 1")  # fmt: skip
    shares = "feedback responded=-5 instrument=NPS score=9; feedback responded=-4 instrument=NPS score=8; feedback responded=-3 instrument=NPS score=6; feedback responded=-2 instrument=NPS score=10"
    yield None, Ratio("promoters_per_answer", "promoters_of", "nps_of", "perception", "promoters' share of NPS answers", "{value} promoters in the last {window}", "share", spec=f"{shares} => {days} days: 0.5")  # fmt: skip
    yield None, Ratio("detractors_per_answer", "detractors_of", "nps_of", "perception", "detractors' share of NPS answers", "{value} detractors in the last {window}", "share", spec=f"{shares} => {days} days: 0.25")  # fmt: skip
    declared = Difference("nps_balance", "promoters_per_answer", "detractors_per_answer", "perception", "promoters' share less detractors'", "promoters less detractors {value} in the last {window}", "share", spec=f"{shares} => {days} days: 0.25")  # fmt: skip
    yield Measure("nps", "NPS (promoters less detractors)", column_name(declared.name, days), points=100.0), declared


def _answers(days: int) -> Iterator[tuple[Measure, Declaration]]:
    """Mean answers: of each instrument, and of any brought to one scale, from everybody and from each role."""
    for role in ("", *ROLES):
        of_role = f" of {plural(role)}" if role else ""
        for instrument, highest in INSTRUMENTS.items():
            slug = _slug(f"{'nps_answer' if instrument == 'NPS' else instrument}", role)
            said = ("mean NPS answer" if instrument == "NPS" else instrument) + of_role
            spec = f"{_people(role)}feedback contact=ann responded=-{days + 1} instrument={instrument} score=1; feedback contact=ann responded=-9 instrument={instrument} score=2; feedback contact=ann responded=-5 instrument={instrument} score=5; feedback contact=ann responded=-5 instrument={'CSAT' if instrument != 'CSAT' else 'NPS'} score=1{_stranger(role, instrument)} => {days} days: 3.5"
            declared = Feature(f"mean_{slug}", "feedback", mean, "perception", said, f"{said} {{value}} in the last {{window}}", "points", (days,), label=instrument.lower(), role=role, spec=spec)  # fmt: skip
            yield Measure(slug, said, column_name(declared.name, days), role, points=100 / highest), declared
        slug, said = _slug(ANY, role), f"answers{of_role or ' of any kind'}"
        spec = f"{_people(role)}feedback contact=ann responded=-9 instrument=NPS score=4; feedback contact=ann responded=-5 instrument=CSAT score=4{_stranger(role, 'NPS')} => {days} days: 60"
        declared = Feature(f"mean_{slug}", "feedback.satisfaction", mean, "perception", said, f"{said} at {{value}} of 100 in the last {{window}}", "points of 100", (days,), role=role, spec=spec)  # fmt: skip
        yield Measure(slug, said, column_name(declared.name, days), role, points=1.0), declared


def _touchpoints(days: int) -> Iterator[tuple[Measure, Declaration]]:
    """Mean answers of any kind at each moment of the journey."""
    for touchpoint in TOUCHPOINTS[:-1]:
        slug, said = f"{ANY}_{touchpoint.replace(' ', '_')}", f"answers about {_ABOUT.get(touchpoint, touchpoint)}"
        written = touchpoint.replace(" ", "_")
        spec = f"feedback responded=-9 instrument=CSAT score=2 touchpoint={written}; feedback responded=-5 instrument=CSAT score=5 touchpoint={written}; feedback responded=-5 instrument=CSAT score=1 touchpoint=other => {days} days: 70"
        declared = Feature(f"mean_{slug}", "feedback.satisfaction", mean, "perception", said, f"{said} at {{value}} of 100 in the last {{window}}", "points of 100", (days,), label=touchpoint, spec=spec)  # fmt: skip
        yield Measure(slug, said, column_name(declared.name, days), touchpoint=touchpoint, points=1.0), declared


def _usage(days: int) -> Iterator[tuple[Measure | None, Declaration]]:
    """Days on which anybody used it, and on which somebody of a role did; null where nobody of the role is there."""
    spec = f"usage occurred_at=-{days + 1} event=login; usage occurred_at=-5 event=login; usage occurred_at=-5 event=report; usage occurred_at=-2 event=login => {days} days: 2"
    declared = Feature("days_used", "usage", active_days, "interaction", "days with any usage", "active on {value} of the last {window}", "days", (days,), spec=spec)  # fmt: skip
    yield Measure("usage", "usage", column_name(declared.name, days)), declared
    for role in ROLES:
        slug, said = _slug("usage", role), f"usage by {plural(role)}"
        used, there = f"days_{slug}", f"present_{slug}"
        people = f"contacts contact=ann role={role.replace(' ', '_')}; contacts contact=eve role={role.replace(' ', '_')}; {_other(role)}"
        spec = f"{people}; usage contact=ann occurred_at=-5 event=login; usage contact=ann occurred_at=-2 event=login; usage contact=bob occurred_at=-3 event=login"
        yield None, Feature(used, "usage", active_days, "interaction", f"days on which {plural(role)} used it", f"{plural(role)} used it on {{value}} of the last {{window}}", "days", (days,), role=role, spec=f"{spec} => {days} days: 2")  # fmt: skip
        yield None, Feature(there, "contact.present", level, "stakeholders", f"{plural(role)} present", f"{{value}} {plural(role)} present", "contacts", role=role, spec=f"{spec} => 2")  # fmt: skip
        whole = Ratio(slug, used, there, "interaction", said, f"{plural(role)} used it on {{value}} days each in the last {{window}}", "days", spec=f"{spec} => {days} days: 1")  # fmt: skip
        yield Measure(slug, said, column_name(slug, days), role), whole


_ABOUT = {
    "review meeting": "review meetings",
    "renewal": "the renewal",
    "product": "the product",
    "relationship": "the relationship as a whole",
}


def plural(role: str) -> str:
    return f"{role}s"


def _slug(name: str, role: str) -> str:
    return "_".join(filter(None, (name.lower(), plural(role).replace(" ", "_") if role else "")))


def _people(role: str) -> str:
    return f"contacts contact=ann role={role.replace(' ', '_')}; {_other(role)}; " if role else ""


def _other(role: str) -> str:
    return f"contacts contact=bob role={'influencer' if role == 'user' else 'user'}"


def _stranger(role: str, instrument: str) -> str:
    """An answer of somebody in another role."""
    return f"; feedback contact=bob responded=-5 instrument={instrument} score=1" if role else ""
