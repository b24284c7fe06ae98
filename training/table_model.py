"""Learn from a flat table and judge it as any model is judged: on later dates where rows have dates, else in turn.

In turn: entities are dealt into five parts, and each part is foretold by a model that has met only the other four. What
is kept is the model of all rows; the numbers are those of models like it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import PropensityError
from features.feature import Column
from features.files import replaced
from features.settings.decisions import Economics
from features.settings.training import Training
from training import alarm, card, gate, metrics, slices
from training.alarm import Alarm
from training.baselines import BASELINES, RECENCY
from training.columns import NUMBER, Given
from training.dataset import Dataset
from training.gate import Verdict
from training.judge import Judged, beside, weighed
from training.learn import Learned, learned
from training.model import CONTRACT, Model, Scores, load
from training.result import Result, told
from training.sample import sample
from training.splits import Fold, rolling
from training.table import UNDATED, Asked, Found, read

Progress = Callable[[str], None]
Vector = npt.NDArray[np.float64]
PARTS = 5
TEST_SHARE = 0.2
CAPACITY = 25
"""Calls at a time, where a list of accounts with an ARR is valued."""
FEWEST_ENTITIES = 10
"""Entities with a yes, and with a no, below which none can be left out in turn."""
TABLE, FORMAT = "table.json", 1
CURE = "Leave out what is named (--without), or name it with --trust where it was truly known before the label was."
UNEXPLAINED = "a table does not say when its values were written; ask whether this one was before the label was known"
IN_TURN = "each foretold by a model that had not met its entity; nothing was tested out of time"
LATER = "later than anything it has learnt from"


@dataclass(frozen=True)
class Trained:
    """What came of a table; ``learnt`` and ``judged`` are None where it has too little to learn from."""

    asked: Asked
    found: Found
    result: Result
    learnt: Learned | None = None
    judged: Judged | None = None

    @property
    def tested(self) -> str:
        return LATER if self.asked.time else IN_TURN

    def as_dict(self) -> dict[str, Any]:
        """As a workspace's training tells it, and what became of the table's rows and columns."""
        about = {
            "file": str(self.asked.file),
            **self.found.rows.spec,
            **self.found.counts,
            "columns": len(self.found.given),
            "left_out": self.found.left_out,
            "dates_taken_together_to": self.found.together or None,
            "tested": self.tested,
        }
        return self.result.as_dict() | {"table": about}


@dataclass(frozen=True)
class Kept:
    """A model of a table, read back: how its columns are read, and which are its label, time and entity."""

    model: Model
    given: list[Given]
    spec: dict[str, Any]


@dataclass(frozen=True)
class _Foretold:
    """Rows that were foretold by what had not learnt from them, by the model, by the baselines and by each column."""

    test: Dataset
    scores: Scores
    baselines: dict[str, Vector]
    ranked: Callable[[Column], Vector]
    met: slices.Mask


def train(asked: Asked, progress: Progress = lambda _: None) -> Trained:
    """Learn and judge; what comes of it depends on what is in the table, not on the order of its rows."""
    progress("reading")
    found = read(asked)
    config = Training()
    folds = _folds(found.rows, found.span, config) if asked.time else [Fold((UNDATED,), (UNDATED,))]
    final, rows = folds[-1], found.rows
    learn, test = rows.at(list(final.fit)), rows.at(list(final.test))
    blank = Result(
        asked.label,
        gate.NO_SIGNAL,
        [],
        test=list(final.test) if asked.time else [],
        n=len(test),
        positives=int(test.y.sum()),
    )
    parts = {"the training range": learn, "the test fold": test} if asked.time else {"the table": rows}
    if refusal := _too_little(parts, config.minimum_positives):
        return Trained(asked, found, replace(blank, verdict=refusal.verdict, reasons=refusal.reasons))
    learnt = _learnt(found, rows, folds, config, progress)
    foretold = _later(learnt.model, learn, test) if asked.time else _in_turn(found, config, progress)
    progress("judging")
    weights = metrics.draws(test.accounts, config.bootstraps, config.seed)
    worth = (Economics(), CAPACITY) if _worth(found) else None
    judged = weighed(
        learnt.model,
        learn,
        foretold.test,
        foretold.scores,
        foretold.baselines,
        foretold.met,
        weights,
        _alarms(asked, found, foretold, weights),
        worth=worth,
        cure=CURE,
    )
    result = told(blank, learnt, judged)
    learnt.model.facts["verdict"] = result.verdict
    return Trained(asked, found, result, learnt, judged)


def ours(folder: Path) -> bool:
    """May a model of a table be written here: is there none yet, nothing, or an older one?"""
    return not folder.exists() or (folder.is_dir() and ((folder / TABLE).is_file() or not any(folder.iterdir())))


def claim(folder: Path) -> None:
    """Refuse a folder that holds something else."""
    if not ours(folder):
        raise PropensityError(
            f"{folder} is there already, and is not the model of a table", "Name another folder with --out."
        )


def keep(trained: Trained, folder: Path) -> str:
    """The model, its card, its charts and its numbers; returns the SHA-256 of the contract.

    The file that names it is written last; until then the folder holds the older model, or one that is refused.
    """
    from training.charts.judged import pictures  # noqa: PLC0415 - a fifth of a second, which only what draws needs

    claim(folder)
    assert trained.judged is not None
    document = trained.as_dict()
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        made = Path(scratch)
        sha256 = trained.judged.model.save(made)
        pictures(trained.judged, document, made)
        (made / "card.md").write_text(card.render(_card(trained, document, folder)), encoding="utf-8")
        (made / "result.json").write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
        fresh = {file.name for file in made.iterdir()}
        for file in made.iterdir():
            file.replace(folder / file.name)
    for stale in folder.glob("part-*.txt"):
        if stale.name not in fresh:
            stale.unlink()
    with replaced(folder / TABLE) as part:
        part.write_text(json.dumps({"format": FORMAT, CONTRACT: sha256}, indent=1), encoding="utf-8")
    return sha256


def kept(folder: Path) -> Kept:
    """Read a model back, with what its contract says of columns; files are parsed only if their SHA-256 is as stored."""
    file = folder / TABLE
    try:
        named = json.loads(file.read_bytes())
        sha256, form = str(named[CONTRACT]), named["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PropensityError(
            f"{folder} is not the model of a table: {TABLE} cannot be read",
            "Name the folder that `propensity train --table` wrote.",
        ) from error
    if form != FORMAT:
        raise PropensityError(f"{file} has format {form}, this version reads {FORMAT}", "Train the model again.")
    model = load(folder, sha256)
    return Kept(model, [Given(**column) for column in model.facts["table"]], model.facts["labels"])


def _folds(rows: Dataset, span: int, config: Training) -> list[Fold]:
    days = sorted(set(rows.as_of.tolist()))
    test_dates = max(1, round(TEST_SHARE * len(days)))
    try:
        return rolling(days, span, test_dates, config.folds)
    except PropensityError as error:
        raise PropensityError(
            error.message, "Name a table that reaches further back, shorten --horizon, or leave out --time."
        ) from error


def _too_little(parts: dict[str, Dataset], minimum: int) -> Verdict | None:
    for what, rows in parts.items():
        yes = int(rows.y.sum())
        if refusal := gate.too_few(what, yes, len(rows) - yes, minimum):
            return refusal
        for kind, said in ((1.0, "yes"), (0.0, "no")):
            if (met := len(set(rows.accounts[rows.y == kind].tolist()))) < FEWEST_ENTITIES:
                return Verdict(
                    gate.NO_SIGNAL,
                    [f"{what} has {said} of {met} entities only; at least {FEWEST_ENTITIES} are needed"],
                )
    return None


def _learnt(found: Found, rows: Dataset, folds: list[Fold], config: Training, progress: Progress) -> Learned:
    facts = {
        "outcome": rows.spec["label"],
        "settings": {"horizon": rows.spec["horizon"]},
        "labels": rows.spec,
        "table": [column.as_dict() for column in found.given],
        "plan": rows.plan.digest,
        "meanings": rows.plan.meanings,
    }
    learnt = learned(rows, folds, config, facts, progress)
    if rows.spec["time"]:
        return learnt
    how = "on entities left out in turn"
    facts = learnt.model.facts | {"trained_on": [], "calibration": how}
    return replace(learnt, model=replace(learnt.model, facts=facts), calibration=how)


def _later(model: Model, learn: Dataset, test: Dataset) -> _Foretold:
    return _Foretold(
        test,
        model.scores(test.frame),
        beside(model, learn, test, _baselines(test)),
        lambda column: alarm.ranking(column, learn, test),
        slices.met(test, learn),
    )


def _in_turn(whole: Found, config: Training, progress: Progress) -> _Foretold:
    rows, only = whole.rows, [Fold((UNDATED,), (UNDATED,))]
    scores = Scores(*(np.zeros(len(rows)) for _ in range(3)))
    baselines = {name: np.zeros(len(rows)) for name in _baselines(rows)}
    cuts = []
    for part, (learn, left) in enumerate(sample(rows).cuts(PARTS, config.seed + 1), 1):
        fit, test = (rows.where(np.isin(np.arange(len(rows)), chosen)) for chosen in (learn, left))
        cuts.append((fit, test, left))
        model = _learnt(whole, fit, only, config, _within(progress, f"part {part} of {PARTS}")).model
        found = model.scores(test.frame)
        for every, mine in zip(vars(scores).values(), vars(found).values(), strict=True):
            every[left] = mine
        for name, p in beside(model, fit, test, _baselines(rows)).items():
            baselines[name][left] = p

    def ranked(column: Column) -> Vector:
        out = np.zeros(len(rows))
        for fit, test, left in cuts:
            out[left] = alarm.ranking(column, fit, test)
        return out

    return _Foretold(rows, scores, baselines, ranked, np.zeros(len(rows), dtype=bool))


def _within(progress: Progress, what: str) -> Progress:
    return lambda step: progress(f"{what}, {step}")


def _baselines(rows: Dataset) -> dict[str, Any]:
    """Recency is a rule only where a column tells it."""
    told = any(name in rows.plan.names for name in RECENCY)
    return {name: baseline for name, baseline in BASELINES.items() if told or name != "recency"}


def _worth(found: Found) -> bool:
    return any(column.column == "arr" and column.kind == NUMBER for column in found.given)


def _alarms(asked: Asked, found: Found, foretold: _Foretold, weights: metrics.Weights) -> list[Alarm]:
    relied_on = {column.column for column in found.given if column.name in asked.trusted}
    return [
        Alarm(column.name, alone.value, alone.low, alone.high, UNEXPLAINED, column.name in relied_on)
        for column, alone in alarm.breaking(foretold.test, foretold.ranked, weights)
    ]


def _card(trained: Trained, document: dict[str, Any], folder: Path) -> card.Card:
    assert trained.judged is not None
    left = [f"Left out: {name} ({reason})." for name, reason in trained.found.left_out.items()]
    return replace(
        card.of(document, trained.judged),
        rows_are=f"of {trained.asked.file.name}",
        columns_are="what they held when the table was made; whether that was known before the label was, it does not say",
        tested=trained.tested,
        again=[f"new rows: `propensity score --table FILE --model {folder.name}`; no pickle is loaded"],
        limits=[*card.of(document, trained.judged).limits, *notes(trained.asked, trained.found), *left],
    )


def notes(asked: Asked, found: Found) -> list[str]:
    """What a reader must know of how the table was taken."""
    said = []
    if not asked.time:
        said.append("No --time was named, so nothing was tested out of time: numbers hold for rows of the same time.")
    elif not asked.horizon:
        said.append("No --horizon was named: labels are taken as known at once, and if they are not, numbers flatter.")
    if not asked.entity:
        said.append("No --entity was named: every row counts as somebody else's, and if they are not, numbers flatter.")
    if found.together:
        said.append(f"Dates were taken together to {found.together}.")
    if found.counts["repeated"]:
        said.append(f"{found.counts['repeated']:,} rows are like another one in label and in every column learnt from.")
    return said
