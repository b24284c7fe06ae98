"""From frame to matrix: columns in order, categories from the training range only; from frame to rows, with counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features import cohort, frame
from features.errors import PropensityError
from features.workspace import Workspace
from tests import company
from tests.training import made
from training.dataset import MOST_CATEGORIES, Encoder, counted, dataset
from training.outcomes import Labelled, configured
from training.outcomes.specification import spec


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
    assert (counts["rows"] == counts["used"] + counts["dropped"]).all()
    assert (counts["dropped"] == counts["unknown"] + counts["outside"]).all()
    assert not counts[["immature", "unrecorded", "ambiguous", "treated"]].any(axis=None)
    assert found.treated is None
    assert found.spec == spec(prepared, "churn") == found.at(days[:1]).spec
    assert not len(found.at([]))
    assert set(found.y) == {0.0, 1.0}


def test_windows_that_are_not_over_are_counted_as_such(prepared: Workspace) -> None:
    churn = prepared.config.outcomes.churn
    assert churn is not None
    later = churn.model_copy(update={"until": company.UNTIL})
    outcomes = prepared.config.outcomes.model_copy(update={"churn": later})
    longer = Workspace(prepared.root, prepared.config.model_copy(update={"outcomes": outcomes}))
    before, after = (dataset(workspace, "churn") for workspace in (prepared, longer))
    fresh = after.counts.set_index("as_of").loc[company.UNTIL]
    assert fresh["used"] == fresh["yes"] == 0
    assert fresh["immature"] == fresh["unknown"] == fresh["dropped"] == fresh["rows"] > 0
    assert len(after) == len(before)


def test_the_reasons_for_what_is_unknown_are_told_apart_and_add_up() -> None:
    null = np.nan
    found = Labelled(
        np.array([1.0, 0.0, null, null, null, null, 1.0]),
        immature=np.array([0, 0, 1, 0, 0, 1, 0], dtype=bool),
        unrecorded=np.array([0, 0, 0, 1, 0, 0, 0], dtype=bool),
        ambiguous=np.array([0, 0, 0, 0, 1, 0, 0], dtype=bool),
        treated=np.array([1, 0, 1, 1, 1, 1, 1], dtype=bool),
    )
    applies = np.array([1, 1, 1, 1, 1, 0, 0], dtype=bool)
    days = pd.Series([made.DAYS[0]] * 4 + [made.DAYS[1]] * 3)
    lines = counted(days, applies, found).set_index("as_of").to_dict("index")
    same = {"outside": 0, "immature": 0, "unrecorded": 0, "ambiguous": 0}
    assert lines == {
        made.DAYS[0]: same
        | {"rows": 4, "used": 2, "yes": 1, "treated": 1, "dropped": 2, "unknown": 2, "immature": 1, "unrecorded": 1},
        made.DAYS[1]: same
        | {"rows": 3, "used": 0, "yes": 0, "treated": 0, "dropped": 3, "unknown": 1, "ambiguous": 1, "outside": 2},
    }
