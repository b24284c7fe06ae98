"""The specifications of features: a few rows of canonical tables, and what comes of them.

    tickets opened=-9 escalated=-3; tickets opened=-9 escalated=+1 => 90 days: 1

Each row is ``TABLE column=value ...``. Times are days from as_of: -1 is the beginning of the last day before it, 0 the
as_of itself. ``N others`` in front of a row gives it to N other accounts, which are peers. The answer is that of the
column over the window named (several, separated by commas), or of the only column. Values with blanks are written with
``_``. The account was created 1000 days before as_of unless a row of ``accounts`` says otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from features import windows
from features.feature import Column, Declaration
from features.plan import Plan
from features.tables import TABLES

ZONE = "Europe/Berlin"
DAY = date(2026, 1, 20)  # far from the nights on which the clocks change, as windows of a year are not
AS_OF = windows.to_datetime(windows.as_of_instant(DAY, ZONE))
OTHERS = re.compile(r"(?P<count>\d+) others (?P<row>.*)")
Row = dict[str, object]


@dataclass(frozen=True)
class Specification:
    """The rows of a feature's account and of its peers, and the answers by window (None: the only column)."""

    account: str
    rows: tuple[tuple[str, Row], ...]
    answers: tuple[tuple[int | None, str], ...]


def parsed(declaration: Declaration, account: str) -> Specification:
    """Raises AssertionError where the text cannot be read."""
    given, arrow, answers = declaration.spec.partition("=>")
    assert arrow, f"{declaration.name} has no specification"
    rows: list[tuple[str, Row]] = []
    for number, text in enumerate(filter(None, map(str.strip, given.split(";")))):
        rows += _rows(text, account, number)
    rows += [
        ("accounts", _account(name))
        for name in sorted({str(row["account"]) for _, row in rows} | {account})
        if not any(table == "accounts" and row["account"] == name for table, row in rows)
    ]
    return Specification(account, tuple(rows), tuple(_answer(answer) for answer in answers.split(",")))


def _rows(text: str, account: str, number: int) -> Iterator[tuple[str, Row]]:
    if others := OTHERS.fullmatch(text):
        for other in range(int(others["count"])):
            yield from _rows(others["row"], f"{account}.{other}", number)
        return
    table, *cells = text.split()
    row: Row = {"account": account}
    for cell in cells:
        column, _, value = cell.partition("=")
        row[column] = _value(table, column, value, account)
    key = TABLES[table].key
    row.setdefault(key, f"{account}-{number}")
    yield table, _account(account) | row if table == "accounts" else row


def _account(name: str) -> Row:
    return {"account": name, "created": AS_OF - timedelta(days=1000), "segment": name.split(".", maxsplit=1)[0]}


def _value(table: str, column: str, text: str, account: str) -> object:
    declared = TABLES[table].by_name[column]
    if declared.type == "time":
        return _instant(float(text))
    if declared.type in ("number", "money"):
        return float(text)
    if declared.type == "integer":
        return int(text)
    if declared.type == "flag":
        return {"yes": True, "no": False}[text]
    if declared.type == "id":
        return f"{account.split('.', maxsplit=1)[0]}.{text}"  # identifiers are the specification's own
    return text.replace("_", " ")


def _instant(days: float) -> datetime:
    """Whole days count as local midnights."""
    whole = math.floor(days)
    begin = windows.midnight(DAY + timedelta(days=1 + whole), ZONE)
    return windows.to_datetime(begin) + (days - whole) * timedelta(days=1)


def _answer(text: str) -> tuple[int | None, str]:
    window, named, answer = text.rpartition("days:")
    return (int(window) if named else None, answer.strip())


def columns(made: Plan, declaration: Declaration) -> dict[int | None, Column]:
    """The columns of a declaration by window; by None where there is only one."""
    found = {column.window: column for column in made.columns if column.declaration is declaration}
    return {**found, None: next(iter(found.values()))} if len(found) == 1 else dict(found)
