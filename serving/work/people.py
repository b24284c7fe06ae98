"""The contacts of each account as of a day, from the canonical tables: who is there, agreed to what, feels how, uses it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from zoneinfo import ZoneInfo

import duckdb

from features import intake
from features.database import literal
from features.windows import MICROSECONDS_PER_DAY, as_of_instant, moment
from features.workspace import Workspace
from serving.decisions.whom import Person

HERE = """
SELECT p.contact_code, p.contact, a.account, coalesce(c.role, 'user'), coalesce(c.champion_contact, false),
    CASE WHEN coalesce(c.consent_at, c.joined, a.created, $as_of) < $as_of THEN c.consent END,
    epoch_us(c.consent_at)
FROM {contacts} c JOIN {people} p USING (contact_code) JOIN {accounts} a ON a.account_code = p.account_code
WHERE coalesce(c.joined, a.created, TIMESTAMPTZ '1900-01-01 00:00:00+00') < $as_of AND NOT coalesce(c."left" < $as_of, false)
    AND coalesce(c.recorded_at < $as_of, true)
"""
MOOD = """
SELECT contact_code, arg_max(score / scale, responded) FROM {feedback}
WHERE contact_code IS NOT NULL AND responded < $as_of AND coalesce(recorded_at < $as_of, true) GROUP BY contact_code
"""
USED = """
SELECT contact_code, max(epoch_us(occurred_at)) FROM {usage}
WHERE contact_code IS NOT NULL AND occurred_at < $as_of AND coalesce(recorded_at < $as_of, true) GROUP BY contact_code
"""


def people(workspace: Workspace, day: date) -> dict[str, list[Person]]:
    """Account → its contacts by the end of ``day``; nobody where contacts are not mapped."""
    folder, report = intake.current(workspace)
    if "contacts" not in report.tables:
        return {}
    micros = as_of_instant(day, workspace.config.timezone)
    there = {name: f"read_parquet({literal(str(folder / f'{name}.parquet'))})" for name in (*report.tables, "people")}
    zone = ZoneInfo(workspace.config.timezone)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")

        def told(query: str, table: str) -> list[tuple]:  # type: ignore[type-arg]
            if table not in report.tables:
                return []
            return connection.execute(query.format(**there), {"as_of": moment(micros)}).fetchall()

        mood, used = dict(told(MOOD, "feedback")), dict(told(USED, "usage"))
        here = told(HERE, "contacts")
    found: dict[str, list[Person]] = defaultdict(list)
    for code, contact, account, role, champion, consent, consent_at in here:
        since = (micros - used[code]) / MICROSECONDS_PER_DAY if code in used else None
        agreed = frozenset(part.strip() for part in (consent or "").split(";") if part.strip())
        given = None if consent_at is None else moment(consent_at).astimezone(zone).date()
        found[account].append(Person(contact, account, role, champion, agreed, given, mood.get(code), since))
    return dict(found)
