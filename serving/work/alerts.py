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
from serving.decisions.customer import Customer
from serving.scores import lists
from serving.stores.log import Entry, Log
from serving.stores.store import Store
from serving.work.known import Known
from serving.work.watched import watched

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


def alerts(
    workspace: Workspace,
    as_of: date | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
    write: bool = True,
) -> Alerted:
    """Run every rule and raise what is new; by itself, once. Without ``write`` nothing is raised nor closed. With ``as_of``,
    look back by what was known then, and write nothing. What a person has closed stays closed; a cause that was gone and is back is another one.
    """
    day, looking_back = as_of or frame.observed_until(workspace), as_of is not None
    if day > frame.observed_until(workspace):
        raise PropensityError(
            f"--as-of is {day}, and the data ends on {frame.observed_until(workspace)}",
            "Name that day or an earlier one.",
        )
    known = Known(workspace, day, by_now=not looking_back)
    not_judged = {name: why for name, rule in RULES.items() if (why := _missing(known, rule.needs))}
    customers = watched(known, progress)
    all_found = found(customers.values(), workspace.config.alerts, [name for name in RULES if name not in not_judged])
    states = _states(known.entries("alert"))
    there = {one.alert(_round(one, states)): one for one in all_found}
    new = {alert: one for alert, one in there.items() if alert not in states}
    closed: list[Closed] = []
    writing = write and not looking_back
    if writing:
        Log(workspace).add([_raised(alert, one, known) for alert, one in new.items()])
        closed = _close_what_is_gone(known, states, there, customers, not_judged)
    awake, asleep = {}, 0
    for alert, one in there.items():
        state = states.get(alert)
        if state is not None and state.asleep(day + timedelta(days=1)):
            asleep += 1
        elif state is None or not state.closed:
            awake[alert] = one
    return Alerted(day, _shown(workspace, awake, customers, new), closed, asleep, not_judged, writing)


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


def _close_what_is_gone(
    known: Known,
    states: Mapping[str, _State],
    there: Mapping[str, Found],
    customers: Mapping[str, Customer],
    not_judged: Mapping[str, str],
) -> list[Closed]:
    closed, log = [], Log(known.workspace)
    for alert, state in states.items():
        rule, account = state.first.kind or "", state.first.account
        if state.closed or alert in there or rule in not_judged:
            continue
        why = GONE if account in customers else NO_CUSTOMER
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


def _shown(
    workspace: Workspace, awake: Mapping[str, Found], customers: Mapping[str, Customer], new: Mapping[str, Found]
) -> list[Alert]:
    """Those with most ARR first, then what is due first."""
    names = Store(workspace).names(sorted({one.account for one in awake.values()}))
    owners = lists.owners(workspace)
    sizes = sorted(one.arr for one in customers.values() if one.arr is not None)
    shown = [
        Alert(
            alert, one.rule, one.account, names.get(one.account, one.account), owners.get(one.account), one.cause.contact,
            one.cause.words, one.cause.since, one.cause.deadline, one.cause.deadline <= customers[one.account].day,
            severity(customers[one.account].arr, sizes), customers[one.account].arr, alert in new,
        )
        for alert, one in awake.items()
    ]  # fmt: skip
    return sorted(shown, key=lambda one: (-(one.arr or 0.0), one.deadline, one.alert))
