"""Parts of a test fold: each row in its parts, numbers only where there is enough, the worst segment by what is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.training import made
from training import metrics, slices

LEARN, TEST = made.rows(60), made.rows(90, made.DAYS[:3], seed=1)
WEIGHTS = metrics.draws(TEST.accounts, 50, 1)
P = np.full(len(TEST), 0.3)


def test_every_row_is_in_one_part_of_each_kind() -> None:
    treated = np.arange(len(TEST)) % 3 == 0
    rows = replace(TEST, frame=TEST.frame.assign(tenure_days=np.linspace(0, 1500, len(TEST))), treated=treated)
    kinds: dict[str, np.ndarray] = {}
    for by, _, part in slices.parts(rows, slices.met(rows, LEARN)):
        kinds[by] = kinds.get(by, 0) + part.astype(int)
    assert set(kinds) == {"segment", "tenure", "accounts", "outreach"}
    for by, counts in kinds.items():
        assert (counts == (rows.frame["segment"].notna() if by == "segment" else 1)).all()


def test_accounts_never_met_are_told_apart() -> None:
    found = {one.name: one for one in slices.judged(TEST, slices.met(TEST, LEARN), P, WEIGHTS)}
    assert found["met in training"].n == 3 * 60
    assert found["never met in training"].n == 3 * 30
    assert found["met in training"].metrics["log_loss"].value > 0


def test_too_few_of_either_kind_are_counted_and_not_judged() -> None:
    rows = replace(TEST, y=np.zeros(len(TEST)))
    for one in slices.judged(rows, slices.met(rows, LEARN), P, WEIGHTS):
        assert one.metrics == {}
        assert one.as_dict()["metrics"] is None
        assert one.n > 0


def test_the_worst_segment_is_the_one_that_is_shown_to_be_worse() -> None:
    large = (TEST.frame["segment"] == "large").to_numpy()
    gaps = np.where(large, 0.2, -0.1)
    found = slices.worst(TEST, slices.met(TEST, LEARN), gaps, WEIGHTS)
    assert found is not None
    name, gap = found
    assert name == "large"
    assert gap.low > 0
    bare = replace(TEST, frame=TEST.frame.drop(columns="segment"))
    assert slices.worst(bare, slices.met(bare, LEARN), gaps, WEIGHTS) is None
