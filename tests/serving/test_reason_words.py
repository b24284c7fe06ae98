"""Three reasons are three: what two features say in the same words is said once, with what both add."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.definitions.advocacy import FEATURES
from features.feature import Column, Feature
from serving.scores.reasons import Reasoner


def reasoner(words: list[str]) -> Reasoner:
    declared = next(one for one in FEATURES if isinstance(one, Feature))
    columns = [
        Column(f"f{number}", replace(declared, name=f"f{number}", reason=text)) for number, text in enumerate(words)
    ]
    return Reasoner(columns, np.arange(len(words)), [np.array([number]) for number in range(len(words))])


@pytest.mark.parametrize("rows", [pd.DataFrame, dict])
def test_what_is_said_in_the_same_words_is_said_once(rows: type) -> None:
    told = reasoner(["{value} days", "{value} days", "much", "{value} days", "little", "none"])
    values = rows({f"f{number}": [7.0, float(number)] for number in range(6)})
    contributions = np.array([[0.5, 0.4, 0.3, 0.2, 0.1, -0.1, 9.0], [-0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 9.0]])
    twice, once = told.reasons(values.__getitem__, contributions)
    assert [(one.text, one.feature) for one in twice] == [("7 days", "f0"), ("Much", "f2"), ("Little", "f4")]
    assert [one.contribution for one in twice] == pytest.approx([1.1, 0.3, 0.1])
    assert [(one.text, one.contribution) for one in once] == [("0 days", -0.5), ("1 days", -0.4), ("Much", -0.3)]


def test_what_adds_more_together_comes_first() -> None:
    told = reasoner(["much", "little", "little"])
    (line,) = told.reasons(lambda _: [1.0], np.array([[0.5, 0.4, 0.3, 0.0]]))
    assert [(one.text, one.contribution) for one in line] == [("Little", pytest.approx(0.7)), ("Much", 0.5)]
