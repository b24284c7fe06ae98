"""Models of flat tables for people: trained into a folder, and scores of new rows as a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.markup import escape

from features.errors import PropensityError
from features.files import replaced
from features.sources.flat import flat
from serving import terminal
from serving.cells import defused
from serving.scores.reasons import REASONS, Reasoner
from training import columns, gate, table_model
from training.table import UNDATED, Asked
from training.table_model import Trained

Progress = Callable[[str], None]
CHUNK = 20_000
FIRST = '"row",'
"""How every file of scores begins."""


@dataclass(frozen=True)
class Scored:
    """Scores of a table's rows, in the order of the file: ``row`` (from 1), ``entity`` where the table has the model's,
    ``probability`` with its 90% interval, up to three reasons."""

    label: str
    verdict: str
    lines: pd.DataFrame
    path: Path

    def as_dict(self) -> dict[str, Any]:
        return {"label": self.label, "rows": len(self.lines), "verdict": self.verdict, "path": str(self.path)}


def train(asked: Asked, folder: Path | None, progress: Progress) -> tuple[Trained, Path | None]:
    """Train and keep; the folder is None where there is too little in the table to make a model of."""
    place = folder or Path(f"model-{_slug(asked.label)}")
    table_model.claim(place)
    trained = table_model.train(asked, progress)
    if trained.judged is None:
        return trained, None
    table_model.keep(trained, place)
    _write(_tested(trained), place / "scores.csv")
    return trained, place


def score(file: Path, folder: Path, out: Path | None, progress: Progress) -> Scored:
    """Score every row of a table with a model that came of one."""
    place = out or Path(f"{file.name.split('.')[0] or 'table'}-scores.csv")
    _claim(place)
    progress("reading")
    model = table_model.kept(folder)
    table = flat(file)
    rows = columns.frame(table, model.given)
    lines = pd.DataFrame({"row": np.arange(1, len(rows) + 1)})
    if model.spec["entity"] in table.column_names:
        lines["entity"] = columns.texts(table[model.spec["entity"]])
    reasoner = Reasoner.of(model.model, columns.plan(model.given, {}))
    made = []
    for start in range(0, len(rows), CHUNK):
        progress(f"row {start + 1:,} of {len(rows):,}")
        made.append(_scores(model.model, reasoner, rows.iloc[start : start + CHUNK]))
    lines = pd.concat([lines, pd.concat(made, ignore_index=True)], axis=1)
    _write(lines, place)
    return Scored(model.spec["label"], model.model.facts["verdict"], lines, place)


def show_trained(trained: Trained, folder: Path | None) -> None:
    """What was taken of the table, the verdict beside the baselines, and where everything is."""
    counts, out = trained.found.counts, terminal.out
    dropped = [f"{counts[name]:,} {said}" for name, said in DROPPED.items() if counts[name]]
    out.print(
        f"{counts['used']:,} of {counts['rows']:,} rows, {counts['yes']:,} yes, {len(trained.found.given)} columns"
        f"{'; dropped: ' if dropped else ''}{', '.join(dropped)}"
    )
    for name, reason in trained.found.left_out.items():
        out.print(f"[dim]  left out: {escape(name)}, {escape(reason)}[/]")
    terminal.show_result(trained.result)
    for note in table_model.notes(trained.asked, trained.found):
        out.print(f"[yellow]note[/] {escape(note)}")
    if folder is not None:
        out.print(f"\nThe model, its card and the scores of its test are in [bold]{escape(str(folder))}[/]")


DROPPED = {"unknown": "without a label", "undated": "without a date"}


def show_scored(scored: Scored) -> None:
    terminal.out.print(
        f"{escape(scored.label)}: {len(scored.lines):,} rows, from {scored.lines['probability'].min():.1%} to "
        f"{scored.lines['probability'].max():.1%}, in {escape(str(scored.path))}"
    )
    if scored.verdict != gate.PROMOTED:
        terminal.out.print(f"[yellow]the gate did not pass this model[/]: {scored.verdict}")


def _scores(model: Any, reasoner: Reasoner, rows: pd.DataFrame) -> pd.DataFrame:
    matrix, shift = model.encoder.matrix(rows), model.shift(rows)
    scores = model.score_matrix(matrix, shift)
    why = reasoner.reasons(rows.__getitem__, model.explain_matrix(matrix, shift))
    words = [[f"{reason.text} ({reason.direction})" for reason in line] for line in why]
    told = {
        f"reason_{number + 1}": [line[number] if number < len(line) else "" for line in words]
        for number in range(REASONS)
    }
    return pd.DataFrame({**vars(scores), **told})


def _tested(trained: Trained) -> pd.DataFrame:
    """The test's rows in the order of the file, each by what had not learnt from it."""
    assert trained.judged is not None
    test, scores = trained.judged.test, trained.judged.scores
    lines = pd.DataFrame({"row": test.frame["row"]})
    if trained.asked.entity:
        lines["entity"] = test.accounts
    if trained.asked.time:
        lines["as_of"] = [str(day) for day in test.as_of if day != UNDATED]
    lines = lines.assign(label=test.y.astype(int), **vars(scores))
    return lines.sort_values("row")


def _claim(file: Path) -> None:
    """Refuse to write over anything but scores."""
    if not file.exists():
        return
    if file.is_file():
        with file.open("rb") as stream:
            if stream.read(len(FIRST)) == FIRST.encode():
                return
    raise PropensityError(f"{file} is there already, and holds no scores", "Name another file with --out.")


def _write(lines: pd.DataFrame, file: Path) -> None:
    """In quotes, cells that a spreadsheet would run as a formula defused; numbers in full, so that they read back alike."""
    with replaced(file) as part:
        lines.map(defused).to_csv(part, index=False, quoting=csv.QUOTE_NONNUMERIC)


def _slug(label: str) -> str:
    return re.sub(r"[^\w-]+", "-", label).strip("-")[:60] or "label"
