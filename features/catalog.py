"""The catalogue of features, as Markdown: every declaration with family, unit, null meaning, windows and reason."""

from __future__ import annotations

from collections.abc import Sequence

from features import facts
from features.aggregations import VOCABULARY
from features.definitions import FEATURES
from features.feature import Attribute, Declaration, Feature, Ratio
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
        grid(("aggregation", "what it is", "of nothing"), [(a.name, a.doc, a.missing) for a in VOCABULARY]),
    ]
    for family in FAMILIES:
        declared = [declaration for declaration in FEATURES if declaration.family == family]
        rows = [_row(declaration, made) for declaration in declared]
        head = ("feature", "what it is", "of", "windows", "unit", "null means", "said as")
        parts += [f"## {family.capitalize()}", grid(head, rows)]
    parts += ["## Facts", _facts()]
    return "\n\n".join(parts) + "\n"


def null_meaning(declaration: Declaration) -> str:
    """What an empty value of a feature says."""
    if isinstance(declaration, Attribute):
        return "unknown"
    if isinstance(declaration, Ratio):
        return f"{declaration.bottom} is 0 or unknown"
    missing = declaration.agg.missing
    return missing.removeprefix("null: ") if missing.startswith("null") else f"never null ({missing} of nothing)"


def _row(declaration: Declaration, made: Plan) -> tuple[str, ...]:
    return (
        f"`{declaration.name}`",
        declaration.doc,
        _of(declaration),
        _windows(declaration, made),
        declaration.unit or "–",
        null_meaning(declaration),
        declaration.reason,
    )


def _of(declaration: Declaration) -> str:
    if isinstance(declaration, Attribute):
        return f"accounts.{declaration.name}"
    if isinstance(declaration, Ratio):
        return f"{declaration.top} / {declaration.bottom}" + (", next longer window" if declaration.pace else "")
    narrowed = [part for part in (declaration.label, declaration.role) if part]
    return f"{declaration.agg.name} of {declaration.of}" + (f" ({', '.join(narrowed)})" if narrowed else "")


def _windows(declaration: Declaration, made: Plan) -> str:
    if isinstance(declaration, Feature):
        over = declaration.over
        return "all" if over == "all" else ", ".join(str(days) for days in over) or "–"
    return "as its parts" if isinstance(declaration, Ratio) else "–"


def _facts() -> str:
    rows = [(f"`{fact.kind}`", fact.table, fact.at, fact.value or "–", fact.where or "–") for fact in facts.FACTS]
    return grid(("kind", "table", "happens at", "value", "where"), rows)


def grid(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
