"""Which features a workspace can have, and which it lacks and why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from features import facts
from features.definitions import FEATURES
from features.feature import Attribute, Column, Declaration, Feature, Ratio, columns
from features.quality import Report
from features.workspace import Config


@dataclass(frozen=True)
class Plan:
    """The frame's columns in order, the declarations behind them, and what is missing: name → reason."""

    columns: tuple[Column, ...]
    declarations: dict[str, Declaration]
    missing: dict[str, str]
    windows: tuple[int, ...]

    @property
    def meanings(self) -> dict[str, str]:
        """Per column, a hash of what decides its values: declaration, facts, parts of a ratio. Wording is free."""
        return {column.name: _hash(column.meaning + self._facts(column.declaration)) for column in self.columns}

    @property
    def digest(self) -> str:
        """Changes whenever the meaning of any column does."""
        return _hash("\n".join(self.meanings.values()))

    def _facts(self, declaration: Declaration) -> str:
        if isinstance(declaration, Ratio):
            parts = [self.declarations[name] for name in (declaration.top, declaration.bottom)]
            return "".join(part.meaning + self._facts(part) for part in parts)
        if isinstance(declaration, Feature):
            return "".join(repr(fact) for fact in facts.FACTS if fact.kind == declaration.of)
        return ""

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan(config: Config, report: Report) -> Plan:
    """Every declared feature whose facts and columns are mapped."""
    there, missing = (facts.available(report), facts.valued(report)), {}
    account_columns = set(report.tables["accounts"].columns)
    kept: dict[str, Declaration] = {}
    for declaration in _expanded(config):
        lacking = _lacking(declaration, there, account_columns, kept)
        if lacking:
            missing[declaration.name] = lacking
        else:
            kept[declaration.name] = declaration
    made = [column for d in kept.values() for column in columns(d, config.signals.windows, kept)]
    return Plan(tuple(made), kept, missing, config.signals.windows)


def _expanded(config: Config) -> list[Declaration]:
    """Features per event, one for each event that the workspace names."""
    found: list[Declaration] = []
    for declaration in FEATURES:
        if isinstance(declaration, Feature) and declaration.per_event:
            found += [declaration.for_event(event) for event in config.signals.events]
        else:
            found.append(declaration)
    return found


def _lacking(
    declaration: Declaration,
    there: tuple[frozenset[str], frozenset[str]],
    account_columns: set[str],
    kept: dict[str, Declaration],
) -> str:
    if isinstance(declaration, Attribute):
        return "" if declaration.name in account_columns else f"accounts has no column {declaration.name}"
    if isinstance(declaration, Ratio):
        absent = [name for name in (declaration.top, declaration.bottom) if name not in kept]
        return f"needs {' and '.join(dict.fromkeys(absent))}" if absent else ""
    if declaration.of not in there[declaration.agg.values]:
        return f"needs {declaration.of} facts: table {_table(declaration.of)} with {_columns(declaration)}"
    return ""


def _table(kind: str) -> str:
    return next(fact.table for fact in facts.FACTS if fact.kind == kind)


def _columns(feature: Feature) -> str:
    of = [fact for fact in facts.FACTS if fact.kind == feature.of]
    needed = sorted(set().union(*(f.needs | (f.value_needs if feature.agg.values else frozenset()) for f in of)))
    return ", ".join(needed) if needed else "any rows"
