"""Every feature's specification, from rows in files to the frame; and that every feature has one and all its words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from features import frame, intake, personas
from features.concepts import CONCEPTS
from features.definitions import FEATURES
from features.feature import Declaration
from features.personas import Crowd, Personas
from features.tables import TABLES
from features.workspace import Workspace
from tests import specification, worlds

WINDOWS = (7, 30, 90, 180, 365)
CONFIG: dict[str, Any] = {
    "timezone": specification.ZONE,
    "signals": {"events": ["login"], "windows": list(WINDOWS)},
    "cohort": {"kind": "activity", "days": 3650, "activity": ["account.created"]},
    "outcomes": {},
    "as_of": {"since": specification.DAY},
    "personas": {"until": specification.DAY - timedelta(days=365), "count": 2},
}
NAMES = [declaration.name for declaration in FEATURES]
Built = tuple[pd.DataFrame, dict[str, tuple[Declaration, specification.Specification]], dict[str, Any]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """One workspace in which each feature has an account of its own."""
    specified: dict[str, tuple[Declaration, specification.Specification]] = {}
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES if name != "rates"}
    for number, declared in enumerate(FEATURES):
        declaration = instance(declared)
        if not declaration.spec:
            continue
        found = specification.parsed(declaration, f"f{number:03}")
        specified[declared.name] = (declaration, found)
        for table, row in found.rows:
            rows[table].append({column: row.get(column) for column in TABLES[table].by_name})
    workspace = worlds.write(tmp_path_factory.mktemp("specified"), rows, parquet=True, **CONFIG)
    report = worlds.take_in(workspace)
    assert not {name: table.problems for name, table in report.tables.items() if table.quarantined}
    plant(workspace)
    made = frame.current_plan(workspace)
    columns = {
        name: specification.columns(made, made.declarations[declaration.name])
        for name, (declaration, _) in specified.items()
    }
    return frame.feature_frame(workspace, [specification.DAY]).set_index("account"), specified, columns


def instance(declared: Declaration) -> Declaration:
    """Of what is declared once for many, the first."""
    if isinstance(declared, Crowd):
        return declared.each(PERSONAS, 2)[0]
    return declared.for_event("login") if getattr(declared, "per_event", False) else declared  # type: ignore[union-attr]


USED = personas.BEHAVIOURS[0]
TICKETS = personas.BEHAVIOURS[3]
PERSONAS = Personas((USED, TICKETS), (0.0, 0.0), (1.0, 1.0), ((1.0, 0.0), (0.0, 1.0)), ("does much", "opens tickets"))


def plant(workspace: Workspace) -> None:
    """Personas as if fitted earlier: the first uses it, the second opens tickets."""
    report = intake.current(workspace)[1]
    told = personas.behaviours(workspace, report)
    centres = tuple(tuple(float(behaviour.of == of) for behaviour in told) for of in ("usage", "ticket.opened"))
    flat = (0.0,) * len(told)
    personas.store(workspace, report, Personas(told, flat, (1.0,) * len(told), centres, PERSONAS.names))


@pytest.mark.parametrize("name", NAMES)
def test_specification(name: str, built: Built) -> None:
    values, specified, columns = built
    assert name in specified, f"{name} has no specification"
    declaration, found = specified[name]
    for window, answer in found.answers:
        value = values.loc[found.account, columns[name][window].name]
        if answer == "null":
            assert pd.isna(value), (declaration.spec, value)
        elif isinstance(value, str):
            assert value == answer.replace("_", " "), declaration.spec
        else:
            assert value == pytest.approx(float(answer), rel=1e-9, abs=1e-12), declaration.spec


@pytest.mark.parametrize("declaration", FEATURES, ids=NAMES)
def test_every_feature_says_what_it_is(declaration: Declaration) -> None:
    assert declaration.doc and declaration.reason and declaration.family
    assert "{value}" in declaration.reason
    numeric = not getattr(declaration, "categorical", False)
    assert declaration.unit or not numeric, f"{declaration.name} has no unit"


def test_what_people_speak_of_is_there() -> None:
    assert {name for names in CONCEPTS.values() for name in names} <= set(NAMES)


def test_names_are_unique() -> None:
    assert len(NAMES) == len(set(NAMES))
