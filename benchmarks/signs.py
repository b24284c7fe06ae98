"""Does a model see the planted causes, and with the right sign?

For each cause: the columns in which it shows, and the one that measures it. Where the cause is stronger, the summed
contributions of those columns must be higher for a planted sign of +1, lower for -1 (rank correlation over the rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from features.sources.simulated import PLANTED
from features.workspace import Workspace
from training.dataset import dataset
from training.model import Model

ROWS = 4000


@dataclass(frozen=True)
class Seen:
    """``measure`` rises with the cause (``orientation`` +1) or falls with it (-1); ``columns`` begin with these names.

    A cause that is planted as a threshold is measured as one: is the measure ``beyond`` it?
    """

    measure: str
    orientation: int
    columns: tuple[str, ...]
    beyond: float | None = None


SEEN = {
    "usage_decline": Seen("usage_pace_90d_180d", -1, ("usage_pace", "usage_value_pace", "usage_days_pace", "usage_stickiness")),
    "idle_days": Seen("usage_days_90d", -1, ("usage_days_7d", "usage_days_30d", "usage_days_90d", "usage_days_180d", "usage_recency")),
    "usage_depth": Seen("usage_per_seat_90d", +1, ("usage_per_seat", "usage_per_person", "seats_used")),
    "champion_departed": Seen("champion_contact_left_180d", +1, ("champion_contact_left", "champion_contacts_present")),
    "escalations": Seen("tickets_escalated_90d", +1, ("tickets_escalated", "escalation_share")),
    "low_scores": Seen("nps_mean_365d", -1, ("nps_", "satisfaction_")),
    "high_scores": Seen("nps_mean_365d", +1, ("nps_", "satisfaction_")),
    "late_payment": Seen("days_late_365d", +1, ("days_late", "invoices_overdue")),
    "term_end_near": Seen("days_to_renewal", -1, ("days_to_renewal",)),
    "review_meeting": Seen("review_meetings_90d", +1, ("review_meetings",)),
    "call": Seen("touches_90d", +1, ("touches", "proactive_share")),
    "tenure": Seen("tenure_days", +1, ("tenure_days", "usage_age"), beyond=180),
    "past_acts": Seen("acts_ever", +1, ("acts_ever", "acts_done", "acts_kinds", "reference_acts", "review_acts")),
    "recent_act": Seen("acts_recency", -1, ("acts_recency",)),
}  # fmt: skip


def signs(here: Workspace, outcome: str, model: Model) -> list[dict[str, Any]]:
    """Per planted cause of the outcome: the planted sign, the rank correlation found, and whether they agree."""
    rows = dataset(here, outcome).frame
    rows = rows.iloc[np.random.default_rng(0).permutation(len(rows))[:ROWS]].reset_index(drop=True)
    contributions = model.contributions(rows)
    found = []
    for cause in PLANTED:
        if cause.outcome != outcome:
            continue
        seen = SEEN[cause.signal]
        columns = [n for n, name in enumerate(model.encoder.columns) if name.startswith(seen.columns)]
        measure = seen.orientation * rows[seen.measure].to_numpy(dtype=float)
        known = ~np.isnan(measure)
        if seen.beyond is not None:
            measure = np.where(known, (measure > seen.orientation * seen.beyond).astype(float), np.nan)
        effect = contributions[:, columns].sum(axis=1)
        correlation = float(spearmanr(measure[known], effect[known]).statistic) if np.ptp(effect) > 0 else 0.0
        found.append(
            {
                "cause": cause.cause,
                "planted": cause.sign,
                "correlation": round(correlation, 3),
                "strength": round(float(np.abs(effect).mean()), 3),
                "right": cause.sign * correlation > 0,
            }
        )
    return found
