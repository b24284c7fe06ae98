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
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from features.errors import PropensityError, one_of
from features.quality import Report
from features.sources.files import literal, quoted
from features.tables import TABLES
from features.workspace import Workspace

UNIT = 1_000_000
NO_VALUE = np.iinfo(np.int64).min
LARGEST_SUM = 2**62


@dataclass(frozen=True)
class Fact:
    """One kind of fact: the rows of ``table`` for which ``at`` is not null and ``where`` holds.

    ``value`` and ``label`` are SQL over the row; ``known`` names columns that must have happened as well.
    Facts of one kind may come from several declarations, as the +1 and -1 of a level do.
    """

    kind: str
    table: str
    at: str
    value: str = ""
    label: str = ""
    where: str = ""
    known: tuple[str, ...] = ()

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
    kind: str, table: str, begins: str, ends: str, value: str = "1", where: str = "", known: tuple[str, ...] = ()
) -> tuple[Fact, Fact]:
    """Plus ``value`` when it begins, minus ``value`` when it ends; never ended where the end is null."""
    return (
        Fact(kind, table, begins, value, where=where, known=known),
        Fact(kind, table, ends, f"-({value})", where=where, known=known),
    )


_ENDS = f"coalesce(ends, {_later('starts', 'cancelled')})"

FACTS: tuple[Fact, ...] = (
    Fact("account.created", "accounts", "created"),
    Fact("account.partner", "accounts", "partner_since", "1", where="partner IS NOT NULL"),
    Fact("usage", "usage", "occurred_at", "value", "event"),
    Fact("ticket.opened", "tickets", "opened", label="severity"),
    Fact("ticket.first_response", "tickets", "first_response", _hours("first_response", "opened")),
    Fact("ticket.resolved", "tickets", "resolved", _hours("resolved", "opened")),
    Fact("ticket.contacts_needed", "tickets", "resolved", "contacts_needed"),
    Fact("ticket.handoffs", "tickets", "resolved", "handoffs"),
    Fact("ticket.escalated", "tickets", "escalated"),
    Fact("ticket.reopened", "tickets", "reopened"),
    *_level("ticket.open", "tickets", "opened", "resolved"),
    *_level(
        "ticket.escalated_open", "tickets", "escalated", _later("escalated", "resolved"), where="escalated IS NOT NULL"
    ),
    Fact("feedback.asked", "feedback", "asked", label="lower(instrument)"),
    Fact("feedback", "feedback", "responded", "score", "lower(instrument)"),
    Fact("feedback.satisfaction", "feedback", "responded", "100 * score / nullif(scale, 0)", "touchpoint"),
    Fact("feedback.promoter", "feedback", "responded", where="instrument = 'NPS' AND score >= 9"),
    Fact("feedback.detractor", "feedback", "responded", where="instrument = 'NPS' AND score < 7"),
    Fact("invoice.issued", "invoices", "issued", "amount"),
    Fact("invoice.paid", "invoices", "paid", "greatest(epoch(paid - due) / 86400, 0)"),
    *_level("invoice.overdue", "invoices", "due", "paid", where="(paid IS NULL OR paid > due)", known=("issued",)),
    *_level("contract.live", "contracts", "starts", _ENDS, known=("signed",)),
    *_level("contract.arr", "contracts", "starts", _ENDS, "arr", known=("signed",)),
    *_level("contract.seats", "contracts", "starts", _ENDS, "seats", known=("signed",)),
    *_level("contract.notice", "contracts", "cancelled", _later("cancelled", _ENDS), where="cancelled IS NOT NULL"),
    Fact("contract.signed", "contracts", "signed", "arr"),
    Fact("contract.discount", "contracts", "signed", "discount"),
    Fact("contract.term", "contracts", "signed", f"epoch({_ENDS}) / 86400", where="ends IS NOT NULL"),
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
    Fact("contact.consented", "contacts", "consent_at", "1", where="consent IS NOT NULL"),
    Fact("advocacy.asked", "advocacy", "asked", label="kind"),
    Fact("advocacy.accepted", "advocacy", "accepted", label="kind"),
    Fact("advocacy.declined", "advocacy", "declined", label="kind"),
    Fact("advocacy.done", "advocacy", "done", "revenue_touched", "kind"),
    Fact("outreach.done", "outreach", "done", label="kind"),
    Fact("outreach.proactive", "outreach", "done", where="proactive"),
    Fact("outreach.reactive", "outreach", "done", where="NOT proactive"),
    Fact("deal.opened", "deals", "opened", "value"),
    Fact("deal.won", "deals", "won", "value"),
    Fact("deal.lost", "deals", "lost", "value"),
    Fact("cost", "costs", "occurred_at", "amount"),
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

    def only(self, label: str = "", role: str = "") -> Facts:
        """The facts with this label, of contacts in this role."""
        keep = np.ones(len(self.occurred), dtype=bool)
        if label:
            keep &= self.label == _code(self.labels, label)
        if role:
            keep &= self.role == _code(self.roles, role)
        before = np.concatenate([[0], np.cumsum(keep)])
        return Facts(
            before[self.offsets],
            self.occurred[keep],
            self.known[keep],
            self.value[keep],
            self.day[keep],
            self.contact[keep],
            self.label[keep],
            self.role[keep],
            self.labels,
            self.roles,
        )


def _code(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -2


def available(report: Report) -> frozenset[str]:
    """The kinds of fact for which the mapped tables have the columns."""
    return frozenset(KINDS) - {fact.kind for fact in FACTS if not _mapped(report, fact.table, fact.needs)}


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


def select(kind: str, folder: Path, workspace: Workspace, report: Report) -> str:
    """SQL for the facts of a kind: account_code, contact_code, occurred, known, value, label, day."""
    there = available(report)
    if kind not in there:
        raise PropensityError(
            f"there are no {kind} facts in this workspace; there are {one_of(there)}",
            "Map the table or column they come from in propensity.toml.",
        )
    return " UNION ALL ".join(_one(fact, folder, workspace, report) for fact in FACTS if fact.kind == kind)


def _one(fact: Fact, folder: Path, workspace: Workspace, report: Report) -> str:
    table, zone = TABLES[fact.table], literal(workspace.config.timezone)
    delay = int(workspace.config.tables[fact.table].delay_hours * 3_600_000_000)
    date_only = report.tables[fact.table].date_only

    def told(instant: str) -> str:
        """When an instant of the row can have been known: where only its day is, with the day's last microsecond."""
        if any(re.search(rf"\b{column}\b", instant) for column in date_only):
            return f"epoch_us(timezone({zone}, timezone({zone}, {instant}) + INTERVAL 1 DAY)) - 1"
        return f"epoch_us({instant})"

    at = fact.at
    also = [*fact.known, *(["recorded_at"] if "recorded_at" in table.by_name else [])]
    arrivals = [told(at), *(f"coalesce({told(quoted(column))}, {told(at)})" for column in also)]
    known = f"greatest({', '.join(arrivals)}) + {delay}"
    where = f"account_code IS NOT NULL AND {at} IS NOT NULL" + (f" AND ({fact.where})" if fact.where else "")
    value = f"CAST(round(({fact.value}) * {UNIT}) AS BIGINT)" if fact.value else "CAST(NULL AS BIGINT)"
    contact = "contact_code" if "contact" in table.by_name else "CAST(NULL AS INTEGER)"
    return (
        f"SELECT account_code, {contact} AS contact_code, epoch_us({at}) AS occurred, {known} AS known, "
        f"{value} AS value, CAST({fact.label or 'NULL'} AS VARCHAR) AS label, "
        f"CAST(datediff('day', DATE '1970-01-01', CAST(timezone({zone}, {at}) AS DATE)) AS INTEGER) AS day "
        f"FROM {literal(str(folder / f'{fact.table}.parquet'))} WHERE {where}"
    )


def load(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    folder: Path,
    workspace: Workspace,
    report: Report,
    accounts: range,
) -> Facts:
    """The facts of one kind for a range of account codes."""
    query = select(kind, folder, workspace, report)
    # The order is total over everything a feature can see, so ties do not depend on the order of the files.
    query = (
        f"SELECT f.account_code, f.contact_code, CASE WHEN f.known >= p.role_known THEN p.role END AS role, f.occurred, f.known, f.value, f.label, f.day FROM ({query}) f "
        f"LEFT JOIN {literal(str(folder / 'people.parquet'))} p ON p.contact_code = f.contact_code "
        f"WHERE f.account_code >= {accounts.start} AND f.account_code < {accounts.stop} "
        "ORDER BY f.account_code, f.occurred, f.known, f.value, f.contact_code, f.label"
    )
    try:
        found = connection.sql(query).to_arrow_table()
    except duckdb.ConversionException as error:  # a value of its own beyond 64 bits
        raise _too_large(kind) from error
    account = found["account_code"].to_numpy()
    value = found["value"].fill_null(int(NO_VALUE)).to_numpy()
    _refuse_overflow(kind, value)
    labels, label = _codes(found["label"])
    roles, role = _codes(found["role"])
    contact = found["contact_code"].fill_null(-1).to_numpy()
    first = contact[contact >= 0].min(initial=np.iinfo(np.int32).max)
    return Facts(
        np.searchsorted(account, np.arange(accounts.start, accounts.stop + 1)).astype(np.int64),
        found["occurred"].to_numpy(),
        found["known"].to_numpy(),
        value,
        found["day"].to_numpy(),
        np.where(contact >= 0, contact - first, -1).astype(np.int32),
        label,
        role,
        labels,
        roles,
    )


def _codes(column: object) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    encoded = column.combine_chunks().dictionary_encode()  # type: ignore[attr-defined]
    return tuple(encoded.dictionary.to_pylist()), encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(
        np.int32
    )


def _refuse_overflow(kind: str, value: npt.NDArray[np.int64]) -> None:
    real = value[value != NO_VALUE]
    if len(real) and float(np.abs(real.astype(np.float64)).sum()) > LARGEST_SUM:
        raise _too_large(kind)


def _too_large(kind: str) -> PropensityError:
    return PropensityError(
        f"the values of {kind} facts add up to more than {LARGEST_SUM // UNIT:,}",
        "State them in a larger unit in the table's mapping.",
    )
