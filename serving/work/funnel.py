"""The advocacy funnel of a workspace: how likely whom is to say yes to what, and to act unasked, as of the latest data.

Numbers are made on demand from the tables in use and kept under ``state/asks``, named after what they were made from; the
same tables and settings give the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import frame, intake
from features.files import replaced, scratch, settled
from features.settings.outcomes import Unasked
from features.workspace import Workspace
from serving.decisions.whom import Chance, Person
from serving.work import asked
from training.asks import fit as fitting
from training.asks.backtest import AsksBacktest, backtest
from training.asks.fatigue import Step, fatigue
from training.asks.fit import SHARES, Fitted
from training.asks.past import OF_THE_ASK, Past
from training.asks.shares import Shares
from training.asks.weights import Overlap
from training.model import Model, load
from training.outcomes import labels

Progress = Callable[[str], None]
FORMAT = 2
TOLD = "funnel.json"


@dataclass(frozen=True)
class Funnel:
    """``yes`` to an ask, and ``unasked``: None where too few acts were done unasked to learn from."""

    as_of: date
    yes: Fitted
    unasked: Model | None

    def chances(self, rows: pd.DataFrame, whom: Iterable[tuple[Person, str]]) -> dict[tuple[Person, str], Chance]:
        """(person, kind) → the chance of a yes, with its interval (90%). ``rows`` are feature rows of the accounts."""
        pairs = list(whom)
        if not pairs:
            return {}
        model = self.yes.model
        needed = model.encoder.columns if isinstance(model, Model) else ()
        signals = rows[["account", *(name for name in needed if name not in OF_THE_ASK)]]
        found = model.scores(asks_of(signals, pairs))
        each = zip(found.probability.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
        return {pair: Chance(*one) for pair, one in zip(pairs, each, strict=True)}

    def by_themselves(self, rows: pd.DataFrame) -> dict[str, Chance]:
        """Account → the chance that it acts within the horizon without being asked; nobody where there is no model."""
        if self.unasked is None or rows.empty:
            return {}
        found = self.unasked.scores(rows)
        each = zip(found.probability.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
        return {account: Chance(*one) for account, one in zip(rows["account"], each, strict=True)}


def asks_of(rows: pd.DataFrame, pairs: list[tuple[Person, str]]) -> pd.DataFrame:
    """A row for each (person, kind), with the signals that ``rows`` have of the person's account."""
    beside = pd.DataFrame(
        {
            "account": [person.account for person, _ in pairs],
            "kind": [kind for _, kind in pairs],
            "role": [person.role for person, _ in pairs],
            "champion_contact": [float(person.champion_contact) for person, _ in pairs],
            "mood": np.array([person.mood for person, _ in pairs], dtype=float),
            "used": np.array([person.used for person, _ in pairs], dtype=float),
        }
    )
    return beside.merge(rows, on="account", how="left")


def funnel(workspace: Workspace, progress: Progress = lambda _: None) -> Funnel:
    """As of the latest data; made if it is not there yet."""
    place = _place(workspace)
    if not is_learnt(workspace):
        past = asked.past(workspace, progress)
        as_of = frame.observed_until(workspace)
        progress("who says yes")
        yes = fitting.fit(past, as_of, workspace.config.training, progress=progress)
        progress("who acts unasked")
        _save(place, Funnel(as_of, yes, unasked(workspace, past)))
    return _load(place)


def is_learnt(workspace: Workspace) -> bool:
    return (_place(workspace) / TOLD).is_file()


def learn(workspace: Workspace) -> None:
    """Have it made, for ``funnel`` to find."""
    funnel(workspace)


def tested(workspace: Workspace, progress: Progress = lambda _: None) -> AsksBacktest:
    """The backtest of who says yes, kept under ``state/backtests``."""
    past = asked.past(workspace, progress)
    made = backtest(past, frame.observed_until(workspace), workspace.config.training, progress)
    with replaced(workspace.state / "backtests" / "asks.json") as part:
        part.write_text(json.dumps(made.as_dict(), indent=1), encoding="utf-8")
    return made


def tired(workspace: Workspace, progress: Progress = lambda _: None) -> list[Step]:
    """Whether asking often tires, from all asks with an answer."""
    past = asked.past(workspace, progress)
    return fatigue(past, frame.observed_until(workspace), workspace.config.training)


def unasked(workspace: Workspace, past: Past) -> Model | None:
    """Learnt from the eligible account-months whose horizon has been observed: an act that nobody had asked for, or not."""
    config = workspace.config
    given = dict(config.outcomes)
    settings = given.get("unasked") or Unasked(horizon=given["advocacy"].horizon if "advocacy" in given else 90)
    outcomes = config.outcomes.model_copy(update={"unasked": settings})
    told = Workspace(workspace.root, config.model_copy(update={"outcomes": outcomes}))
    if "advocacy" not in config.tables or past.cells.empty:
        return None
    y = labels(told, "unasked", past.cells)
    known = ~np.isnan(y)
    days = past.cells["as_of"][known].nunique()
    overlap = float(np.clip(settings.horizon / 30.4, 1.0, max(days, 1)))
    return fitting.unasked(past.cells[known], y[known], past.signals, overlap, config.training)


def _place(workspace: Workspace) -> Path:
    """Named after whatever these numbers depend on."""
    folder, _ = intake.current(workspace)
    config = workspace.config
    meant = [str(FORMAT), folder.name, str(frame.observed_until(workspace)), config.timezone]
    meant += [
        one.model_dump_json() for one in (config.asks, config.cohort, config.as_of, config.training, config.signals)
    ]
    meant += [config.outcomes.model_dump_json()]
    return workspace.state / "asks" / hashlib.sha256("\n".join(meant).encode()).hexdigest()[:16]


def _save(place: Path, found: Funnel) -> None:
    """Written beside its place and moved there whole; what was made of earlier tables goes."""
    told: dict[str, Any] = {"as_of": str(found.as_of), "yes": found.yes.as_dict(), "models": {}}
    place.parent.mkdir(parents=True, exist_ok=True)
    with scratch(place.parent) as folder:
        part = folder / place.name
        for name, model in (("yes", found.yes.model), ("unasked", found.unasked)):
            if isinstance(model, Shares):
                told["shares"] = model.as_data()
            elif model is not None:
                told["models"][name] = model.save(part / name)
        with replaced(part / TOLD) as file:
            file.write_text(json.dumps(told, indent=1), encoding="utf-8")
        settled(part, place)
    for old in place.parent.iterdir():
        if old.is_dir() and old != place and (old / TOLD).is_file():
            shutil.rmtree(old)


def _load(place: Path) -> Funnel:
    told = json.loads((place / TOLD).read_text(encoding="utf-8"))
    models = {name: load(place / name, sha256) for name, sha256 in told["models"].items()}
    return Funnel(date.fromisoformat(told["as_of"]), _fitted(told, models), models.get("unasked"))


def _fitted(told: Mapping[str, Any], models: Mapping[str, Model]) -> Fitted:
    yes = dict(told["yes"])
    rung = yes.pop("rung")
    model = Shares.from_data(told["shares"]) if rung == SHARES else models["yes"]
    overlap = Overlap.from_dict(yes.pop("overlap"))
    return Fitted(model, **yes, overlap=overlap)
