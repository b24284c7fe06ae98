"""The outreach list as people get it, from the latest scores and what has been done about the accounts by now."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from features import frame, intake
from features.database import literal
from features.plan import Plan
from features.windows import moment
from features.workspace import Workspace
from serving.decisions.actions import action
from serving.decisions.asks import day_of
from serving.decisions.calls import OUTCOME, UNMODELLED, Candidate, Ranked, Standing, listed, ranked
from serving.decisions.save_rate import SaveRate
from serving.decisions.touches import LISTED, Touch, counted, open_, touches
from serving.scores import lists, movement
from serving.scores.score import Score
from serving.stores.log import Entry, Log, digest
from serving.stores.store import Store
from serving.work import effect, uplift
from serving.work.among import EVERYBODY, Among
from training import causes
from training.outcomes import configured

MOVED = 2
"""As many causes of a change are told in a list."""
TOUCHES = """
SELECT coalesce(outreach, 'row ' || t.account_code || ' ' || coalesce(done, planned)) AS touch, a.account, kind,
    t.owner, epoch_us(planned), epoch_us(done), outcome, coalesce(held_out, false)
FROM read_parquet({outreach}) t JOIN read_parquet({accounts}) a USING (account_code)
WHERE coalesce(done, planned) >= $since
"""


@dataclass(frozen=True)
class Known:
    """What is shown of an account; ``score`` is None where no model says anything."""

    name: str
    owner: str | None
    arr: float | None
    days_to_renewal: float | None
    score: Score | None = None


@dataclass(frozen=True)
class Basis:
    """What no entry of the log changes of the list of a day: who may be on it, and what the exports say was done of late.

    ``label`` is empty, or says that no model has ranked them.
    """

    day: date
    as_of: date
    label: str
    known: dict[str, Known]
    exported: list[Touch]

    @classmethod
    def of(cls, workspace: Workspace, today: date | None = None) -> Basis:
        """The day is the one after the data unless it is told."""
        day = today or frame.observed_until(workspace) + timedelta(days=1)
        since = day - timedelta(days=max(workspace.config.calls.quiet_days, configured(workspace, OUTCOME).span))
        return cls(day, *_known(workspace), _exported(workspace, since))


@dataclass(frozen=True)
class Row:
    """An account to call. What no model says, or is not known, is null; ``before`` is the probability last
    time, ``moved`` what moved it since. ``touch`` and ``planned``: the touch that somebody is to do, and its day.
    """

    account: str
    name: str
    owner: str | None
    worth: float | None
    probability: float | None
    low: float | None
    high: float | None
    before: float | None
    moved: list[str]
    arr: float | None
    days_to_renewal: float | None
    reasons: list[str]
    action: str
    score_id: str | None
    why_not: str = ""
    touch: str | None = None
    planned: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Outreach:
    """The list of a day: whom to call, who came next and why not, how many were kept back by which rule.

    ``label`` is empty, or says that no model has ranked it. ``held_out`` are the accounts drawn at random; they are told
    to who plans the list, never to those who call. ``rate`` is the save rate that it goes by;
    ``uplift_from`` how many randomised accounts taught whom a call helps most, 0 where the list does not go by that.
    ``planned`` are the touches written down and still to do.
    """

    as_of: date
    label: str
    planned: list[Row]
    called: list[Row]
    below: list[Row]
    kept_back: dict[str, str]
    held_out: list[str]
    rate: SaveRate
    uplift_from: int = 0

    @property
    def rules(self) -> Counter[str]:
        """How many each rule keeps back."""
        return Counter(rule.split(":")[0] for rule in self.kept_back.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of.isoformat(),
            "label": self.label,
            "save_rate": self.rate.as_dict(),
            "uplift_from": self.uplift_from,
            "planned": [row.as_dict() for row in self.planned],
            "lines": [row.as_dict() for row in self.called],
            "below": [row.as_dict() for row in self.below],
            "kept_back": dict(self.rules),
            "held_out": len(self.held_out),
        }


def outreach(
    workspace: Workspace,
    capacity: int | None = None,
    among: Among = EVERYBODY,
    today: date | None = None,
    basis: Basis | None = None,
) -> Outreach:
    """Whom to call: the list for everybody, or the part of it that is among some. ``basis`` is that of ``today``, where it
    is known already.

    Without scores the list is there all the same, ranked by ARR and renewal, and says so.
    """
    settings, config = configured(workspace, OUTCOME), workspace.config
    mine = among.accounts(workspace)
    basis = basis or Basis.of(workspace, today)
    day, as_of, label, known = basis.day, basis.as_of, basis.label, basis.known
    found_out = effect.trial(workspace)
    economics, rate = effect.terms(workspace, found_out)
    scores = {account: one.score for account, one in known.items() if one.score is not None}
    saved, learnt_from = uplift.saved(workspace, scores, found_out, economics)
    candidates = {
        account: Candidate(
            account,
            one.owner,
            one.score.probability if one.score else None,
            one.arr,
            one.days_to_renewal,
            saved.get(account),
        )
        for account, one in known.items()
    }
    written = touches(Log(workspace).entries("outreach"))
    found = listed(
        list(candidates.values()),
        standing(workspace, basis.exported, written),
        economics,
        config.calls,
        capacity or settings.capacity,
        day,
        draw=str(as_of),
        window=settings.span,
    )
    to_do = {one.account: one for one in written if open_(one) and one.account in candidates}
    planned = ranked([candidates[account] for account in to_do], economics)

    def rows(chosen: list[Ranked]) -> list[Row]:
        return _rows(workspace, as_of, known, [one for one in chosen if mine is None or one.candidate.account in mine])

    zone = ZoneInfo(config.timezone)
    return Outreach(
        as_of,
        label,
        [_to_do(row, to_do[row.account], zone) for row in rows(planned)],
        rows(found.called),
        rows(found.below),
        {account: rule for account, rule in found.kept_back.items() if mine is None or account in mine},
        [account for account in found.held_out if mine is None or account in mine],
        rate,
        learnt_from,
    )


def standing(workspace: Workspace, exported: Sequence[Touch], written: Sequence[Touch]) -> dict[str, Standing]:
    """What is known of each account by now: of touches in the exports and in the log, and who asked to be left alone."""
    log, zone = Log(workspace), ZoneInfo(workspace.config.timezone)
    window = configured(workspace, OUTCOME).span
    of = {touch.touch: touch for touch in (*exported, *written)}
    found: dict[str, Standing] = {}
    for touch in of.values():
        found[touch.account] = _after(found.get(touch.account, Standing()), touch, zone)
    for one in counted(written, window, zone):
        found[one.account] = replace(found[one.account], drawn=one.day)
    for account in opted_out(log.entries("opt-out")):
        found[account] = replace(found.get(account, Standing()), opted_out=True)
    return found


def opted_out(entries: Iterable[Entry]) -> set[str]:
    """Accounts that have asked not to be called, and have not taken it back."""
    last = {entry.thing: entry for entry in entries}
    return {entry.account for entry in last.values() if entry.event == "out" and entry.contact is None}


def plan(workspace: Workspace, found: Outreach, by: str, at: datetime | None = None) -> int:
    """Write the list down: a touch is planned of everybody called, and who was drawn is held out. Of one as_of there is one
    list: where it is written down already, nothing changes. Returns how many entries are new.
    """
    log, begins = Log(workspace), f"{LISTED}{found.as_of}-"
    if any(entry.thing.startswith(begins) for entry in log.entries("outreach")):
        return 0
    when = at or datetime.combine(
        found.as_of + timedelta(days=1), datetime.min.time(), ZoneInfo(workspace.config.timezone)
    )
    called = [(row.account, "planned", row.owner or by) for row in found.called]
    drawn = [(account, "held out", by) for account in found.held_out]
    return log.add(
        [
            Entry("outreach", f"{begins}{digest(account)[:12]}", event, account, when, who, kind="call")
            for account, event, who in (*called, *drawn)
        ]
    )


def _known(workspace: Workspace) -> tuple[date, str, dict[str, Known]]:
    """Everybody that was scored last; where nobody was, everybody to whom the outcome applies by now."""
    if lines := lists.everybody(workspace, OUTCOME):
        each = {
            line.score.account: Known(line.name, line.owner, line.arr, line.days_to_renewal, line.score)
            for line in lines
        }
        return lines[0].score.as_of, "", each
    as_of = frame.observed_until(workspace)
    rows = frame.feature_frame(workspace, [as_of])
    rows = rows[rows[frame.APPLIES + OUTCOME]]
    names, owners = Store(workspace).names(rows["account"].tolist()), lists.owners(workspace)
    shown = [rows[name].tolist() if name in rows else [math.nan] * len(rows) for name in lists.SHOWN]
    each = {
        account: Known(
            names.get(account, account), owners.get(account), *(None if math.isnan(n) else n for n in numbers)
        )
        for account, *numbers in zip(rows["account"], *shown, strict=True)
    }
    return as_of, UNMODELLED, each


def _exported(workspace: Workspace, since: date) -> list[Touch]:
    """Touches that the exports tell of, of late."""
    folder, report = intake.current(workspace)
    if "outreach" not in report.tables:
        return []
    names = {name: literal(str(folder / f"{name}.parquet")) for name in ("outreach", "accounts")}
    begins = datetime.combine(since, datetime.min.time(), ZoneInfo(workspace.config.timezone))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(TOUCHES.format(**names), {"since": begins}).fetchall()
    return [
        Touch(touch, account, None, kind, owner, _moment(planned), _moment(done), outcome, held)
        for touch, account, kind, owner, planned, done, outcome, held in rows
    ]


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)


def _after(known: Standing, touch: Touch, zone: ZoneInfo) -> Standing:
    day = day_of(touch.last, zone)
    part = "held_out" if touch.held_out else "planned" if touch.done is None else "touched"
    before: date | None = getattr(known, part)
    changed: dict[str, Any] = {part: day if before is None else max(before, day)}
    return replace(known, **changed)


def _to_do(row: Row, touch: Touch, zone: ZoneInfo) -> Row:
    return replace(row, touch=touch.touch, planned=str(day_of(touch.last, zone)))


def _rows(workspace: Workspace, as_of: date, known: dict[str, Known], chosen: list[Ranked]) -> list[Row]:
    of_plan = frame.current_plan(workspace)
    before = Store(workspace).before(OUTCOME, as_of, [one.candidate.account for one in chosen])
    moved = movement.moves(workspace, OUTCOME, list(before))
    return [_row(one, known[one.candidate.account], before, moved, of_plan) for one in chosen]


def _row(one: Ranked, known: Known, before: dict[str, float], moved: dict[str, movement.Moved], of_plan: Plan) -> Row:
    account, score, columns = one.candidate.account, known.score, {column.name: column for column in of_plan.columns}
    reasons = score.reasons if score else []
    raising = [columns[reason.feature] for reason in reasons if reason.contribution > 0 and reason.feature in columns]
    return Row(
        account,
        known.name,
        known.owner,
        one.worth,
        score.probability if score else None,
        score.low if score else None,
        score.high if score else None,
        before.get(account),
        moved[account].said[:MOVED] if account in moved else [],
        known.arr,
        known.days_to_renewal,
        [reason.text for reason in reasons],
        action([frozenset(causes.tables(column, of_plan)) for column in raising]),
        score.score_id if score else None,
        one.why_not,
    )
