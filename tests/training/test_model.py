"""A model as data: saved and loaded bit for bit, refused when damaged, one row scored as among many."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import logit

from features.errors import PropensityError
from features.feature import Column
from tests.training import made
from training import model as models
from training.model import Model, Scores
from training.models.combined import Part
from training.models.trees import Trees

LEARN, TEST = made.rows(), made.rows(80, made.DAYS[:2], seed=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return made.model(LEARN, bags=3)


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> tuple[Path, str]:
    return tmp_path / "model", model.save(tmp_path / "model")


def _same(one: Scores, other: Scores) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("probability", "low", "high"))


def test_what_is_saved_is_loaded_bit_for_bit(model: Model, saved: tuple[Path, str]) -> None:
    again = models.load(*saved)
    assert _same(model.scores(TEST.frame), again.scores(TEST.frame))
    assert np.array_equal(model.contributions(TEST.frame), again.contributions(TEST.frame))
    assert (again.encoder, again.sigmoid, again.spread) == (model.encoder, model.sigmoid, model.spread)
    assert again.facts == model.facts
    assert again.save(saved[0].with_name("again")) == saved[1]


def test_boosters_keep_their_order_beyond_ten(model: Model, tmp_path: Path) -> None:
    boosters = _boosters(model)
    twelve = Trees(tuple(boosters[number % len(boosters)] for number in range(12)), 1.0, 0.0)
    many = replace(model, parts=(Part(1.0, twelve),))
    again = models.load(tmp_path, many.save(tmp_path))
    assert _texts(again) == _texts(many)


def _cut(share: float) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * share)])

    return spoil


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


DAMAGE: dict[str, Callable[[Path], None]] = {
    "cut to 30%": _cut(0.3),
    "cut to 50%": _cut(0.5),
    "cut to 70%": _cut(0.7),
    "cut to 99%": _cut(0.99),
    "emptied": _cut(0),
    "one bit flipped": _flip,
    "gone": Path.unlink,
    "a line more": _longer,
}


@pytest.mark.parametrize("name", ["part-0-booster-0.txt", "part-0-booster-2.txt", "contract.json"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_noticed_before_lightgbm_parses_anything(
    name: str, damage: Callable[[Path], None], saved: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("LightGBM parsed a model that had not been verified")

    damage(saved[0] / name)
    monkeypatch.setattr(lgb, "Booster", parsed)
    with pytest.raises(PropensityError, match=name) as error:
        models.load(*saved)
    assert error.value.status == 503
    assert "propensity train" in error.value.hint


def test_another_format_is_refused(saved: tuple[Path, str]) -> None:
    file = saved[0] / models.CONTRACT
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(PropensityError, match="format 99, this version reads 2"):
        models.load(saved[0], hashlib.sha256(file.read_bytes()).hexdigest())


def test_the_model_is_text_and_numbers(model: Model, saved: tuple[Path, str]) -> None:
    files = sorted(path.name for path in saved[0].iterdir())
    boosters = [
        f"part-{n}-booster-{k}.txt"
        for n, part in enumerate(model.parts)
        if isinstance(part.component, Trees)
        for k in range(3)
    ]
    assert files == ["contract.json", *boosters]
    for name in files:
        (saved[0] / name).read_text(encoding="utf-8")


def test_one_row_alone_gets_what_it_gets_among_many(model: Model) -> None:
    batch, shares = model.scores(TEST.frame), model.contributions(TEST.frame)
    backwards = TEST.frame.iloc[::-1].reset_index(drop=True)
    assert np.array_equal(model.scores(backwards).probability[::-1], batch.probability)
    for row in range(0, len(TEST), 3):
        alone = TEST.frame.iloc[[row]]
        scores = model.scores(alone)
        found = [float(part[0]) for part in (scores.probability, scores.low, scores.high)]
        assert found == [batch.probability[row], batch.low[row], batch.high[row]]
        assert np.array_equal(model.contributions(alone)[0], shares[row])


def test_contributions_sum_to_the_log_odds(model: Model) -> None:
    sums = model.contributions(TEST.frame).sum(axis=1)
    assert np.allclose(sums, logit(model.scores(TEST.frame).probability), atol=1e-10)


def test_what_matters_contributes_with_its_sign(model: Model) -> None:
    contributions = model.contributions(TEST.frame)[:, :-1]
    shares = np.abs(contributions).mean(axis=0)
    names = list(model.encoder.columns)
    assert {names[column] for column in np.argsort(-shares)[:2]} == {"logins", "tickets"}
    for name, sign in (("logins", -1), ("tickets", 1)):
        assert sign * np.corrcoef(contributions[:, names.index(name)], TEST.frame[name])[0, 1] > 0.7


def test_the_interval_contains_the_probability_and_narrows_with_more_rows(model: Model) -> None:
    def widths(of: Model) -> np.ndarray:
        scores = of.scores(TEST.frame)
        assert ((scores.low <= scores.probability) & (scores.probability <= scores.high)).all()
        assert ((scores.low >= 0) & (scores.high <= 1)).all()
        return scores.high - scores.low

    assert widths(made.model(made.rows(30), bags=3)).mean() > 1.5 * widths(model).mean() > 0


FIRST, *OTHERS = made.PLAN.columns
REDEFINED, REWORDED = (
    replace(FIRST, declaration=replace(FIRST.declaration, **changed))
    for changed in ({"of": "ticket.opened"}, {"doc": "new"})
)
HONOURED: dict[str, tuple[list[Column], str]] = {
    "as it was": ([FIRST, *OTHERS], ""),
    "a feature more": ([Column("new", FIRST.declaration), FIRST, *OTHERS], ""),
    "other words for it": ([REWORDED, *OTHERS], ""),
    "a feature gone": (OTHERS, f"features that are not there any more: {FIRST.name}"),
    "a definition changed": ([REDEFINED, *OTHERS], f"has changed since the model was trained: {FIRST.name}"),
    "a definition changed, and a feature more": (
        [REDEFINED, *OTHERS, Column("new", FIRST.declaration)],
        f"has changed since the model was trained: {FIRST.name}",
    ),
}


@pytest.mark.parametrize(("columns", "refused"), HONOURED.values(), ids=HONOURED)
def test_a_model_whose_features_changed_is_refused_by_name(columns: list[Column], refused: str, model: Model) -> None:
    plan = replace(made.PLAN, columns=tuple(columns))
    if not refused:
        models.honour(model, plan)
        return
    with pytest.raises(PropensityError, match=refused):
        models.honour(model, plan)


def _boosters(model: Model) -> list[lgb.Booster]:
    return [b for part in model.parts if isinstance(part.component, Trees) for b in part.component.boosters]


def _texts(model: Model) -> list[str]:
    return [booster.model_to_string() for booster in _boosters(model)]


def test_the_same_rows_and_seed_give_the_same_model_to_the_byte(model: Model, tmp_path: Path) -> None:
    again = made.model(made.rows(), bags=3)
    assert _texts(again) == _texts(model)
    assert again.save(tmp_path / "again") == model.save(tmp_path / "model")
    assert _texts(made.model(LEARN, bags=3, seed=8)) != _texts(model)
