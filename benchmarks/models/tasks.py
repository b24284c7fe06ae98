"""The tasks, each written once as plain Parquet that every competitor reads, whatever it is written in.

A task is a folder ``benchmarks/.worlds/models/NAME`` with ``task.json`` (see ``Task``) and one folder per split:

- ``train.parquet``: ``account``, ``as_of``, ``label`` (0 or 1), then the features; one row per account and as_of;
- ``test.parquet``: the same without ``label``;
- ``answers.parquet``: ``account``, ``as_of``, ``label`` of the test rows in their order; only the judge opens it.

Numbers are doubles with nulls where nothing is known, categories are strings. A task over time has one split; a flat
table has one per fold, and its test rows together are the whole table.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from benchmarks.real import taken_in
from features import intake
from features.files import replaced
from features.sources.simulated import World
from features.workspace import Workspace
from serving.demo import prepare as simulate
from training.dataset import Dataset, dataset
from training.outcomes import configured
from training.splits import rolling

TASKS_AT = Path(__file__).parents[1] / ".worlds" / "models"
KEYS = ("account", "as_of")
LABEL = "label"
FOLDS = 5
SIMULATED = World(accounts=4000, seed=11)
FLAT_AS_OF = date(2000, 1, 1)
"""The as_of of a flat table, which has no time: one date for all rows."""


@dataclass(frozen=True)
class Task:
    """What ``task.json`` says: a label is known ``span`` days after its as_of.

    ``share_of_limits`` scales every time limit, per split; rows and yes of ``train`` are those of the first split.

    ``data`` changes whenever a row of any split does.
    """

    name: str
    what: str
    splits: tuple[str, ...]
    columns: int
    categorical: tuple[str, ...]
    train_dates: tuple[str, ...]
    test_dates: tuple[str, ...]
    span: int
    share_of_limits: float
    train_rows: int
    train_yes: int
    test_rows: int
    test_yes: int
    data: str
    season: str

    @property
    def folder(self) -> Path:
        return TASKS_AT / slug(self.name)

    def folders(self) -> list[Path]:
        """One per split."""
        return [self.folder / split for split in self.splits]

    def answers(self) -> pd.DataFrame:
        """The test rows of all splits with their labels."""
        return pd.concat([pd.read_parquet(folder / "answers.parquet") for folder in self.folders()])


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to foretell: frames with ``account``, ``as_of``, ``label`` and the features."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame


@dataclass(frozen=True)
class Material:
    """What a task is written from."""

    what: str
    splits: list[Split]
    categorical: tuple[str, ...]
    span: int
    share_of_limits: float = 1.0
    season: str = "none"


def prepared(name: str, data: Path, anew: bool = False) -> Task:
    """A task, written if it is not there yet; ``data`` is the folder of the third-party data."""
    file = TASKS_AT / slug(name) / "task.json"
    if anew or not file.is_file():
        write(name, TASKS[name](data))
    told = json.loads(file.read_text(encoding="utf-8"))
    return Task(**{key: tuple(value) if isinstance(value, list) else value for key, value in told.items()})


def write(name: str, made: Material) -> None:
    """``task.json`` comes last, so that a task is whole or not there."""
    folder = TASKS_AT / slug(name)
    shutil.rmtree(folder, ignore_errors=True)
    digest = hashlib.sha256()
    for split in made.splits:
        here = folder / split.name
        here.mkdir(parents=True)
        files = {
            "train": split.train,
            "test": split.test.drop(columns=LABEL),
            "answers": split.test[[*KEYS, LABEL]],
        }
        for kind, rows in files.items():
            rows.to_parquet(here / f"{kind}.parquet", index=False)
            digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    train, test = ([getattr(split, kind) for split in made.splits] for kind in ("train", "test"))
    task = Task(
        name=name,
        what=made.what,
        splits=tuple(split.name for split in made.splits),
        columns=train[0].shape[1] - len(KEYS) - 1,
        categorical=made.categorical,
        train_dates=_days(train),
        test_dates=_days(test),
        span=made.span,
        share_of_limits=made.share_of_limits,
        train_rows=len(train[0]),
        train_yes=int(train[0][LABEL].sum()),
        test_rows=sum(map(len, test)),
        test_yes=sum(int(rows[LABEL].sum()) for rows in test),
        data=digest.hexdigest()[:16],
        season=made.season,
    )
    with replaced(folder / "task.json") as part:
        part.write_text(json.dumps(asdict(task), indent=1) + "\n", encoding="utf-8")


def slug(name: str) -> str:
    """A name as a folder."""
    return name.replace(" ", "-")


def _days(frames: Iterable[pd.DataFrame]) -> tuple[str, ...]:
    return tuple(sorted({str(day) for rows in frames for day in rows["as_of"]}))


def platform365_churn(data: Path) -> Material:
    return _example(
        "platform365", "churn", data, "no watching and no rating in the next 30 days, given some in the last 61"
    )


def platform365_advocacy(data: Path) -> Material:
    return _example(
        "platform365", "advocacy", data, "a rating of 4 or 5 in the next 45 days, given activity in the last 91"
    )


def online_retail(data: Path) -> Material:
    return _example("online_retail", "churn", data, "no order in the next 90 days, given one in the last 180")


def simulated(data: Path) -> Material:
    with TemporaryDirectory() as scratch:
        here = simulate(Path(scratch), SIMULATED, lambda done, of: None)
        with intake.read(here) as found:
            found.write_tables()
        return _over_time(
            here, "churn", f"no live contract 104 days on, in a simulated company of {SIMULATED.accounts:,}"
        )


def _example(example: str, outcome: str, data: Path, what: str) -> Material:
    with TemporaryDirectory() as scratch:
        return _over_time(taken_in(example, data, Path(scratch)), outcome, what)


def _over_time(here: Workspace, outcome: str, what: str) -> Material:
    """The final fold of the product's own training: what was known before the test dates, and the test dates."""
    rows = dataset(here, outcome)
    span, config = configured(here, outcome).span, here.config.training
    final = rolling(sorted(set(rows.as_of.tolist())), span, config.test_dates, config.folds)[-1]
    split = Split("final", _plain(rows.at(list(final.fit))), _plain(rows.at(list(final.test))))
    categorical = tuple(column.name for column in rows.plan.columns if column.categorical)
    return Material(what, [split], categorical, span, season=configured(here, outcome).season)


def _plain(rows: Dataset) -> pd.DataFrame:
    """Keys, label and features, without what belongs to the product alone."""
    numbers = [column.name for column in rows.plan.columns if not column.categorical]
    label = pd.Series(rows.y.astype(np.int8), name=LABEL)
    features = rows.frame[rows.plan.names].astype(dict.fromkeys(numbers, np.float64))
    return pd.concat([rows.frame[list(KEYS)], label, features], axis=1)


def ibm_telco(data: Path) -> Material:
    """A flat table: folds at random within each kind, for it has no time; half the limits, for each fold is small."""
    table = pd.read_csv(data / "ibm_telco" / "telco.csv")
    label = (table["Churn"] == "Yes").astype(np.int8)
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")  # blank for who joined this month
    numbers = ["SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"]
    features = table.drop(columns=["customerID", "Churn"]).astype(dict.fromkeys(numbers, np.float64))
    keys = pd.DataFrame({"account": table["customerID"], "as_of": FLAT_AS_OF, LABEL: label})
    rows = pd.concat([keys, features], axis=1)
    cuts = StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(rows, label)
    splits = [
        Split(f"fold-{number}", rows.iloc[learn].reset_index(drop=True), rows.iloc[test].reset_index(drop=True))
        for number, (learn, test) in enumerate(cuts, start=1)
    ]
    categorical = tuple(name for name in features if name not in numbers)
    return Material("churn, a flat table without dates", splits, categorical, 0, share_of_limits=0.5)


TASKS: dict[str, Callable[[Path], Material]] = {
    "platform365 churn": platform365_churn,
    "platform365 advocacy": platform365_advocacy,
    "online_retail churn": online_retail,
    "ibm_telco churn": ibm_telco,
    "simulated churn": simulated,
}
