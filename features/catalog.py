"""The catalogue of features, as Markdown: every declaration with family, unit, null meaning, windows and reason."""

from __future__ import annotations

from collections.abc import Sequence

from features import facts
from features.aggregations import VOCABULARY
from features.concepts import CONCEPTS
from features.definitions import FEATURES
from features.expressions import Rank
from features.feature import Attribute, Declaration, Feature
from features.personas import DAYS, Crowd
from features.plan import Plan

FAMILIES = ("interaction", "perception", "outcome", "stakeholders", "context")


def markdown(made: Plan) -> str:
    """Features by family; a workspace's own plan says which of them it has."""
    parts = [
        "# Features",
        "Made by `make docs` from the declarations in `features/definitions/`. A feature looks only at facts that "
        "happened before as_of *and* were known before it; windows are calendar days, `[as_of - n, as_of)`. "
        "Where it is null, it says so; attributes have no history and are taken as always known.",
        f"On the simulated company: {len(made.declarations)} features in {len(made.columns)} columns.",
        "## Vocabulary",
        "Examples are run by the tests, as of day 0: `-3 5 ann` is a fact three days before as_of, worth 5, of the contact "
        "ann; `-1/+1` happened the day before and became known the day after.",
        grid(
            ("aggregation", "what it is", "of nothing", "for example"),
            [(a.name, a.doc, a.missing, "<br>".join(map(code, a.specs))) for a in VOCABULARY],
        ),
        "Expressions are made of other features of the same row: ratio, pace (a ratio to the next longer window), "
        "difference, blend (a mean with weights) and rank among peers. In the examples below a row of a table is written "
        "`TABLE column=value`, times as days from as_of.",
    ]
    for family in FAMILIES:
        declared = [declaration for declaration in FEATURES if declaration.family == family]
        rows = [_row(declaration) for declaration in declared]
        head = ("feature", "what it is", "of", "windows", "unit", "null means", "said as", "for example")
        parts += [f"## {family.capitalize()}", f"{len(rows)} features.", grid(head, rows)]
    parts += [
        "## What each table brings",
        "A feature is there where every table that it needs is mapped, with the columns that its facts name below.",
        _needed(),
        "## Facts",
        _facts(),
        "## Where to look",
        _concepts(),
    ]
    return "\n\n".join(parts) + "\n"


def null_meaning(declaration: Declaration) -> str:
    """What an empty value of a feature says."""
    if isinstance(declaration, Attribute):
        return "unknown"
    if not isinstance(declaration, Feature):
        return declaration.null
    missing = declaration.agg.missing
    return missing.removeprefix("null: ") if missing.startswith("null") else f"never null ({missing} of nothing)"


def _row(declaration: Declaration) -> tuple[str, ...]:
    return (
        f"`{declaration.name}`",
        declaration.doc
        + (" (can be acted on)" if isinstance(declaration, Feature) and declaration.controllable else ""),
        _of(declaration),
        _windows(declaration),
        declaration.unit or "–",
        null_meaning(declaration),
        declaration.reason,
        code(declaration.spec) if declaration.spec else "–",
    )


def _of(declaration: Declaration) -> str:
    if isinstance(declaration, Attribute):
        return f"accounts.{declaration.name}"
    if not isinstance(declaration, Feature):
        return declaration.formula
    narrowed = [part for part in (declaration.label, declaration.role) if part]
    of = f"{declaration.agg.name} of {declaration.of}" + (f" ({', '.join(narrowed)})" if narrowed else "")
    back = "as long before" if declaration.back == "window" else f"{declaration.back} days before"
    return of + (f", {back}" if declaration.back else "")


def _windows(declaration: Declaration) -> str:
    if isinstance(declaration, Feature | Rank):
        return "all" if declaration.over == "all" else ", ".join(str(days) for days in declaration.over) or "–"
    if isinstance(declaration, Crowd):
        return str(DAYS)
    return "–" if isinstance(declaration, Attribute) else "as its parts"


def tables(declaration: Declaration) -> frozenset[str]:
    """The tables that a feature needs."""
    if isinstance(declaration, Attribute):
        return frozenset({"accounts"})
    if isinstance(declaration, Crowd):
        return frozenset({"usage"})
    if isinstance(declaration, Feature):
        return frozenset(fact.table for fact in facts.FACTS if fact.kind == declaration.of)
    named = {one.name: one for one in FEATURES}
    return frozenset().union(*(tables(named[part]) for part in declaration.parts))


def _needed() -> str:
    """Each set of tables, and the features that need just these."""
    by_need: dict[tuple[str, ...], list[str]] = {}
    for declaration in FEATURES:
        by_need.setdefault(tuple(sorted(tables(declaration))), []).append(declaration.name)
    rows = [
        (" and ".join(need), str(len(names)), ", ".join(map(code, names)))
        for need, names in sorted(by_need.items(), key=lambda item: (len(item[0]), item[0]))
    ]
    return grid(("tables", "features", "which"), rows)


def _facts() -> str:
    rows = [(f"`{fact.kind}`", fact.table, fact.at, fact.value or "–", fact.where or "–") for fact in facts.FACTS]
    return grid(("kind", "table", "happens at", "value", "where"), rows)


def _concepts() -> str:
    rows = [(concept, ", ".join(map(code, names))) for concept, names in CONCEPTS.items()]
    return grid(("what people speak of", "features"), rows)


def code(text: str) -> str:
    return f"`{text}`"


def grid(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
