"""``GET /v1/models/{outcome}/versions/{version}`` and ``/backtest``: how a model was judged, and how models do over time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from serving.endpoints import Loaded, answers
from serving.web.guard import Json
from serving.web.records import Backtest, Judged
from training.backtest import kept
from training.outcomes import configured
from training.record import recorded
from training.registry import Registry

SCOPE = "read"
Outcome = Annotated[str, Path(examples=["churn"])]
router = APIRouter()


@router.get("/v1/models/{outcome}/versions/{version}", responses=answers(Judged, 400, 404, 503))
def judged(outcome: Outcome, version: Annotated[int, Path(ge=1, le=10**9, examples=[1])], live: Loaded) -> Json:
    """What its training wrote down: the gate's reasons, and every number on dates later than any it learnt from."""
    configured(live.workspace, outcome)
    registry = Registry(live.workspace)
    return Json(_of_version(version, recorded(registry, registry.version(outcome, version)), outcome))


@router.get("/v1/models/{outcome}/backtest", responses=answers(Backtest, 404, 503))
def backtest(outcome: Outcome, live: Loaded) -> Json:
    """The last backtest that was made: every origin, for whom it holds, and how fast a model grows old."""
    return Json(kept(live.workspace, outcome))


def _of_version(version: int, told: dict[str, Any], outcome: str) -> dict[str, Any]:
    """Of the record of a training what is of the model; counts beside the numbers, not among them."""
    same = ("verdict", "reasons", "rung", "ladder", "test", "slices", "value", "empc", "calibration", "alarms")
    numbers = told["metrics"]
    return {
        "outcome": outcome,
        "version": version,
        **{name: told[name] for name in same},
        "n": numbers["n"],
        "positives": numbers["positives"],
        "metrics": _estimates(numbers),
        "baselines": {name: _estimates(found) for name, found in told["baselines"].items()},
        "reliability": told["interval_coverage"],
        "earlier": [one for one in told["earlier_folds"] if one],
    }


def _estimates(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in numbers.items() if name not in ("n", "positives")}
