"""Which features a workspace can have, and which it lacks and why."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from features import facts
from features.definitions import FEATURES
from features.feature import Attribute, Column, Declaration, Feature, column_name, columns
from features.personas import Crowd, Personas
from features.quality import Report
from features.workspace import Config


@dataclass(frozen=True)
class Plan:
    """The frame's columns in order, the declarations behind them, and what is missing: name → reason."""

    columns: tuple[Column, ...]
    declarations: dict[str, Declaration]
    missing: dict[str, str]
    over: dict[str, tuple[int, ...]]

    @cached_property
    def meanings(self) -> dict[str, str]:
        """Per column, a hash of what decides its values: declaration, facts, parts of a ratio. Wording is free."""
        return {column.name: _hash(column.meaning + self._facts(column.declaration)) for column in self.columns}

    @cached_property
    def digest(self) -> str:
        """Changes whenever the meaning of any column does."""
        return _hash("\n".join(self.meanings.values()))

    def _facts(self, declaration: Declaration) -> str:
        if isinstance(declaration, Attribute):
            return ""
        if isinstance(declaration, Crowd):
            return "".join(self._facts(behaviour) for behaviour in declaration.behaviours)
        if isinstance(declaration, Feature):
            return "".join(repr(fact) for fact in facts.FACTS if fact.kind == declaration.of)
        parts = [self.declarations[name] for name in declaration.parts]
        return "".join(part.meaning + self._facts(part) for part in parts)

    def inputs(self, column: Column) -> list[str]:
        """The columns that a column is computed from; a part without windows serves all."""
        declaration = column.declaration
        assert not isinstance(declaration, Feature | Attribute)
        return [column_name(name, window if self.over[name] else 0) for name, window in declaration.inputs(column)]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan(
    config: Config, report: Report, declared: Sequence[Declaration] = FEATURES, fitted: Personas | None = None
) -> Plan:
    """Every declared feature whose facts and columns are mapped; those of personas where these are fitted."""
    there, missing = (facts.available(report), facts.valued(report)), {}
    account_columns = set(report.tables["accounts"].columns)
    kept: dict[str, Declaration] = {}
    over: dict[str, tuple[int, ...]] = {}
    made: list[Column] = []
    for declaration in _expanded(config, declared, fitted):
        name, lacking = declaration.name, _lacking(declaration, there, account_columns, kept)
        if isinstance(declaration, Feature):
            over[name] = config.signals.windows if declaration.over == "all" else declaration.over
        found = [] if lacking else list(columns(declaration, over))
        if found:
            kept[name] = declaration
            over[name] = tuple(column.window for column in found if column.window)
            made += found
        else:
            missing[name] = lacking or "needs windows that the workspace does not have"
    return Plan(tuple(made), kept, missing, {name: over[name] for name in kept})


def _expanded(config: Config, declared: Sequence[Declaration], fitted: Personas | None) -> list[Declaration]:
    """Features per event, one for each event that the workspace names; those of personas, one for each."""
    found: list[Declaration] = []
    for declaration in declared:
        if isinstance(declaration, Feature) and declaration.per_event:
            found += [declaration.for_event(event) for event in config.signals.events]
        elif isinstance(declaration, Crowd) and fitted and config.personas:
            found += declaration.each(fitted, config.personas.count)
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
    if isinstance(declaration, Crowd):
        return declaration.lacking
    if not isinstance(declaration, Feature):
        absent = [name for name in declaration.parts if name not in kept]
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
