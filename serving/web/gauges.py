"""What monitoring is told of models and scores, by outcome: which, how old, and how often they were swapped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from fastapi import FastAPI
from prometheus_client import Counter, Gauge, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from features.errors import PropensityError
from features.workspace import Workspace
from serving.web.freshness import aged, today
from serving.web.guard import METRICS
from serving.web.live import Live, Served

SWAPS = Counter(
    "propensity_swaps", "Models and batches taken into use without a restart", ["outcome"], registry=METRICS
)
FAILURES = Counter(
    "propensity_swap_failures", "Models and batches that could not be taken into use", ["outcome"], registry=METRICS
)
REACHED = Gauge("propensity_reached", "1 where the registry and the store answered last, else 0", registry=METRICS)
SAID = {
    "propensity_served": "1 where scores of the outcome are served, else 0",
    "propensity_model_version": "Version of the model in use",
    "propensity_model_age_days": "Days since the last date that the model has learnt from",
    "propensity_scores_age_days": "Days since the as_of of the scores",
    "propensity_scores_stale": "1 where the scores are older than [freshness] allows, else 0",
    "propensity_scores": "How many accounts have a score",
    "propensity_behind": "1 where what is served is not the champion with its own latest scores, else 0",
}
SPREAD = "propensity_scores_probability"
QUANTILES = (0.5, 0.9, 0.99)


def begin(workspace: Workspace) -> None:
    """Counters that nobody has counted by yet say nothing at all, which no alert can tell from all being well."""
    for outcome, _ in workspace.config.outcomes:
        SWAPS.labels(outcome)
        FAILURES.labels(outcome)


class Held(Collector):
    """Read when it is asked for, since ages grow by themselves; ``app``: the last one that was made."""

    app: FastAPI | None = None

    def collect(self) -> Iterator[Metric]:
        live: Live | None = getattr(self.app.state, "live", None) if self.app is not None else None
        families = {name: GaugeMetricFamily(name, said, labels=["outcome"]) for name, said in SAID.items()}
        spread = GaugeMetricFamily(SPREAD, "Quantiles of the probabilities", labels=["outcome", "quantile"])
        if live is not None:
            for outcome, _ in live.workspace.config.outcomes:
                served = live.served.get(outcome)
                for name, value in _of(live, served).items():
                    families[name].add_metric([outcome], value)
                if served is not None and not isinstance(served.batch, PropensityError):
                    for quantile, value in served.batch.quantiles(QUANTILES).items():
                        spread.add_metric([outcome, str(quantile)], value)
        yield from (*families.values(), spread)


def _of(live: Live, served: Served | None) -> dict[str, float]:
    if served is None:
        return {"propensity_served": 0, "propensity_behind": 1}
    trained = date.fromisoformat(max(served.scorer.model.facts["trained_on"]))
    told: dict[str, float] = {
        "propensity_served": not isinstance(served.batch, PropensityError),
        "propensity_model_version": served.scorer.version.number,
        "propensity_model_age_days": max(0, (today(live.workspace) - trained).days),
        "propensity_behind": served.behind is not None,
    }
    if isinstance(served.batch, PropensityError):
        return told
    age = aged(live.workspace, served.batch.as_of)
    return told | {
        "propensity_scores_age_days": age["age_days"],
        "propensity_scores_stale": age["stale"],
        "propensity_scores": len(served.batch.scores),
    }


HELD = Held()
METRICS.register(HELD)
