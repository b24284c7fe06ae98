"""Alerts: raised once by their cause, open until somebody closes them or the cause is gone; who and when is in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from features import frame, windows
from features.errors import PropensityError
from features.workspace import Workspace
from serving.decisions.alerts import RULES, Found, found, severity
from serving.scores import lists
from serving.stores.log import Entry, Log
from serving.stores.store import Store
from serving.work.known import Known
from serving.work.watched import Numbers, watched

BY_ITSELF = "propensity"
"""Who raises alerts, and closes those whose cause is gone."""
GONE = "its cause is gone"
NO_CUSTOMER = "the account is no customer any more, or has given notice"
CONFLICT = 409


@dataclass(frozen=True)
class Alert:
    """An open alert. ``new``: raised by this run. ``severity`` follows from ``arr``, what is at stake (null: not known)."""

    alert: str
    rule: str
    account: str
    name: str
    owner: str | None
    contact: str | None
    words: str
    since: date
    deadline: date
    overdue: bool
    severity: str
    arr: float | None
    new: bool

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"since": str(self.since), "deadline": str(self.deadline)}


@dataclass(frozen=True)
class Closed:
    """An alert that this run has closed, and why."""

    alert: str
    rule: str
    account: str
    why: str


@dataclass(frozen=True)
class Alerted:
    """What is open as of a day, what was closed by this run because its cause is gone, and which rules could not be judged
    (their alerts stay as they are). ``written``: whether anything could be; looking back writes nothing.
    """

    as_of: date
    open: list[Alert]
    closed: list[Closed]
    snoozed: int
    not_judged: dict[str, str]
    written: bool

    @property
    def new(self) -> int:
        return sum(one.new for one in self.open)

    def counts(self) -> dict[str, Any]:
        return {"open": len(self.open), "new": self.new, "closed": len(self.closed), "snoozed": self.snoozed}

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.as_of),
            "open": [one.as_dict() for one in self.open],
            "new": self.new,
            "closed": [vars(one) for one in self.closed],
            "snoozed": self.snoozed,
            "not_judged": self.not_judged,
            "written": self.written,
        }


@dataclass(frozen=True)
class _State:
    """Where an alert stands: the first and the last entry about it."""

    first: Entry
    last: Entry

    @property
    def closed(self) -> bool:
        return self.last.event == "closed"

    @property
    def by_itself(self) -> bool:
        return self.closed and self.last.by == BY_ITSELF

    def asleep(self, today: date) -> bool:
        return self.last.event == "snoozed" and today < date.fromisoformat(self.last.value or "")


@dataclass(frozen=True)
class Watch:
    """What every rule finds of everybody that may be scored, when the log had ``written`` entries."""

    known: Known
    written: int
    numbers: Numbers
    found: dict[str, list[Found]]
    not_judged: dict[str, str]

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        as_of: date | None = None,
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> Watch:
        """Looking back, by what was known then; without ``as_of``, by now."""
        last = frame.observed_until(workspace)
        if as_of is not None and as_of > last:
            raise PropensityError(
                f"--as-of is {as_of}, and the data ends on {last}", "Name that day or an earlier one."
            )
        known, written = Known(workspace, as_of or last, by_now=as_of is None), Log(workspace).number()
        not_judged = {name: why for name, rule in RULES.items() if (why := _missing(known, rule.needs))}
        made = cls(known, written, Numbers.known(known, progress), {}, not_judged)
        return replace(made, found=made.judged(known))

    def by_now(self) -> Watch:
        """The same with all that the log says by now: whoever it says nothing new of is not judged again."""
        changed, known = tuple(Log(self.known.workspace).accounts(self.written)), replace(self.known)
        found = self.found | self.judged(replace(known, accounts=changed)) if changed else self.found
        return replace(self, known=known, found=found)

    def judged(self, known: Known) -> dict[str, list[Found]]:
        """Of each account that is known of, by the rules that can be judged."""
        rules = [name for name in RULES if name not in self.not_judged]
        customers, terms = watched(known, self.numbers), known.workspace.config.alerts
        return {account: found([one], terms, rules) for account, one in customers.items()}


def alerts(
    workspace: Workspace,
    as_of: date | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
    write: bool = True,
    watch: Watch | None = None,
) -> Alerted:
    """Run every rule and raise what is new; by itself, once. Without ``write`` nothing is raised nor closed. With ``as_of``,
    look back by what was known then, and write nothing. What a person has closed stays closed; a cause that was gone and is
    back is another one. ``watch`` is what was found by now, where that is known already.
    """
    watch = watch or Watch.of(workspace, as_of, progress)
    known, looking_back = watch.known, as_of is not None
    all_found = [one for found_here in watch.found.values() for one in found_here]
    states = _states(known.entries("alert"))
    there = {one.alert(_round(one, states)): one for one in all_found}
    new = {alert: one for alert, one in there.items() if alert not in states}
    closed: list[Closed] = []
    writing = write and not looking_back
    if writing:
        Log(workspace).add([_raised(alert, one, known) for alert, one in new.items()])
        closed = _close_what_is_gone(watch, states, there)
    awake, asleep = {}, 0
    for alert, one in there.items():
        state = states.get(alert)
        if state is not None and state.asleep(known.day + timedelta(days=1)):
            asleep += 1
        elif state is None or not state.closed:
            awake[alert] = one
    return Alerted(known.day, _shown(watch, awake, new), closed, asleep, watch.not_judged, writing)


def of_owner(workspace: Workspace, alerted: Alerted, owner: str) -> Alerted:
    """The part that is one owner's; raises PropensityError where nobody is called that."""
    mine = set(lists.of_owner(workspace, owner))
    return replace(
        alerted,
        open=[one for one in alerted.open if one.account in mine],
        closed=[one for one in alerted.closed if one.account in mine],
    )


def close(workspace: Workspace, alert: str, by: str, why: str, now: datetime | None = None) -> Entry:
    """Somebody has dealt with it: it is not raised again. Raises PropensityError where there is no such alert, or it is
    closed already.
    """
    return _follow(workspace, alert, "closed", by, why, now)


def snooze(workspace: Workspace, alert: str, by: str, until: date, now: datetime | None = None) -> Entry:
    """Not shown before ``until``; once for each alert."""
    return _follow(workspace, alert, "snoozed", by, until.isoformat(), now)


def _follow(workspace: Workspace, alert: str, event: str, by: str, value: str, now: datetime | None) -> Entry:
    log, when = Log(workspace), now or datetime.now(UTC).replace(microsecond=0)
    first = log.of(alert)[0]
    entry = Entry("alert", alert, event, first.account, when, by, first.contact, value=value)
    log.add([entry])
    return entry


def _states(entries: Iterable[Entry]) -> dict[str, _State]:
    states: dict[str, _State] = {}
    for entry in entries:
        there = states.get(entry.thing)
        states[entry.thing] = _State(entry, entry) if there is None else replace(there, last=entry)
    return states


def _round(one: Found, states: Mapping[str, _State]) -> int:
    """How often the cause was gone, so that its alert closed by itself."""
    times = 0
    while (state := states.get(one.alert(times))) is not None and state.by_itself:
        times += 1
    return times


def _raised(alert: str, one: Found, known: Known) -> Entry:
    """The same for the same cause, whoever runs it and when: written twice, it is there once."""
    at = windows.moment(windows.midnight(one.cause.since, known.workspace.config.timezone))
    return Entry("alert", alert, "raised", one.account, at, BY_ITSELF, one.cause.contact, one.rule, one.cause.fact)


def _close_what_is_gone(watch: Watch, states: Mapping[str, _State], there: Mapping[str, Found]) -> list[Closed]:
    closed, known = [], watch.known
    log = Log(known.workspace)
    for alert, state in states.items():
        rule, account = state.first.kind or "", state.first.account
        if state.closed or alert in there or rule in watch.not_judged:
            continue
        why = GONE if account in watch.numbers.of else NO_CUSTOMER
        entry = Entry("alert", alert, "closed", account, max(known.instant, state.last.at), BY_ITSELF, value=why)
        try:
            log.add([entry])
        except PropensityError as error:
            if error.status != CONFLICT:
                raise
            continue  # somebody has closed it in the meantime
        closed.append(Closed(alert, rule, account, why))
    return closed


def _missing(known: Known, needs: Iterable[str]) -> str:
    """Which tables are not mapped without which a rule cannot be judged; nothing where all are there."""
    missing = [one for one in needs if not any(known.mapped(table) for table in one.split(" or "))]
    return f"not mapped: {', '.join(missing)}" if missing else ""


def _shown(watch: Watch, awake: Mapping[str, Found], new: Mapping[str, Found]) -> list[Alert]:
    """Those with most ARR first, then what is due first."""
    workspace, day = watch.known.workspace, watch.known.day
    names = Store(workspace).names(sorted({one.account for one in awake.values()}))
    owners = lists.owners(workspace)
    arrs = {account: arr for account, (arr, *_) in watch.numbers.of.items()}
    sizes = sorted(arr for arr in arrs.values() if arr is not None)
    shown = [
        Alert(
            alert, one.rule, one.account, names.get(one.account, one.account), owners.get(one.account), one.cause.contact,
            one.cause.words, one.cause.since, one.cause.deadline, one.cause.deadline <= day,
            severity(arrs[one.account], sizes), arrs[one.account], alert in new,
        )
        for alert, one in awake.items()
    ]  # fmt: skip
    return sorted(shown, key=lambda one: (-(one.arr or 0.0), one.deadline, one.alert))
