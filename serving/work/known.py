"""What was known by the end of a day: rows of the canonical tables as they stood then, with what our own log said by then.

The clocks are those of ``features.facts``: what a column tells counts once it has happened *and* the row had arrived,
later by the source's usual delay; what is only dated is known when its day ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import sqlalchemy as sa

from features import intake
from features.database import literal, quoted
from features.quality import Report
from features.tables import TABLES
from features.windows import as_of_instant, moment
from features.workspace import Workspace
from serving.decisions.asks import asks, day_of
from serving.decisions.happened import Act, Answer, Contact, Handled, Won
from serving.decisions.touches import touches
from serving.stores.log import Entry, Log
from serving.stores.store import BATCHES, SCORES, Store

ANSWERS = "a.account, p.contact, {responded}, t.instrument, t.score, t.scale"
TOUCHES = "coalesce(outreach, 'row ' || t.account_code || ' ' || t.done), a.account, p.contact, {done}, t.kind"
RESPONSES = "a.account, p.contact, {first_response}"
ACTS = (
    "coalesce(act, 'row ' || a.account || ' ' || coalesce(t.asked, t.done) || ' ' || t.kind), a.account, p.contact, "
    "t.kind, {asked}, {accepted}, {declined}, {done}, t.revenue_touched"
)
WON = "t.deal, {won}, t.value"
HEARD_OF = "{joined} IS NOT NULL OR (t.joined IS NULL AND coalesce(t.recorded_at < $as_of, true))"
CONTACTS = "p.contact, a.account, coalesce(t.role, 'user'), coalesce(t.champion_contact, false), {joined}, {left}"


@dataclass(frozen=True)
class Known:
    """As of the end of ``day``. With ``by_now``, what our own log says counts whenever it was written down: for what is to
    be done today. With ``accounts`` it is about these alone. A table that is not mapped is as if it were empty;
    ``mapped`` tells.
    """

    workspace: Workspace
    day: date
    by_now: bool = False
    accounts: tuple[str, ...] | None = None

    @cached_property
    def instant(self) -> datetime:
        """The end of the day."""
        return moment(as_of_instant(self.day, self.workspace.config.timezone))

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.workspace.config.timezone)

    def mapped(self, table: str) -> bool:
        return table in self._tables[1].tables

    def answers(self) -> list[Answer]:
        rows = self.rows("feedback", ANSWERS, "{responded} IS NOT NULL")
        return [
            Answer(account, contact, moment(at), instrument, score, scale)
            for account, contact, at, instrument, score, scale in rows
        ]

    def handled(self) -> list[Handled]:
        """Touches that were done, and first answers to tickets."""
        rows = self.rows("outreach", TOUCHES, "{done} IS NOT NULL")
        of = {touch: Handled(account, contact, moment(at), kind) for touch, account, contact, at, kind in rows}
        for touch in touches(self.entries("outreach")):
            if touch.done is not None:
                of[touch.touch] = Handled(touch.account, touch.contact, touch.done, touch.kind)
        responses = self.rows("tickets", RESPONSES, "{first_response} IS NOT NULL")
        return [*of.values(), *(Handled(account, contact, moment(at), "ticket") for account, contact, at in responses)]

    def acts(self) -> list[Act]:
        """Asks and acts, also those that nobody asked for."""
        of: dict[str, Act] = {}
        for act, account, contact, kind, asked, accepted, declined, done, revenue in self.rows(
            "advocacy", ACTS, "{asked} IS NOT NULL OR {done} IS NOT NULL"
        ):
            days = (self._day(asked), self._day(accepted), self._day(declined), self._day(done))
            of[act] = Act(act, account, contact, kind, *days, None if done is None else revenue)
        for one in asks(self.entries("ask"), self.zone):
            revenue = of[one.ask].revenue if one.ask in of else None
            days = (one.asked, one.accepted, one.declined, one.done)
            of[one.ask] = Act(one.ask, one.account, one.contact, one.kind, *days, revenue)
        return list(of.values())

    def won(self) -> list[Won]:
        return [Won(deal, moment(at), value) for deal, at, value in self.rows("deals", WON, "{won} IS NOT NULL")]

    def contacts(self) -> list[Contact]:
        """Everybody we had heard of, those who have left among them."""
        rows = self.rows("contacts", CONTACTS, HEARD_OF)
        return [
            Contact(contact, account, role, champion, _moment(joined), _moment(left))
            for contact, account, role, champion, joined, left in rows
        ]

    def entries(self, about: str) -> list[Entry]:
        """What our own log said of a kind by then."""
        return [one for one in self._log if one.about == about and (self.by_now or self._told(one))]

    def risks(self, outcome: str, exactly: bool = False) -> tuple[date, dict[str, float]] | None:
        """The scores shown for the day (or the last ones before it): their as_of, account → probability."""
        of_day = BATCHES.c.as_of == self.day if exactly else BATCHES.c.as_of <= self.day
        last = sa.select(BATCHES).where(BATCHES.c.outcome == outcome, of_day).order_by(BATCHES.c.as_of.desc()).limit(1)
        names = ("outcome", "as_of", "model_version", "frame_hash")
        with Store(self.workspace).engine.connect() as connection:
            batch = connection.execute(last).first()
            if batch is None:
                return None
            same = sa.and_(*(SCORES.c[name] == getattr(batch, name) for name in names))
            rows = connection.execute(sa.select(SCORES.c.account, SCORES.c.probability).where(same))
            return batch.as_of, {row.account: row.probability for row in rows}

    @cached_property
    def _tables(self) -> tuple[Path, Report]:
        return intake.current(self.workspace)

    @cached_property
    def _log(self) -> list[Entry]:
        return Log(self.workspace).entries(accounts=self.accounts)

    def _told(self, entry: Entry) -> bool:
        return max(entry.at, entry.recorded_at or entry.at) < self.instant

    def _day(self, instant: int | None) -> date | None:
        return None if instant is None else day_of(moment(instant), self.zone)

    def rows(self, table: str, select: str, where: str) -> list[Any]:
        """Rows for which ``where`` holds. Both name instants in braces: null where that was not known by then."""
        folder, report = self._tables
        if table not in report.tables:
            return []
        times = {name: self._known(table, name, report) for name in TABLES[table].of_type("time")}
        names = {
            name: f"read_parquet({literal(str(folder / f'{name}.parquet'))})" for name in (table, "accounts", "people")
        }
        whose = "" if self.accounts is None else "a.account = ANY($accounts) AND "
        asked = {"as_of": self.instant} | ({} if self.accounts is None else {"accounts": list(self.accounts)})
        person = f"LEFT JOIN {names['people']} p USING (contact_code)" if "contact" in TABLES[table].by_name else ""
        query = (
            f"SELECT {select.format(**times)} FROM {names[table]} t LEFT JOIN {names['accounts']} a "
            f"ON a.account_code = t.account_code {person} "
            f"WHERE {whose}({where.format(**times)}) ORDER BY ALL"
        )
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query, asked).fetchall()

    def _known(self, table: str, column: str, report: Report) -> str:
        """SQL for an instant of a row in microseconds; null where it was not known by the end of the day."""
        zone, dated = literal(self.workspace.config.timezone), report.tables[table].date_only

        def told(name: str) -> str:
            at = f"t.{quoted(name)}"
            if name not in dated:
                return at
            return f"(timezone({zone}, timezone({zone}, {at}) + INTERVAL 1 DAY) - INTERVAL 1 MICROSECOND)"

        arrived = (
            f"greatest({told(column)}, {told('recorded_at')})"
            if "recorded_at" in TABLES[table].by_name
            else told(column)
        )
        delay = f"to_microseconds({int(self.workspace.config.delay_hours(table) * 3_600_000_000)})"
        at = f"t.{quoted(column)}"
        return f"CASE WHEN {at} IS NOT NULL AND {arrived} + {delay} < $as_of THEN epoch_us({at}) END"


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)
