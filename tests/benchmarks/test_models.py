"""The comparison of models: nobody sees an answer, accounts are kept together, and the judge reckons rightly."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.models import measure, page, rows, tasks
from benchmarks.models.measure import COMPETITORS, Competitor, Said
from benchmarks.models.tasks import Material, Split, Task
from training import metrics

NAME = "made up"
DAYS = [date(2025, 1, 1) + timedelta(days=30 * number) for number in range(6)]


def _frame(days: list[date], accounts: int = 120, seed: int = 1) -> pd.DataFrame:
    """``use`` tells of the label, ``plan`` is missing here and there, ``silent`` is always null."""
    rng = np.random.default_rng(seed)
    names = np.repeat([f"a{number:03d}" for number in range(accounts)], len(days))
    use = rng.normal(size=len(names))
    return pd.DataFrame(
        {
            "account": names,
            "as_of": days * accounts,
            "label": (rng.random(len(names)) < 1 / (1 + np.exp(2 * use))).astype(np.int8),
            "use": np.where(rng.random(len(names)) < 0.1, np.nan, use),
            "silent": np.nan,
            "plan": pd.Series(rng.choice(["basic", "pro", None], len(names))).astype("str"),
        }
    )


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task over time, as it is written."""
    monkeypatch.setattr(tasks, "TASKS_AT", tmp_path)
    made = Material("made up", [Split("final", _frame(DAYS[:4]), _frame(DAYS[5:], seed=2))], ("plan",), 30)
    monkeypatch.setitem(tasks.TASKS, NAME, lambda data: made)
    return tasks.prepared(NAME, tmp_path)


def _competitor(name: str) -> Competitor:
    return next(competitor for competitor in COMPETITORS if competitor.name == name)


def test_only_the_judge_has_the_answers(task: Task) -> None:
    (folder,) = task.folders()
    assert "label" not in pd.read_parquet(folder / "test.parquet")
    assert np.isnan(rows.read(folder, "test").label).all()
    learnt = rows.read(folder, "train")
    assert list(learnt.features) == ["use", "silent", "plan"]
    assert (task.train_rows, task.train_yes) == (len(learnt), int(learnt.label.sum()))
    answers, test = task.answers(), rows.read(folder, "test")
    assert answers["account"].tolist() == test.accounts.tolist()
    assert (task.test_rows, task.test_yes) == (len(answers), int(answers["label"].sum()))


def test_a_task_is_written_once_and_named_after_its_rows(task: Task, tmp_path: Path) -> None:
    made = tasks.TASKS[NAME](tmp_path)
    assert tasks.prepared(NAME, tmp_path) == task
    assert tasks.prepared(NAME, tmp_path, anew=True) == task
    made.splits[0].train.loc[0, "use"] = 9.0
    assert tasks.prepared(NAME, tmp_path).data == task.data
    assert tasks.prepared(NAME, tmp_path, anew=True).data != task.data


def test_no_account_is_on_both_sides(task: Task) -> None:
    learnt = rows.read(task.folders()[0], "train")
    part = rows.groups(learnt.accounts, 3)
    assert pd.Series(part).groupby(learnt.accounts).nunique().eq(1).all()
    assert set(part) == {0, 1, 2}
    assert rows.held_out(learnt.accounts).mean() == pytest.approx(0.2, abs=0.01)


def test_categories_are_those_learnt_from(task: Task) -> None:
    learnt, test = (rows.read(task.folders()[0], kind) for kind in ("train", "test"))
    test.features.loc[0, "plan"] = "never seen"
    known, seen = rows.as_categories(learnt, test)
    assert list(known["plan"].cat.categories) == ["basic", "pro"]
    assert pd.isna(seen["plan"][0])
    assert rows.as_words(learnt)["plan"].notna().all()


@pytest.mark.parametrize("name", ["logistic", "lightgbm", measure.OURS])
def test_competitors_learn_in_processes_of_their_own(name: str, task: Task) -> None:
    base, found = measure.measure(task, [_competitor("base-rate"), _competitor(name)], 1)
    share, y = task.train_yes / task.train_rows, task.answers()["label"].to_numpy()
    expected = -np.where(y == 1, np.log(share), np.log(1 - share)).mean()
    assert base["log_loss"] == pytest.approx(expected, abs=1e-5)
    assert found["log_loss"] < base["log_loss"] - 0.05
    assert found["auc"] > 0.75
    assert found["data"] == task.data
    shown = "\n".join(page.parts([base, found]))
    assert f"{found['log_loss']:.4f} (" in shown


def test_the_splits_of_a_flat_table_are_judged_together(task: Task, tmp_path: Path) -> None:
    table = _frame(DAYS[:1], 100)
    halves = [table["account"] < "a050", table["account"] >= "a050"]
    splits = [Split(f"fold-{n}", table[~half], table[half]) for n, half in enumerate(halves)]
    tasks.write("flat", Material("flat", splits, ("plan",), 0, share_of_limits=0.5))
    flat = tasks.prepared("flat", tmp_path)
    said = measure.once(_competitor("base-rate"), flat)
    assert said.probability is not None
    means = [table.loc[~half, "label"].mean() for half in halves]
    assert said.probability == pytest.approx(np.repeat(means, 50))
    assert _competitor("tuned").given(flat, slower=4)["limit"] == _competitor("tuned").options["limit"] * 2


def test_who_cannot_run_is_told_and_the_others_are_judged(task: Task) -> None:
    broken = Competitor("broken", "no_such_module", "broken")
    base, other = measure.measure(task, [_competitor("base-rate"), broken], 1)
    assert "log_loss" in base
    assert "no_such_module" in other["note"]
    assert "log_loss" not in other


def test_a_perfect_model_is_within_its_own_calibration_error() -> None:
    rng = np.random.default_rng(5)
    p = rng.uniform(0.05, 0.95, 2000)
    weights = np.ones((1, len(p)))
    allowed = measure.perfect_ece(p)
    kept = [metrics.ece((rng.random(len(p)) < p).astype(float), p, weights)[0] <= allowed for _ in range(200)]
    assert 0.9 <= np.mean(kept) <= 0.99
    shifted = (rng.random(len(p)) < np.clip(p - 0.1, 0, 1)).astype(float)
    told = measure.found(shifted, p, weights)
    assert told["ece"] > 2 * allowed
    assert told["ece_perfect_95"] == round(allowed, 5)


def test_the_page_says_plainly_who_wins(task: Task) -> None:
    answers = task.answers()
    y = answers["label"].to_numpy(dtype=float)
    near, far = (np.clip(y, gap, 1 - gap) for gap in (0.2, 0.4))
    both = [_competitor(measure.OURS), _competitor("lightgbm")]

    def verdict(ours: np.ndarray, theirs: np.ndarray) -> str:
        runs = {measure.OURS: [Said(ours)], "lightgbm": [Said(theirs, version="4")]}
        return page.verdicts(NAME, list(measure.judged(task, both, runs)))[0]

    assert "**we lose** by" in verdict(far, near)
    assert "we win by" in verdict(near, far)
    assert "the best peer (LightGBM 4)" in verdict(near, far)
