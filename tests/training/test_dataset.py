"""From frame to matrix: columns in order, categories from the training range only; from frame to rows, with counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features import cohort, frame
from features.errors import PropensityError
from features.workspace import Workspace
from tests.training import made
from training.dataset import MOST_CATEGORIES, Encoder, dataset
from training.outcomes import configured


def test_columns_keep_their_order_whatever_that_of_the_frame() -> None:
    rows = made.rows(5)
    encoder = Encoder.fitted(rows.frame, made.PLAN)
    matrix = encoder.matrix(rows.frame)
    assert encoder.columns == tuple(made.PLAN.names)
    assert np.array_equal(matrix, encoder.matrix(rows.frame[sorted(map(str, rows.frame))]), equal_nan=True)
    for position, name in enumerate(encoder.columns[:-1]):
        assert np.array_equal(matrix[:, position], rows.frame[name], equal_nan=True)


@pytest.mark.parametrize(("category", "code"), [("large", 0), ("small", 1), ("unseen", None), (None, None)])
def test_categories_that_were_not_there_in_training_are_null(category: str | None, code: float | None) -> None:
    learn = made.rows(2).frame.assign(segment=["small", "large"] * 12)
    later = learn.assign(segment=pd.Series([category] * len(learn), dtype=object))
    encoder = Encoder.fitted(learn, made.PLAN)
    found = encoder.matrix(later)[:, -1]
    assert np.isnan(found).all() if code is None else (found == code).all()
    assert encoder.categories == {"segment": ("large", "small")}
    assert encoder.categorical == [len(encoder.columns) - 1]


def test_only_the_most_common_categories_are_kept() -> None:
    frame = made.rows(MOST_CATEGORIES + 1, made.DAYS[:2]).frame
    names = [f"s{number}" for number in range(MOST_CATEGORIES)]
    frame["segment"] = ["rare", "once", *names, *names]
    assert Encoder.fitted(frame, made.PLAN).categories["segment"] == tuple(sorted(names))


def test_a_frame_that_lacks_columns_is_refused_by_name() -> None:
    encoder = Encoder.fitted(made.rows(5).frame, made.PLAN)
    with pytest.raises(PropensityError, match="the frame lacks logins, segment"):
        encoder.matrix(made.rows(5).frame.drop(columns=["segment", "logins"]))


def test_every_row_is_used_or_counted_with_its_reason(prepared: Workspace) -> None:
    found = dataset(prepared, "churn")
    days = cohort.dates(prepared.config, configured(prepared, "churn"), frame.observed_until(prepared))
    everybody = frame.feature_frame(prepared, days)
    counts = found.counts.set_index("as_of")
    assert list(counts.index) == days
    assert (counts[["used", "unknown", "outside"]].sum(axis=1) == everybody.groupby("as_of").size()).all()
    assert counts["used"].sum() == len(found) == len(found.at(days))
    assert counts["yes"].sum() == found.y.sum() > 0
    assert not len(found.at([]))
    assert set(found.y) == {0.0, 1.0}
