"""``GET /v1/accounts/{account}/explain``: what each feature was, and what it added."""

from __future__ import annotations

import math
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from features.feature import Column
from serving.endpoints import AccountId, Asking, Loaded, OutcomeName, answers
from serving.web.answers import Explained
from serving.web.freshness import told
from serving.web.tags import Tag

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/explain", responses=answers(Explained, 304, 400, 404, 409, 503))
def explain(account: AccountId, outcome: OutcomeName, request: Request, live: Loaded, caller: Asking) -> Response:
    """The score, its reasons, and every feature, the strongest first.

    ``base`` plus all contributions is ``log_odds``, and ``probability`` is 1 / (1 + exp(-log_odds)). The contributions
    are there added up by family and by role too.
    """
    live.of(outcome)
    caller.require(account)
    tag = Tag(request, live, caller.owner)
    if tag.known:
        return tag.unchanged()
    served, score = live.of(outcome), live.score(outcome, account)
    row = served.shown.row(account, list(served.by_name))
    *contributions, base = served.scorer.contributions(row, score.as_of)
    groups = served.groups
    features = [
        _feature(column, row[column.name], contribution)
        for column, contribution in zip(served.columns, contributions, strict=True)
    ]
    features.sort(key=lambda feature: -abs(feature["contribution"]))
    return tag.on(
        {
            "score": told(live.workspace, score),
            "base": base,
            "log_odds": math.fsum([base, *contributions]),
            "families": groups.added(groups.families, contributions),
            "roles": groups.added(groups.roles, contributions),
            "features": features,
        }
    )


def _feature(column: Column, value: Any, contribution: float) -> dict[str, Any]:
    known = None if isinstance(value, float) and math.isnan(value) else value
    declaration = column.declaration
    return {
        "name": column.name,
        "value": known,
        "text": column.explain(known),
        "contribution": contribution,
        "family": declaration.family,
        "unit": declaration.unit,
        "window_days": column.window or None,
        "doc": declaration.doc,
    }
