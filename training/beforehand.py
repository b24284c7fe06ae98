"""What is settled before anything is learnt: that nothing looks ahead, that there is enough, and what a model has to say."""

from __future__ import annotations

from typing import Any

from features.errors import PropensityError
from features.workspace import Config, Workspace
from training import gate
from training.dataset import Dataset
from training.gate import Verdict
from training.outcomes import configured
from training.splits import Fold


def not_ahead(config: Config, outcome: str, final: Fold) -> None:
    """Refuse personas that were fitted on what the test fold is to foretell."""
    if config.personas is not None and config.personas.until >= final.test[0]:
        raise PropensityError(
            f"personas.until is {config.personas.until}, and the test of {outcome} begins on {final.test[0]}: "
            "personas fitted after that look ahead",
            f"Set personas.until to a date before {final.test[0]}.",
        )


def too_few(learn: Dataset, test: Dataset, minimum: int) -> Verdict | None:
    """The refusal to learn or to judge on too little, if there is too little of either."""
    for what, rows in (("the training range", learn), ("the test fold", test)):
        yes = int(rows.y.sum())
        if refusal := gate.too_few(what, yes, len(rows) - yes, minimum):
            return refusal
    return None


def facts(workspace: Workspace, outcome: str, rows: Dataset) -> dict[str, Any]:
    """What a model must say of where it comes from."""
    return {
        "outcome": outcome,
        "settings": configured(workspace, outcome).model_dump(mode="json"),
        "labels": rows.spec,
        "plan": rows.plan.digest,
        "meanings": rows.plan.meanings,
    }
