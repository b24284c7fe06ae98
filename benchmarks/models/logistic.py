"""Logistic regression with some care: standardised, clipped, missing values flagged, strength by a fifth of the accounts left out."""

from __future__ import annotations

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from benchmarks.models.rows import Rows, Vector, as_words, held_out

PACKAGE = "scikit-learn"
STRENGTHS = (0.001, 0.01, 0.1)
FARTHEST = 6.0
"""Deviations beyond which a value counts no further."""


def probabilities(train: Rows, test: Rows) -> Vector:
    numbers = [name for name in train.features if name not in train.categorical]
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -FARTHEST, "a_max": FARTHEST})
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(fill, StandardScaler(), clip), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(train.categorical)),
        ]
    )
    learnt, seen = prepare.fit_transform(as_words(train)), prepare.transform(as_words(test))
    best = min(STRENGTHS, key=lambda strength: _unseen_loss(strength, learnt, train))
    return np.asarray(_fitted(best, learnt, train.label).predict_proba(seen)[:, 1])


def _fitted(strength: float, learnt: Vector, label: Vector) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=500).fit(learnt, label)


def _unseen_loss(strength: float, learnt: Vector, train: Rows) -> float:
    out = held_out(train.accounts)
    model = _fitted(strength, learnt[~out], train.label[~out])
    return float(log_loss(train.label[out], model.predict_proba(learnt[out])[:, 1]))
