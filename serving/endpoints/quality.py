"""``GET /v1/data``: what the data came to when it was read, and what is not as it used to be."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from features import intake, steadiness
from features.quality import Problem, TableReport
from serving.endpoints import Loaded, answers
from serving.web.guard import Json
from serving.web.records import Data

SCOPE = "read"
router = APIRouter()


@router.get("/v1/data", responses=answers(Data, 400, 503))
def data(live: Loaded) -> Json:
    """The tables in use; findings compare each table and each feature with its own past. Rows themselves are not told."""
    _, report = intake.current(live.workspace)
    return Json(
        {
            "observed_until": report.observed_until,
            "tables": [_table(one) for one in report.tables.values()],
            "checks": [_problem(one) for one in report.checks],
            "steadiness": steadiness.found(live.workspace).as_dict(),
        }
    )


def _table(one: TableReport) -> dict[str, Any]:
    told = ("table", "read", "rows", "quarantined", "repeated", "first", "last", "handled")
    return {name: getattr(one, name) for name in told} | {"problems": [_problem(each) for each in one.problems]}


def _problem(one: Problem) -> dict[str, Any]:
    return {"problem": one.problem, "count": one.count, "share": one.share, "quarantined": one.quarantined}
