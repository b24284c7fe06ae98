"""What ten points of a metric are worth: ARR kept by hand, slopes on a made-up company, and the sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import PropensityError
from features.measures import Measure
from features.workspace import Workspace
from tests import worlds
from training.outcomes import arr_kept
from training.panel import Slope
from training.worth import SHUFFLES, TOO_OFTEN, Worth, chosen, worth

NPS = Measure("nps", "NPS", "nps_balance_180d", points=100.0)
TOLD = Worth(NPS, 0.05, 1_000_000, 40, 104, 180, Slope(0.002, 0.0005, 400, 4000), None, None, None, 1)


def test_arr_kept_by_hand(tmp_path: Path) -> None:
    """As of 1 March, half a year on: the ARR of contracts live then over those live now."""

    def term(
        account: str, arr: float | None, starts: tuple[int, int], ends: tuple[int, int] | None
    ) -> dict[str, object]:
        return {
            "contract": f"{account} {starts} {arr}",
            "account": account,
            "starts": datetime(*starts, 1, tzinfo=UTC),
            "ends": None if ends is None else datetime(*ends, 1, tzinfo=UTC),
            "arr": arr,
        }

    contracts = [
        term("steady", 100, (2025, 1), None),
        term("grown", 100, (2025, 1), (2026, 6)),
        term("grown", 150, (2026, 6), None),
        term("shrunk", 60, (2025, 1), None),
        term("shrunk", 40, (2025, 1), (2026, 6)),
        term("gone", 100, (2025, 1), (2026, 6)),
        term("unpriced", None, (2025, 1), None),
        term("unpriced later", 100, (2025, 1), (2026, 6)),
        term("unpriced later", None, (2026, 6), None),
        term("new", 100, (2026, 6), None),
    ]
    names = list(dict.fromkeys(str(row["account"]) for row in contracts))
    workspace = worlds.write(
        tmp_path,
        {"accounts": [{"account": name} for name in names], "contracts": contracts},
        as_of={"since": date(2026, 1, 31), "exported": date(2026, 12, 31)},
        outcomes={"churn": {"horizon": 90}},
    )
    worlds.take_in(workspace)
    rows = pd.DataFrame({"account": names, "as_of": [date(2026, 2, 28)] * len(names)})
    found = dict(zip(names, arr_kept(workspace, rows, 180).tolist(), strict=True))
    assert {name: kept for name, kept in found.items() if not np.isnan(kept)} == pytest.approx(
        {"steady": 1.0, "grown": 1.5, "shrunk": 0.6, "gone": 0.0}
    )
    assert np.isnan(arr_kept(workspace, rows, 330)).all()  # not observed that far


def test_a_made_up_company_in_which_low_answers_go_before_leaving(prepared: Workspace) -> None:
    """Answers of 5 or 10 each month: who gave 5 and used it little does not come back. Half a year's answers say less."""
    beacon = prepared.config.beacon.model_copy(update={"worth_days": 28, "growth_days": 28})
    workspace = Workspace(prepared.root, prepared.config.model_copy(update={"beacon": beacon}))
    found = {one.measure.name: one for one in worth(workspace)}
    assert set(found) == {"nps", "nps_answer"}  # nobody was asked for anything else
    answer = found["nps_answer"]
    assert answer.stay is not None
    assert answer.stay.times(10)["low"] > 0
    # of those who use it little 97% or 3% leave, who are 40%: a fall from 10 to 5 costs 0.4 * 0.94 in 50 points
    assert answer.stay.times(50)["low"] < 0.4 * 0.94 < answer.stay.times(50)["high"]
    # the same answers as NPS: 10 is 100 and 5 is -100
    assert found["nps"].stay is not None
    assert found["nps"].stay.value == pytest.approx(answer.stay.value / 4, rel=1e-6)
    assert answer.growth is None or not answer.growth.shown  # contracts never change
    assert answer.trusted
    assert "observational" in answer.sentence
    assert answer.as_dict()["placebo"]["shuffled"] == SHUFFLES


def test_a_metric_that_does_not_exist_is_named_with_those_that_do(prepared: Workspace) -> None:
    with pytest.raises(PropensityError, match="no metric is called 'loyalty'") as refused:
        chosen(("loyalty",), prepared)
    assert "csat" in refused.value.hint
    assert "usage" not in refused.value.hint  # it is not told in points


def test_what_is_said_about_renewal() -> None:
    """A slope of 0.2 points per point is two percentage points in ten; t of 399 is 1.966."""
    assert "2.0 percentage points more who stay over 104 days" in TOLD.sentence
    assert "observational" in TOLD.sentence
    assert TOLD.money == pytest.approx({"value": 20_000, "low": 10_170, "high": 29_830}, rel=1e-3)
    assert "fewer who stay" in replace(TOLD, stay=Slope(-0.002, 0.0005, 400, 4000)).sentence
    assert "not shown" in replace(TOLD, stay=Slope(0.002, 0.002, 400, 4000)).sentence
    few = replace(TOLD, stay=None, shown_shuffled=None)
    assert "too few" in few.sentence
    assert few.money is None


def test_placebos_that_seem_to_matter_are_said_to() -> None:
    assert not replace(TOLD, shown_shuffled=TOO_OFTEN + 1).trusted
    assert "shuffled metrics seem to matter too" in replace(TOLD, shown_shuffled=TOO_OFTEN + 1).sentence
    steep = Slope(0.002, 0.0005, 400, 4000)
    assert "too few" in TOLD.grown
    assert "afterwards" in replace(TOLD, growth=steep, after=steep).grown
    assert "afterwards" not in replace(TOLD, growth=steep, after=Slope(0.0, 0.0005, 400, 4000)).grown
    assert "none is shown" in replace(TOLD, growth=Slope(0.0, 0.0005, 400, 4000)).grown
