"""Raw columns → typed columns, as SQL. Nothing is cast silently: what cannot be parsed becomes null and is reported."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from features.database import literal, quoted
from features.errors import PropensityError, one_of
from features.settings.data import Mapping
from features.tables import SQL_TYPES, Column

DATE_FORMATS = (
    "%Y-%m-%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
)
TIMES_OF_DAY = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", " %I:%M %p")
OFFSET = r"\d(Z|[+-]\d\d(:?\d\d)?)$"
ONLY_DATE = r"[0-9T]\d?:\d\d"
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
EARLIEST, LATEST = "1900-01-01", "2200-01-01"
NEVER_EMPTY = r"\w*INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*|BOOLEAN|DATE|TIMESTAMP.*"
"""Types of values that are there or null; of others an empty text stands for null, too."""


@dataclass(frozen=True)
class Parsed:
    """How one column is read: the SQL that types it, whether it holds dates without a time, what was done."""

    sql: str
    date_only: bool = False
    handled: str = ""


def parse(
    connection: duckdb.DuckDBPyConnection, relation: str, column: Column, raw_type: str, mapping: Mapping, zone: str
) -> Parsed:
    """Type ``column`` of ``relation``, whose type there is ``raw_type``."""
    name = quoted(column.name)
    if column.type == "time":
        return _time(connection, relation, column.name, raw_type, mapping, mapping.timezone or zone)
    if column.type == "flag":
        return Parsed(name if raw_type == "BOOLEAN" else _flag(name))
    if column.type in ("number", "money", "integer"):
        return Parsed(_number(name, column.type, raw_type, mapping.decimal))
    text = f"nullif(CAST({name} AS VARCHAR), '')"
    if column.allowed:
        return Parsed(_allowed(text, column.allowed))
    return Parsed(f"CASE WHEN NOT contains({text}, chr(0)) THEN {text} END")


def given(name: str, raw_type: str) -> str:
    """Does the source say anything? Of numbers and times without making text of them, which takes longer than the rest."""
    if re.fullmatch(NEVER_EMPTY, raw_type):
        return f"{quoted(name)} IS NOT NULL"
    return f"nullif(CAST({quoted(name)} AS VARCHAR), '') IS NOT NULL"


def not_parsed(column: Column) -> str:
    """What is said of a value that did not parse."""
    if column.allowed:
        return f"{column.name} is none of {one_of(column.allowed)}"
    meaning = {
        "time": f"a time from {EARLIEST[:4]} to {LATEST[:4]}",
        "flag": "true or false",
        "number": "a finite number",
        "money": "a finite amount",
        "integer": "a whole number",
    }.get(column.type, "text without NUL bytes")
    return f"{column.name} is not {meaning}"


def _flag(name: str) -> str:
    text = f"lower(trim(CAST({name} AS VARCHAR)))"
    true, false = (", ".join(literal(word) for word in words) for words in (TRUE, FALSE))
    return f"CASE WHEN {text} IN ({true}) THEN true WHEN {text} IN ({false}) THEN false END"


def _allowed(text: str, allowed: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN {literal(value.lower())} THEN {literal(value)}" for value in allowed)
    return f"CASE lower(trim({text})) {cases} END"


def _number(name: str, kind: str, raw_type: str, decimal: str) -> str:
    text = f"trim(CAST({name} AS VARCHAR))"
    if decimal == "," and raw_type == "VARCHAR":
        text = f"replace(replace({text}, '.', ''), ',', '.')"
    value = f"TRY_CAST({text} AS DOUBLE)" if raw_type == "VARCHAR" else f"TRY_CAST({name} AS DOUBLE)"
    finite = f"isfinite({value}) AND abs({value}) < 9e15"
    if kind == "integer":
        return f"CASE WHEN {finite} AND {value} = round({value}) THEN CAST({value} AS {SQL_TYPES[kind]}) END"
    return f"CASE WHEN {finite} THEN {value} END"


def _time(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, raw_type: str, mapping: Mapping, zone: str
) -> Parsed:
    column = quoted(name)
    if raw_type == "VARCHAR":
        return _text_time(connection, relation, name, mapping.dates, zone)
    if raw_type == "DATE":
        return Parsed(_sane(_in_zone(f"CAST({column} AS TIMESTAMP)", zone)), True, f"{name}: dates, days of {zone}")
    if raw_type.startswith("TIMESTAMP WITH TIME ZONE"):
        return Parsed(_sane(column))
    if raw_type.startswith("TIMESTAMP"):
        handled = f"{name}: naive times taken as {zone}"
        return Parsed(_sane(_in_zone(f"CAST({column} AS TIMESTAMP)", zone)), False, handled)
    raise PropensityError(
        f"{name} has the type {raw_type}; a time is text, a date or a timestamp",
        "Map it with sql and convert it there, for example to_timestamp(seconds).",
    )


def _text_time(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, stated: str | None, zone: str
) -> Parsed:
    text = f"nullif(trim({quoted(name)}), '')"
    naive = f"CASE WHEN NOT regexp_matches({text}, {literal(OFFSET)}) OR NOT contains({text}, ':') THEN {text} END"
    formats = [stated] if stated else _likely(connection, relation, text)
    parsed = {form: _strptime(naive, form) for form in formats}
    counts = ", ".join(f"count({sql})" for sql in parsed.values())
    row = connection.execute(
        f"SELECT count({naive}), count({text}), coalesce(bool_or(regexp_matches({text}, {literal(ONLY_DATE)})), false), "
        f"{counts} FROM {relation}"
    ).fetchone()
    assert row is not None
    total_naive, total, has_clock, *found = row
    best = max(found, default=0)
    candidates = [form for form, count in zip(formats, found, strict=True) if count == best]
    if total_naive == total > 0 and best == 0:
        raise PropensityError(
            f"no value of {name} is a time in any of the forms {one_of(formats or DATE_FORMATS)}",
            'State the form, for example dates = "%d/%m/%Y", in the table\'s mapping.',
        )
    with_offset = f"TRY_CAST({text} AS TIMESTAMPTZ)"
    if best == 0:  # every time has an offset; what has none is no time
        return Parsed(_sane(f"CASE WHEN {naive} IS NULL THEN {with_offset} END"))
    form = _the_one(connection, relation, name, candidates, parsed)
    sql = f"CASE WHEN {naive} IS NOT NULL THEN {_in_zone(parsed[form], zone)} ELSE {with_offset} END"
    date_only = total > 0 and not has_clock
    handled = f"{name}: read as {form}" + (f", days of {zone}" if date_only else f", naive times taken as {zone}")
    return Parsed(_sane(sql), date_only, handled)


def _likely(connection: duckdb.DuckDBPyConnection, relation: str, text: str) -> list[str]:
    """The forms that fit any of a few thousand values; only these are tried on all."""
    counts = ", ".join(f"count({_strptime('value', form)})" for form in DATE_FORMATS)
    row = connection.execute(
        f"SELECT {counts} FROM (SELECT value FROM (SELECT {text} AS value FROM {relation}) WHERE value IS NOT NULL "
        "USING SAMPLE 2000 ROWS (reservoir, 7))"
    ).fetchone()
    assert row is not None
    return [form for form, count in zip(DATE_FORMATS, row, strict=True) if count]


def _strptime(text: str, form: str) -> str:
    forms = "[" + ", ".join(literal(form + clock) for clock in TIMES_OF_DAY) + "]"
    return f"try_strptime({text}, {forms})"


def _the_one(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, candidates: list[str], parsed: dict[str, str]
) -> str:
    """The form that fits; two forms that fit equally well but disagree are an error, not a guess."""
    first, *others = candidates
    for other in others:
        row = connection.execute(
            f"SELECT CAST({quoted(name)} AS VARCHAR) FROM {relation} WHERE {parsed[first]} <> {parsed[other]} LIMIT 1"
        ).fetchone()
        if row is not None:
            raise PropensityError(
                f"{name} may be {first} or {other}: {row[0]!r} reads differently",
                f'State it in the table\'s mapping: dates = "{first}".',
            )
    return first


def _in_zone(naive: str, zone: str) -> str:
    return f"timezone({literal(zone)}, {naive})"


def _sane(instant: str) -> str:
    return f"CASE WHEN {instant} BETWEEN TIMESTAMPTZ '{EARLIEST} 00:00:00+00' AND TIMESTAMPTZ '{LATEST} 00:00:00+00' THEN {instant} END"
