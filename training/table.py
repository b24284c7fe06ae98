"""A flat table of the user's own → rows to learn from: its columns as they are, dated and grouped as the user says.

Rows are put into an order that follows from what is in them, so that the order of the file decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.errors import PropensityError, one_of
from features.fingerprint import fingerprints
from features.parsing import DATE_FORMATS, EARLIEST, LATEST
from features.sources.flat import flat
from training import columns
from training.columns import Given
from training.dataset import Dataset

YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
UNDATED = date.min
"""The as_of of all rows of a table without dates."""
MOST_DATES = 36
"""More distinct dates than these are taken together, so that each has rows enough to be judged on."""
FEWEST_MONTHS = 6
Names = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Asked:
    """What the user says of a table. ``horizon``: within how many days of its date a row's label is decided, 0 where
    that is not said. ``trusted`` columns may foretell ever so well, ``without`` are those not to learn from.
    """

    file: Path
    label: str
    time: str | None = None
    entity: str | None = None
    horizon: int = 0
    trusted: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The rows, how their columns are read, and what became of the others.

    ``counts``: ``rows`` in the file, ``used``, ``yes``, ``unknown`` (no label), ``undated``, ``repeated`` (like another
    row in label and all columns learnt from). ``together`` says what dates were taken together to; ``span`` is in how
    many days a label is known for sure.
    """

    rows: Dataset
    given: list[Given]
    left_out: dict[str, str]
    counts: dict[str, int]
    together: str
    span: int


def read(asked: Asked) -> Found:
    """A file → rows with ``account``, ``as_of``, ``row_hash``, ``row`` (its number in the file, from 1) and its columns.

    Raises PropensityError where a column is not there, or a label or a date is not one.
    """
    table = flat(asked.file)
    _there(table, asked)
    y = _labels(table[asked.label], asked.label)
    days = _days(table[asked.time], asked.time) if asked.time else np.full(len(y), UNDATED, dtype=object)
    undated = np.array([day is None for day in days.tolist()], dtype=bool)
    keep = np.flatnonzero(~np.isnan(y) & ~undated)
    row, y, days, used = keep + 1, y[keep], days[keep], table.take(pa.array(keep))
    entity = columns.texts(used[asked.entity]) if asked.entity else pd.Series([None] * len(keep), dtype=object)
    about = entity.where(entity.notna(), pd.Series(row).astype(str))
    apart = {asked.label, asked.time, asked.entity, *asked.without} - {None}
    given, out = columns.sorted_out(used.select([name for name in used.column_names if name not in apart]), about)
    out |= dict.fromkeys(asked.without, "as told")
    if not given:
        raise PropensityError(
            f"no column of {asked.file} is left to learn from: {_told(out)}",
            "Name a table with columns of numbers or text beside the label.",
        )
    frame = columns.frame(used, given)
    as_of, together, step = _together(days)
    hashes = _hashes(frame, given, days, entity)
    order = np.lexsort((row, y, hashes, _codes(entity), _codes(as_of)))
    frame = frame.assign(as_of=as_of, row_hash=hashes.astype(str), row=row).iloc[order].reset_index(drop=True)
    y, entity = y[order], entity.iloc[order].reset_index(drop=True)
    each = frame.groupby("row_hash").cumcount()
    frame.insert(0, "account", entity.where(entity.notna(), frame["row_hash"] + "-" + each.astype(str)).astype(object))
    counts = {
        "rows": table.num_rows,
        "used": len(y),
        "yes": int(y.sum()),
        "unknown": int(np.isnan(_labels(table[asked.label], asked.label)).sum()),
        "undated": int(undated.sum()),
        "repeated": int(pd.DataFrame({"row": frame["row_hash"], "y": y}).duplicated().sum()),
    }
    horizon = asked.horizon if asked.entity else 0  # rows that are nobody's are never two looks at one event
    rows = Dataset(frame, y, columns.plan(given, out), pd.DataFrame(), None, _spec(asked), horizon=horizon)
    return Found(rows, given, out, counts, together, max(1, asked.horizon + (step if asked.horizon else 0)))


def _there(table: pa.Table, asked: Asked) -> None:
    roles = [name for name in (asked.label, asked.time, asked.entity) if name is not None]
    if unknown := [name for name in (*roles, *asked.trusted, *asked.without) if name not in table.column_names]:
        raise PropensityError(
            f"{asked.file} has no column {one_of(unknown)}; it has {one_of(table.column_names)}",
            "Name columns as the file does, letter by letter.",
        )
    if len(set(roles)) < len(roles):
        raise PropensityError(
            f"one column is named twice: {one_of(roles)}", "--label, --time and --entity are columns of their own."
        )


def _labels(values: pa.ChunkedArray, name: str) -> npt.NDArray[np.float64]:
    """1, 0 and null where the label is empty."""
    written = columns.texts(values).str.lower()
    known = dict.fromkeys(YES, 1.0) | dict.fromkeys(NO, 0.0)
    if wrong := [word for word in written.dropna().unique() if word not in known]:
        raise PropensityError(
            f"the label {name} has values that are neither yes nor no: {one_of(wrong)}",
            "Write it as 1 and 0, true and false, or yes and no; leave it empty where it is unknown.",
        )
    return np.asarray(written.map(known), dtype=np.float64)


def _days(values: pa.ChunkedArray, name: str) -> Names:
    """Each row's date, null where there is none."""
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        moments = pd.Series(values.cast(pa.timestamp("us")).to_pandas())
    else:
        written = columns.texts(values)
        moments = written.map(_parsed(written.dropna().unique().tolist(), name))
    moments = pd.to_datetime(moments)
    if (outside := (moments < pd.Timestamp(EARLIEST)) | (moments >= pd.Timestamp(LATEST))).any():
        raise PropensityError(
            f"{name} has dates outside {EARLIEST} to {LATEST}: {one_of(moments[outside].dt.date.unique()[:5])}",
            "Mend them, or leave them empty where the date is unknown.",
        )
    return np.array([None if pd.isna(moment) else moment.date() for moment in moments], dtype=object)


def _parsed(written: list[str], name: str) -> dict[str, pd.Timestamp]:
    """Each text as a date. A form that fits all is taken; two that fit and disagree are an error, not a guess."""
    texts = pd.Series(written, dtype=object)
    iso = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    tried = {"ISO 8601": iso} if iso.notna().all() else {
        form: pd.to_datetime(texts, format=form, errors="coerce") for form in DATE_FORMATS
    }  # fmt: skip
    fits = {form: found for form, found in tried.items() if found.notna().all()}
    if not fits:
        wrong = texts[iso.isna()][:5]
        raise PropensityError(f"{name} has values that are no date: {one_of(wrong)}", "Write dates as YYYY-MM-DD.")
    first, *others = fits
    for other in others:
        if (apart := fits[first] != fits[other]).any():
            raise PropensityError(
                f"{name} may be {first} or {other}: {texts[apart].iloc[0]!r} reads differently",
                "Write dates as YYYY-MM-DD.",
            )
    return dict(zip(written, fits[first], strict=True))


def _together(days: Names) -> tuple[Names, str, int]:
    """Dates as they are; very many as the last day of their month, or of their week where months are few; and how many
    days a row may be older than the date it is then given."""
    if len(set(days.tolist())) <= MOST_DATES:
        return days, "", 0
    moments = pd.Series(pd.to_datetime(pd.Series(days)))
    months = moments.dt.to_period("M")
    many = months.nunique() >= FEWEST_MONTHS
    found = months if many else moments.dt.to_period("W")
    return found.dt.end_time.dt.date.to_numpy(dtype=object), "months" if many else "weeks", 30 if many else 6


def _hashes(frame: pd.DataFrame, given: list[Given], days: Names, entity: pd.Series) -> npt.NDArray[np.bytes_]:
    """A fingerprint of each row: whom it is about, when, and every value."""
    index = [pa.array([str(day) for day in days.tolist()], pa.string()), pa.array(entity.tolist(), pa.string())]
    values = [
        pa.array(frame[one.column].tolist(), pa.string())
        if one.kind == columns.TEXT
        else pa.array(frame[one.column].to_numpy(dtype=np.float64))
        for one in given
    ]
    return fingerprints("\x1f".join(one.column for one in given), len(frame), [*index, *values])


def _codes(values: Any) -> npt.NDArray[np.int64]:
    """Numbers in the order of the values, null first."""
    return pd.factorize(pd.Series(values, dtype=object), sort=True)[0]


def _spec(asked: Asked) -> dict[str, Any]:
    return {"label": asked.label, "time": asked.time, "entity": asked.entity, "horizon": asked.horizon or None}


def _told(out: dict[str, str]) -> str:
    return "; ".join(f"{name} ({reason})" for name, reason in out.items()) or "there is none"
