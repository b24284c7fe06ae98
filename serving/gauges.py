"""What is served, as metrics: versions, how old scores are, how they are spread. Told when they are asked for."""

from __future__ import annotations

from prometheus_client import Gauge

from features.errors import PropensityError
from serving.freshness import aged
from serving.guard import METRICS
from serving.live import Live

VERSION = Gauge("propensity_model_version", "Version of the model that is served", ["outcome"], registry=METRICS)
SERVED = Gauge("propensity_served", "1 where scores of the outcome are served, else 0", ["outcome"], registry=METRICS)
AGE = Gauge("propensity_scores_age_days", "Days since the as_of of the scores", ["outcome"], registry=METRICS)
STALE = Gauge(
    "propensity_scores_stale", "1 where scores are older than [freshness] allows", ["outcome"], registry=METRICS
)
ROWS = Gauge("propensity_scores", "Accounts that have a score", ["outcome"], registry=METRICS)
SPREAD = Gauge(
    "propensity_scores_probability",
    "Quantiles of the probabilities: 0.5, 0.9 and 0.99",
    ["outcome", "quantile"],
    registry=METRICS,
)
QUANTILES = (0.5, 0.9, 0.99)
OF_SCORES = (AGE, STALE, ROWS, SPREAD)


def tell(live: Live) -> None:
    """Set the gauges to what is served now; what is no longer served has none but ``propensity_served`` 0."""
    for gauge in (VERSION, *OF_SCORES):
        gauge.clear()
    for outcome, _ in live.workspace.config.outcomes:
        served = live.served.get(outcome)
        there = served is not None and not isinstance(served.batch, PropensityError)
        SERVED.labels(outcome).set(there)
        if served is None:
            continue
        VERSION.labels(outcome).set(served.scorer.version.number)
        if there:
            shown = served.shown
            age = aged(live.workspace, shown.as_of)
            AGE.labels(outcome).set(age["age_days"])
            STALE.labels(outcome).set(age["stale"])
            ROWS.labels(outcome).set(len(shown.scores))
            for quantile, value in shown.quantiles(QUANTILES).items():
                SPREAD.labels(outcome, quantile).set(value)
