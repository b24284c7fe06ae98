"""What exactly an outcome means in a workspace, as data with a digest: models of other digests answer other questions."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from features.workspace import Workspace
from training.outcomes import OUTCOMES, configured, defined_by, future, terms

NOT_MEANT = ("capacity", "until", "season", "directions")
"""Settings that change no label: how many can be worked through, up to which date it is asked, what people know."""


def spec(workspace: Workspace, outcome: str) -> dict[str, Any]:
    """The settings that decide labels and whom they are for, the versions of the code that tells them, and ``digest``."""
    settings, config = configured(workspace, outcome), workspace.config
    told = {
        "outcome": outcome,
        "settings": settings.model_dump(mode="json", exclude=set(NOT_MEANT)),
        "given_level": settings.given_level,
        "streams": list(defined_by(config, outcome, settings)),
        "cohort": config.cohort.model_dump(mode="json"),
        "timezone": config.timezone,
        "currency": config.currency,
        "versions": {"label": OUTCOMES[outcome].version, "future": future.VERSION, "terms": terms.VERSION},
    }
    written = json.dumps(told, sort_keys=True).encode()
    return {**told, "digest": hashlib.sha256(written).hexdigest()[:16]}
