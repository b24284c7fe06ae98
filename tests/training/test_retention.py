"""From contracts to a judged curve: who is at risk when, what is known by when, and that it beats Kaplan–Meier."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features import intake
from features.errors import PropensityError
from features.settings.data import Personas
from features.sources.simulated import World
from features.workspace import Workspace
from serving.demo import prepare
from tests.training import made
from training import retention
from training.outcomes.terms import NEVER
from training.retention import Histories, train_retention

ZONE = "Europe/Berlin"
DAY, TICK = date(2026, 3, 1), 1
HORIZONS = (30, 90)
LATE = 5


def _at(days: int, ticks: int = 0) -> int:
    """So many local days after as_of; the clocks change within."""
    local = datetime(2026, 3, 2, tzinfo=ZoneInfo(ZONE)) + timedelta(days=days)
    return round(local.timestamp()) * 1_000_000 + ticks


CASES: dict[str, tuple[int, list[bool], list[bool]]] = {
    "at once": (_at(0), [True, False], [True, False]),
    "within the first": (_at(30, -TICK), [True, False], [True, False]),
    "as the second begins": (_at(30), [True, True], [False, True]),
    "on the last instant": (_at(90, -TICK), [True, True], [False, True]),
    "as it ends": (_at(90), [True, True], [False, False]),
    "never": (int(NEVER), [True, True], [False, False]),
}
"""When an account is lost; in which intervals it is at risk, and in which it leaves."""


def _histories(loss: list[int], days: list[date]) -> Histories:
    rows = pd.DataFrame({"account": [f"a{n}" for n in range(len(loss))], "as_of": np.array(days, dtype=object)})
    return Histories(rows, made.PLAN, np.array(loss, dtype=np.int64), ZONE, LATE)


@pytest.mark.parametrize(("known", "intervals"), [(94, 1), (95, 2), (34, 0), (35, 1)])
def test_who_is_at_risk_and_who_leaves(known: int, intervals: int) -> None:
    """Half-open, and an interval counts only once all of it is known, whoever has left by then."""
    rows = _histories([loss for loss, *_ in CASES.values()], [DAY] * len(CASES))
    found = rows.lives(HORIZONS, DAY + timedelta(days=known))
    seen = np.arange(2) < intervals
    assert found.at_risk.tolist() == [(np.array(at_risk) & seen).tolist() for _, at_risk, _ in CASES.values()]
    assert found.left.tolist() == [left for *_, left in CASES.values()]


def test_kaplan_meier_is_the_share_that_stays_where_everything_is_seen() -> None:
    rows = _histories([_at(days) for days in range(1, 101)], [DAY] * 100)
    assert retention.kaplan_meier(rows, 90, DAY + timedelta(days=500)) == pytest.approx(0.11)  # 90 to 100 are there
    none = _histories([], [])
    assert retention.kaplan_meier(none, 90, DAY) == 1.0


def test_what_is_seen_in_part_counts_for_its_part() -> None:
    """Half of the rows are seen for 49 days only, which tells of their first seven weeks and of no more."""
    later = DAY + timedelta(days=51)
    loss = [_at(days) for days in range(1, 101)] + [_at(51 + days) for days in range(1, 101)]
    rows = _histories(loss, [DAY] * 100 + [later] * 100)
    known = DAY + timedelta(days=100 + LATE)
    assert rows.lives((49,), known).at_risk.sum() == 200
    assert rows.lives((90,), known).at_risk.sum() == 100
    assert retention.kaplan_meier(rows, 90, known) == pytest.approx(0.11)


def _simulated(root: Path, world: World, **training: int) -> Workspace:
    made_up = prepare(root, world, lambda done, of: None)
    training = {"bags": 2, "bootstraps": 200, **training}
    config = made_up.config.model_copy(
        update={
            "training": made_up.config.training.model_copy(update=training),
            "signals": made_up.config.signals.model_copy(update={"events": (), "windows": (90,)}),
            "personas": None,
        }
    )
    workspace = Workspace(made_up.root, config)
    with intake.read(workspace) as found:
        found.write_tables()
    return workspace


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _simulated(tmp_path_factory.mktemp("planted"), World(accounts=500, months=44), minimum_positives=5)


def test_planted_causes_are_foretold_better_than_by_kaplan_meier(planted: Workspace) -> None:
    """At every horizon; of a whole year so small a world tells too little for the interval to show it."""
    model, judged = train_retention(planted)
    assert [one.horizon for one in judged] == list(model.horizons) == list(retention.HORIZONS)
    for one in judged:
        assert not one.reason
        assert one.n > one.left >= 5
        assert one.gain is not None
        assert one.gain.value > 0
        assert one.horizon > 180 or one.gain.low > 0
        assert one.metrics["auc"].low > (0.7 if one.horizon <= 180 else 0.5)
        assert one.kaplan_meier["auc"].value == 0.5
    starts = [one.test[0] for one in judged]
    assert starts == sorted(starts, reverse=True), "the longer the horizon, the earlier its test"
    assert [one["horizon"] for one in model.facts["judged"]] == list(model.horizons)
    rows = retention.histories(planted, 30)
    curve = model.curve(rows.frame)
    assert (np.diff(curve, axis=1) <= 0).all()


def test_personas_that_look_ahead_are_not_judged_with(planted: Workspace) -> None:
    found, observed = retention.histories(planted, 30), date(2026, 6, 30)
    ahead = planted.config.model_copy(update={"personas": Personas(until=observed)})
    workspace = Workspace(planted.root, ahead)
    judged = retention.judge(found, HORIZONS, workspace, observed, lambda _: None)
    assert "personas.until" in judged.reason
    assert judged.gain is None


def test_too_few_losses_are_refused_with_the_count_and_horizons_without_enough_are_left_out(planted: Workspace) -> None:
    found, observed = retention.histories(planted, 30), date(2026, 6, 30)
    events = found.lives(retention.HORIZONS, observed).events
    assert retention.learnable(found.lives(retention.HORIZONS, observed), int(events.max())) < 4
    most = int(events[0]) + 1
    training = planted.config.training.model_copy(update={"minimum_positives": most})
    workspace = Workspace(planted.root, planted.config.model_copy(update={"training": training}))
    judged = retention.judge(found, retention.HORIZONS[:1], workspace, observed, lambda _: None)
    assert "and it takes" in judged.reason
    with pytest.raises(PropensityError, match=f"{most - 1} rows are known to have left within 30 days") as error:
        train_retention(workspace)
    assert "longer first horizon" in error.value.hint


def test_inactivity_has_no_curve(prepared: Workspace) -> None:
    with pytest.raises(PropensityError, match="no moment at which an account leaves") as error:
        train_retention(prepared, (30,))
    assert "contract" in error.value.hint


@pytest.mark.parametrize("horizons", [(), (90, 30), (30, 30), (0, 30)])
def test_horizons_that_make_no_sense_are_refused(horizons: tuple[int, ...], prepared: Workspace) -> None:
    with pytest.raises(PropensityError, match="the horizons are"):
        train_retention(prepared, horizons)
