"""Columns of a flat table: which are numbers, which are text, which are left out and why; the same when scoring."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.errors import PropensityError, one_of
from features.feature import Attribute, Column
from features.plan import Plan

Kind = Literal["number", "text"]
NUMBER: Kind = "number"
TEXT: Kind = "text"
MISSING = ("", "na", "n/a", "nan", "null", "none")
"""What stands for no number; of text only nothing at all does, since NA may be Namibia."""
FLAGS = {"true": "1", "false": "0"}
LEADING_ZERO, DATE = r"0\d", r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?"
DATES = "dates: say what they mean in days, in a column of numbers"
OWN = ("account", "as_of", "row_hash", "row")
"""Columns that the frame has of its own."""
EXPECTED: dict[str, Kind] = {"segment": TEXT, "tenure_days": NUMBER, "arr": NUMBER}
"""Columns by which models are told apart or valued, if they are of this kind."""


@dataclass(frozen=True)
class Given:
    """A column to learn from: its name in the file, its name in the frame, and how it is read."""

    name: str
    column: str
    kind: Kind

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def given(name: str, kind: Kind) -> Given:
    """A name that the frame needs for something else is told apart."""
    taken = name in OWN or EXPECTED.get(name, kind) != kind
    return Given(name, f"{name} (of the table)" if taken else name, kind)


def texts(values: pa.ChunkedArray) -> pd.Series:
    """A column as text without blanks around it; nothing is null."""
    found = pd.Series(values.cast(pa.string()).to_pandas(), dtype=object).str.strip()
    return found.where(found.notna() & (found != ""), None)


def numbers(values: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """A column as numbers, and which of its values are none; true and false are 1 and 0, what is not finite is null."""
    if _numeric(values.type):
        found = values.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
        refused = np.zeros(len(found), dtype=bool)
    else:
        written = texts(values).str.lower()
        missing = written.isna() | written.isin(MISSING)
        parsed = pd.to_numeric(written.where(~missing, None).replace(FLAGS), errors="coerce")
        found = parsed.to_numpy(dtype=np.float64, na_value=np.nan)
        refused = np.isnan(found) & ~missing.to_numpy(dtype=bool)
    return np.where(np.isfinite(found), found, np.nan), refused


def sorted_out(table: pa.Table, entities: pd.Series) -> tuple[list[Given], dict[str, str]]:
    """The columns to learn from, and those left out with the reason. ``entities``: whom each row is about."""
    kept, out = [], {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        kind, reason = _kind(values, entities)
        if kind is None:
            out[name] = reason
        else:
            kept.append(given(name, kind))
    return kept, out


def frame(table: pa.Table, columns: list[Given]) -> pd.DataFrame:
    """The table's columns as the frame has them: float, or text where categorical. Raises PropensityError where one is
    not there, or has values that are no numbers where it had numbers.
    """
    if gone := [column.name for column in columns if column.name not in table.column_names]:
        raise PropensityError(
            f"the table lacks columns that the model needs: {one_of(gone)}; it has {one_of(table.column_names)}",
            "Name them as in the table that the model was trained on.",
        )
    made: dict[str, Any] = {}
    for column in columns:
        values = table[column.name]
        if column.kind == TEXT:
            made[column.column] = texts(values)
            continue
        made[column.column], refused = numbers(values)
        if refused.any():
            wrong = texts(values)[refused].unique()[:5]
            raise PropensityError(
                f"{column.name} holds numbers, and in {int(refused.sum()):,} rows it is none: {one_of(wrong)}",
                "Mend these values, or leave them empty.",
            )
    return pd.DataFrame(made, index=range(table.num_rows))


def plan(columns: list[Given], out: dict[str, str]) -> Plan:
    """A plan of plain columns: what they are called is all that is known of them."""
    declared = {column.column: _declared(column) for column in columns}
    return Plan(tuple(Column(name, one) for name, one in declared.items()), dict(declared), out, {})


def _declared(column: Given) -> Attribute:
    said = column.name.replace("{", "(").replace("}", ")")  # a reason fills in what stands in braces
    doc = said.replace(",", " ")
    return Attribute(column.column, "context", doc, f"{said} is {{value}}", categorical=column.kind == TEXT)


def _numeric(kind: pa.DataType) -> bool:
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(number or pa.types.is_boolean(kind))


def _kind(values: pa.ChunkedArray, entities: pd.Series) -> tuple[Kind | None, str]:
    kind = values.type
    if _numeric(kind):
        return _of_numbers(numbers(values)[0])
    if pa.types.is_temporal(kind):
        return None, DATES
    coded = pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)
    if coded or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _of_text(values, entities)
    return None, f"of the type {kind}: neither numbers nor text"


def _of_text(values: pa.ChunkedArray, entities: pd.Series) -> tuple[Kind | None, str]:
    written = texts(values)
    there = written.dropna()
    found, refused = numbers(values)
    if len(there) and there.str.fullmatch(DATE).all():
        return None, DATES
    if not refused.any() and not there.str.match(LEADING_ZERO).any():
        return _of_numbers(found)
    if written.nunique(dropna=False) < 2:
        return None, "constant"
    return (None, "an identifier: each has a text of its own") if _identifies(written, entities) else (TEXT, "")


def _of_numbers(found: npt.NDArray[np.float64]) -> tuple[Kind | None, str]:
    distinct = np.unique(found[~np.isnan(found)])
    if len(distinct) + np.isnan(found).any() < 2:
        return None, "constant" if len(distinct) else "empty"
    whole = len(distinct) == len(found) and np.array_equal(distinct, distinct[0] + np.arange(len(distinct)))
    return (None, "a row number") if whole else (NUMBER, "")


def _identifies(written: pd.Series, entities: pd.Series) -> bool:
    """One text each, and no two alike."""
    pairs = pd.DataFrame({"text": written, "entity": entities.to_numpy()}).dropna().drop_duplicates()
    return not (pairs["text"].duplicated().any() or pairs["entity"].duplicated().any())
