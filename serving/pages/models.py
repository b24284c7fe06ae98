"""``/app/models``: champion and challenger of each outcome, how good, for whom, for how long, and what the data came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from features.errors import PropensityError
from serving.amounts import between, percent
from serving.endpoints import judged as of_judged
from serving.endpoints import models as of_models
from serving.endpoints import quality as of_data
from serving.pages import Choice, Page, Show, Showing, answered, chosen
from training import charts
from training.charts import backtest as over_time
from training.charts.reliability import reliability
from training.outcomes import configured
from training.registry import CHALLENGER, CHAMPION

SCOPE = "read"
PAGE = Page("Models", "/models", 6, for_all=True)
NUMBERS = {
    "log_loss": "Log loss",
    "auc": "AUC",
    "average_precision": "Average precision",
    "brier": "Brier",
    "ece": "Calibration error",
}
router = APIRouter()


@router.get(PAGE.address)
def models(
    show: Showing,
    outcome: Choice = None,
    version: Annotated[Annotated[int, Field(ge=1, le=10**9)] | None, BeforeValidator(chosen), Query()] = None,
) -> Response:
    """One outcome, and one of its versions: the champion, unless another is named."""
    told = answered(of_models.models(show.live))
    name = outcome or next(iter(told["outcomes"]))
    configured(show.live.workspace, name)
    versions = told["outcomes"][name]["versions"]
    looked_at = version or _shown(versions)
    judged = _or_why(lambda: _judged(show, name, looked_at)) if looked_at else None
    return show(
        "models.html",
        PAGE,
        outcomes=list(told["outcomes"]),
        outcome=name,
        versions=versions,
        history=told["outcomes"][name]["history"],
        opened_by=told["opened_by"],
        champion=_under(versions, CHAMPION),
        challenger=_under(versions, CHALLENGER),
        version=looked_at,
        judged=judged,
        tested=_or_why(lambda: _tested(show, name)),
        read=_or_why(lambda: answered(of_data.data(show.live))),
        numbers=NUMBERS,
        may_choose=show.may("admin"),
    )


def _under(versions: list[dict[str, Any]], alias: str) -> dict[str, Any] | None:
    return next((one for one in versions if alias in one["aliases"]), None)


def _shown(versions: list[dict[str, Any]]) -> int | None:
    """The champion, else the newest; None where there is no version."""
    found = _under(versions, CHAMPION) or next(iter(versions), None)
    return None if found is None else found["version"]


def _judged(show: Show, outcome: str, version: int) -> dict[str, Any]:
    found: dict[str, Any] = answered(of_judged.judged(outcome, version, show.live))
    bins = found["reliability"]

    def drawn() -> Mapping[str, Any]:
        told = f"What version {version} said against what came true, in {len(bins)} groups of equal count"
        return {"reliability": charts.svg(reliability(bins), told)}

    rows = [
        (percent(one["said"], 1), between(one["low"], one["high"], 1), percent(one["seen"], 1), f"{one['n']:,.0f}")
        for one in bins
    ]
    drawing = show.live.kept(("judged drawn", outcome, version), drawn, log=False) if bins else {}
    return found | {"charts": drawing, "bins": rows}


def _tested(show: Show, outcome: str) -> dict[str, Any]:
    found: dict[str, Any] = answered(of_judged.backtest(outcome, show.live))
    origins, currency = found["origins"], show.live.workspace.config.currency

    def drawn() -> Mapping[str, Any]:
        several = f"of {len(origins)} origins, by date"
        made = {
            "log_loss": charts.svg(
                over_time.origins(origins, "log_loss", "log loss"), f"Log loss {several}, beside that of the base rate"
            ),
            "ages": charts.svg(over_time.ages(found["ages"]), "Log loss by the age of a model in days"),
        }
        if any(one["profit_per_date"] for one in origins):
            made["profit"] = charts.svg(
                over_time.profit(origins, currency), f"What the list at capacity came to, {several}"
            )
        return made

    which = tuple((*one["days"], one["metrics"]["log_loss"]["value"]) for one in origins)
    ages = [(one["days"], one["origins"], f"{one['log_loss']:.4f}", f"{one['auc']:.3f}") for one in found["ages"]]
    return found | {"charts": show.live.kept(("backtest drawn", outcome, which), drawn, log=False), "aged": ages}


def _or_why(find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What there is a record of, or why there is none and which command makes it."""
    try:
        return find()
    except PropensityError as error:
        return {"error": error.message, "hint": error.hint}
