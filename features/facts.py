"""Tables → immutable facts with two clocks: when it happened, and when it was known.

A row of a mutable table is several facts: a ticket is opened, answered,
resolved, each at its own instant. State is a *level*: the running sum of facts
worth +1 and -1 (open tickets, live ARR), so there is no current value to leak.

``known`` is the latest of: when it happened, the row's ``recorded_at``, the
columns the declaration names, plus the source's usual delay. A fact of which
only the day is known occurs as the day begins and is known by its last
microsecond. Values are fixed-point integers in millionths, so that sums are
exact whatever the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.database import literal, quoted
from features.errors import PropensityError, one_of
from features.quality import Report
from features.tables import TABLES
from features.workspace import Workspace

UNIT = 1_000_000
NO_VALUE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Fact:
    """One kind of fact: the rows of ``table`` for which ``at`` is not null and ``where`` holds.

    ``value`` and ``label`` are SQL over the row; ``known`` names columns that must have happened as well.
    Facts of one kind may come from several declarations, as the +1 and -1 of a level do. ``about`` makes them facts
    about an account that happened to its relatives: its parent, or the other accounts of that parent.
    """

    kind: str
    table: str
    at: str
    value: str = ""
    label: str = ""
    where: str = ""
    known: tuple[str, ...] = ()
    about: Literal["", "parent", "siblings"] = ""

    @property
    def of_people(self) -> bool:
        """Does a row say which contact it is of?"""
        return "contact" in TABLES[self.table].by_name and not self.about

    @property
    def needs(self) -> frozenset[str]:
        """The columns without which there are no such facts."""
        return self._columns(f"{self.at} {self.label} {self.where}")

    @property
    def value_needs(self) -> frozenset[str]:
        """The columns without which they have no value."""
        return self._columns(self.value)

    def _columns(self, sql: str) -> frozenset[str]:
        words = set(re.findall(r"[a-z_]+", sql))
        optional = {column.name for column in TABLES[self.table].columns if column.default}
        return frozenset(
            words & set(TABLES[self.table].by_name) - optional - _ALTERNATIVES.get(self.table, frozenset())
        )


_ALTERNATIVES = {"contracts": frozenset({"ends", "cancelled"}), "feedback": frozenset({"asked"})}
"""Columns of which any one will do."""


def _hours(later: str, earlier: str) -> str:
    return f"epoch({later} - {earlier}) / 3600"


def _later(begins: str, ends: str) -> str:
    """The end of a state that cannot end before it begins; null while it lasts (greatest by itself skips nulls)."""
    return f"CASE WHEN {ends} IS NOT NULL THEN greatest({begins}, {ends}) END"


def _level(
    kind: str,
    table: str,
    begins: str,
    ends: str,
    value: str = "1",
    where: str = "",
    known: tuple[str, ...] = (),
    about: Literal["", "parent", "siblings"] = "",
) -> tuple[Fact, Fact]:
    """Plus ``value`` when it begins, minus ``value`` when it ends; never ended where the end is null."""
    return (
        Fact(kind, table, begins, value, where=where, known=known, about=about),
        Fact(kind, table, ends, f"-({value})", where=where, known=known, about=about),
    )


TERM_ENDS = f"coalesce(ends, {_later('starts', 'cancelled')})"
"""When a contract stops: as agreed, or with the notice where no end was agreed."""
_OF_100 = "100 * score / nullif(scale, 0)"
_DECIDED = "least(won, lost)"

FACTS: tuple[Fact, ...] = (
    Fact("account.created", "accounts", "created"),
    Fact("account.partner", "accounts", "partner_since", "1", where="partner IS NOT NULL"),
    Fact("account.abroad", "accounts", "created", "CAST(buying_country <> using_country AS INTEGER)"),
    Fact("usage", "usage", "occurred_at", "value", "event"),
    Fact("ticket.opened", "tickets", "opened", label="severity"),
    Fact("ticket.channel", "tickets", "opened", label="channel", where="channel IS NOT NULL"),
    Fact("ticket.sentiment", "tickets", "opened", "sentiment", where="sentiment IS NOT NULL"),
    Fact("ticket.negative", "tickets", "opened", "CAST(sentiment < 0 AS INTEGER)", where="sentiment IS NOT NULL"),
    Fact("ticket.topic", "tickets", "opened", label="topic", where="topic IS NOT NULL"),
    Fact("ticket.first_response", "tickets", "first_response", _hours("first_response", "opened")),
    Fact("ticket.resolved", "tickets", "resolved", _hours("resolved", "opened")),
    Fact("ticket.contacts_needed", "tickets", "resolved", "contacts_needed"),
    Fact("ticket.first_contact", "tickets", "resolved", "CAST(contacts_needed = 1 AS INTEGER)"),
    Fact("ticket.handoffs", "tickets", "resolved", "handoffs"),
    Fact("ticket.escalated", "tickets", "escalated"),
    Fact("ticket.reopened", "tickets", "reopened"),
    *_level("ticket.open", "tickets", "opened", "resolved"),
    *_level("ticket.waiting", "tickets", "opened", "least(first_response, resolved)"),
    *_level(
        "ticket.escalated_open", "tickets", "escalated", _later("escalated", "resolved"), where="escalated IS NOT NULL"
    ),
    Fact("feedback.asked", "feedback", "asked", label="lower(instrument)"),
    Fact("feedback", "feedback", "responded", "score", "lower(instrument)"),
    Fact("feedback.satisfaction", "feedback", "responded", _OF_100, "touchpoint"),
    Fact("feedback.sentiment", "feedback", "responded", "sentiment", "touchpoint", "sentiment IS NOT NULL"),
    Fact("feedback.topic", "feedback", "responded", label="topic", where="topic IS NOT NULL"),
    Fact("feedback.promoter", "feedback", "responded", where="instrument = 'NPS' AND score >= 9"),
    Fact("feedback.detractor", "feedback", "responded", where="instrument = 'NPS' AND score < 7"),
    Fact("feedback.unhappy", "feedback", "responded", where="score <= scale / 2"),
    Fact(
        "feedback.value",
        "feedback",
        "responded",
        _OF_100,
        where="instrument = 'CES' OR (instrument = 'CSAT' AND touchpoint = 'product')",
    ),
    Fact(
        "feedback.moment",
        "feedback",
        "responded",
        _OF_100,
        "touchpoint",
        "touchpoint IN ('onboarding', 'support', 'review meeting', 'renewal')",
    ),
    Fact(
        "feedback.response_time", "feedback", "responded", "epoch(responded - asked) / 86400", where="asked IS NOT NULL"
    ),
    *_level("feedback.open", "feedback", "asked", "responded", where="asked IS NOT NULL"),
    Fact("invoice.issued", "invoices", "issued", "amount"),
    Fact("invoice.paid", "invoices", "paid", "greatest(epoch(paid - due) / 86400, 0)"),
    *_level("invoice.overdue", "invoices", "due", "paid", where="(paid IS NULL OR paid > due)", known=("issued",)),
    *_level("invoice.owed", "invoices", "due", "paid", "amount", "(paid IS NULL OR paid > due)", ("issued",)),
    Fact("invoice.on_time", "invoices", "paid", where="paid <= due"),
    *_level("contract.live", "contracts", "starts", TERM_ENDS, known=("signed",)),
    *_level("contract.arr", "contracts", "starts", TERM_ENDS, "arr", known=("signed",)),
    *_level("contract.seats", "contracts", "starts", TERM_ENDS, "seats", known=("signed",)),
    *_level("contract.notice", "contracts", "cancelled", _later("cancelled", TERM_ENDS), where="cancelled IS NOT NULL"),
    Fact("contract.signed", "contracts", "signed", "arr"),
    Fact("contract.line", "contracts", "signed", label="line_of_business", where="line_of_business IS NOT NULL"),
    Fact("contract.lead", "contracts", "signed", "epoch(starts - signed) / 86400"),
    Fact("contract.length", "contracts", "signed", "epoch(ends - starts) / 86400", where="ends IS NOT NULL"),
    Fact("contract.ended", "contracts", TERM_ENDS, known=("signed",)),
    Fact("contract.cancelled", "contracts", "cancelled"),
    Fact("contract.discount", "contracts", "signed", "discount"),
    Fact("contract.term", "contracts", "signed", f"epoch({TERM_ENDS}) / 86400", where="ends IS NOT NULL"),
    Fact("contract.auto_renew", "contracts", "signed", "CAST(auto_renew AS INTEGER)"),
    Fact("contact.joined", "contacts", "joined"),
    Fact("contact.left", "contacts", '"left"'),
    *_level("contact.present", "contacts", "joined", '"left"'),
    *_level(
        "contact.decision_maker",
        "contacts",
        "joined",
        '"left"',
        where="role IN ('decision maker', 'executive sponsor')",
    ),
    *_level("contact.champion_contact", "contacts", "joined", '"left"', where="champion_contact"),
    Fact("contact.champion_contact_left", "contacts", '"left"', where="champion_contact"),
    Fact("contact.champion_contact_joined", "contacts", "joined", where="champion_contact"),
    Fact("contact.consented", "contacts", "consent_at", "1", where="consent IS NOT NULL"),
    Fact("advocacy.asked", "advocacy", "asked", label="kind"),
    Fact("advocacy.accepted", "advocacy", "accepted", label="kind"),
    Fact("advocacy.declined", "advocacy", "declined", label="kind"),
    Fact("advocacy.done", "advocacy", "done", "revenue_touched", "kind"),
    Fact("advocacy.unasked", "advocacy", "done", label="kind", where="asked IS NULL"),
    *_level("advocacy.open", "advocacy", "asked", "least(accepted, declined, done)", where="asked IS NOT NULL"),
    *_level(
        "advocacy.promised",
        "advocacy",
        "accepted",
        _later("accepted", "least(declined, done)"),
        where="accepted IS NOT NULL",
    ),
    Fact("outreach.done", "outreach", "done", label="kind"),
    Fact("outreach.proactive", "outreach", "done", where="proactive"),
    Fact("outreach.reactive", "outreach", "done", where="NOT proactive"),
    Fact(
        "outreach.outcome",
        "outreach",
        "done",
        label="lower(outcome)",
        where="outcome IS NOT NULL",
        known=("outcome_at",),
    ),
    Fact("outreach.event", "outreach", "done", where="lower(kind) IN ('event', 'webinar', 'training', 'user group')"),
    Fact("deal.opened", "deals", "opened", "value"),
    Fact("deal.won", "deals", "won", "value"),
    Fact("deal.lost", "deals", "lost", "value"),
    Fact("deal.decided", "deals", _DECIDED),
    Fact("deal.product", "deals", "won", label="product", where="product IS NOT NULL"),
    *_level("deal.open", "deals", "opened", _DECIDED),
    *_level("deal.pipeline", "deals", "opened", _DECIDED, "value"),
    Fact("cost", "costs", "occurred_at", "amount"),
    *_level("parent.live", "contracts", "starts", TERM_ENDS, known=("signed",), about="parent"),
    Fact("parent.notice", "contracts", "cancelled", about="parent"),
    Fact("siblings.created", "accounts", "created", about="siblings"),
    *_level("siblings.live", "contracts", "starts", TERM_ENDS, known=("signed",), about="siblings"),
    *_level("siblings.arr", "contracts", "starts", TERM_ENDS, "arr", known=("signed",), about="siblings"),
    Fact("siblings.notice", "contracts", "cancelled", about="siblings"),
    Fact("siblings.lost", "contracts", _later("cancelled", TERM_ENDS), where="cancelled IS NOT NULL", about="siblings"),
    Fact("siblings.escalated", "tickets", "escalated", about="siblings"),
    Fact("siblings.satisfaction", "feedback", "responded", _OF_100, about="siblings"),
    Fact("siblings.act", "advocacy", "done", label="kind", about="siblings"),
)
KINDS = tuple(dict.fromkeys(fact.kind for fact in FACTS))


@dataclass(frozen=True)
class Facts:
    """Facts of one kind for a range of accounts, by account and then by the instant they happened.

    ``offsets`` delimits the accounts; ``occurred`` and ``known`` are instants, ``value`` millionths (``NO_VALUE``
    where the fact has none), ``day`` the local day, ``contact``, ``label`` and ``role`` are codes (-1: none).
    """

    offsets: npt.NDArray[np.int64]
    occurred: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    value: npt.NDArray[np.int64]
    day: npt.NDArray[np.int32]
    contact: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    role: npt.NDArray[np.int32]
    labels: tuple[str, ...]
    roles: tuple[str, ...]

    @cached_property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """As the compiled code takes them: only to be read, wherever they come from, so that it is compiled once."""
        arrays = (
            self.offsets,
            self.occurred,
            self.known,
            self.value,
            self.day,
            self.contact,
            self.label,
            self.role,
        )
        return tuple(_read_only(one) for one in arrays)

    def of(self, accounts: range) -> Facts:
        """Those of some of the accounts."""
        offsets = self.offsets[accounts.start : accounts.stop + 1]
        begin, end = int(offsets[0]), int(offsets[-1])
        return Facts(
            offsets - begin,
            self.occurred[begin:end],
            self.known[begin:end],
            self.value[begin:end],
            self.day[begin:end],
            self.contact[begin:end],
            self.label[begin:end],
            self.role[begin:end],
            self.labels,
            self.roles,
        )

    def by_contact(self, contacts: range) -> Facts:
        """Those that name one of these contacts, delimited by contact instead of account."""
        order = np.argsort(self.contact, kind="stable")  # within a contact they stay in the order of time
        offsets = np.searchsorted(self.contact[order], np.arange(contacts.start, contacts.stop + 1)).astype(np.int64)
        order = order[offsets[0] : offsets[-1]]
        return replace(
            self,
            offsets=offsets - offsets[0],
            occurred=self.occurred[order],
            known=self.known[order],
            value=self.value[order],
            day=self.day[order],
            contact=self.contact[order],
            label=self.label[order],
            role=self.role[order],
        )


def _read_only(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    seen = array.view()
    seen.flags.writeable = False
    return seen


def available(report: Report) -> frozenset[str]:
    """The kinds of fact for which the mapped tables have the columns."""
    return frozenset(KINDS) - {
        fact.kind
        for fact in FACTS
        if not _mapped(report, fact.table, fact.needs)
        or (fact.about and not _mapped(report, "accounts", frozenset({"parent"})))
    }


def valued(report: Report) -> frozenset[str]:
    """The kinds of fact whose values the mapped tables have."""
    return available(report) - {fact.kind for fact in FACTS if not _mapped(report, fact.table, fact.value_needs)}


def _mapped(report: Report, table: str, columns: frozenset[str]) -> bool:
    return table in report.tables and columns <= set(report.tables[table].columns)


def split_stream(stream: str) -> tuple[str, str]:
    """``usage.watch`` → kind ``usage``, label ``watch``; a kind by itself has no label."""
    if stream in KINDS:
        return stream, ""
    kind, _, label = stream.rpartition(".")
    if kind in KINDS and label:
        return kind, label
    raise PropensityError(
        f"no facts are called {stream!r}; there are {one_of(KINDS)}",
        "Name one of these, or one with a label, such as usage.login or feedback.rating.",
    )


def select(kind: str, folder: Path, workspace: Workspace, report: Report, label: str = "") -> str:
    """SQL for the facts of a kind: account_code, contact_code, occurred, known, value, label, day.

    ``label`` is SQL over the row and tells the same facts apart by something else than what they are declared with.
    """
    there = available(report)
    if kind not in there:
        raise not_there(kind, there)
    chosen = [replace(fact, label=label or fact.label) for fact in FACTS if fact.kind == kind]
    return " UNION ALL ".join(_one(fact, folder, workspace, report) for fact in chosen)


def not_there(kind: str, there: Iterable[str]) -> PropensityError:
    return PropensityError(
        f"there are no {kind} facts in this workspace; there are {one_of(there)}",
        "Map the table or column they come from in propensity.toml.",
    )


def _midnight_after(instant: str, zone: str) -> str:
    """The midnight that ends the instant's local day: the first one, where clocks are put back over it."""
    local = f"timezone({zone}, {instant}) + INTERVAL 1 DAY"
    later = f"timezone({zone}, {local})"
    return f"CASE WHEN timezone({zone}, {later} - INTERVAL 1 HOUR) = {local} THEN {later} - INTERVAL 1 HOUR ELSE {later} END"


def _one(fact: Fact, folder: Path, workspace: Workspace, report: Report) -> str:
    table, zone = TABLES[fact.table], literal(workspace.config.timezone)
    delay = int(workspace.config.delay_hours(fact.table) * 3_600_000_000)
    date_only = report.tables[fact.table].date_only

    def told(instant: str) -> str:
        """When an instant of the row can have been known: where only its day is, with the day's last microsecond."""
        if any(re.search(rf"\b{column}\b", instant) for column in date_only):
            return f"epoch_us({_midnight_after(instant, zone)}) - 1"
        return f"epoch_us({instant})"

    at = fact.at
    also = [*fact.known, *(["recorded_at"] if "recorded_at" in table.by_name else [])]
    arrivals = [told(at), *(f"coalesce({told(quoted(column))}, {told(at)})" for column in also)]
    known = f"greatest({', '.join(arrivals)}) + {delay}"
    where = f"account_code IS NOT NULL AND {at} IS NOT NULL" + (f" AND ({fact.where})" if fact.where else "")
    value = f"CAST(round(({fact.value}) * {UNIT}) AS BIGINT)" if fact.value else "CAST(NULL AS BIGINT)"
    rows = literal(str(folder / f"{fact.table}.parquet"))
    if fact.about:
        relatives = literal(str(folder / "relatives.parquet"))
        rows = (
            f"(SELECT r.account_code, t.* EXCLUDE (account_code) FROM {rows} t "
            f"JOIN {relatives} r ON r.relative = t.account_code WHERE r.relation = {literal(fact.about)})"
        )
    contact = "contact_code" if fact.of_people else "CAST(NULL AS INTEGER)"
    return (
        f"SELECT account_code, {contact} AS contact_code, epoch_us({at}) AS occurred, {known} AS known, "
        f"{value} AS value, CAST({fact.label or 'NULL'} AS VARCHAR) AS label, "
        f"CAST(datediff('day', DATE '1970-01-01', CAST(timezone({zone}, {at}) AS DATE)) AS INTEGER) AS day "
        f"FROM {rows} WHERE {where}"
    )
