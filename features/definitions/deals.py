"""What else they consider buying."""

from features.aggregations import count, recency, total
from features.feature import Feature

FEATURES = (
    Feature("deals_opened", "deal.opened", count, "outcome", "deals opened", "{value} deals opened in the last {window}", "deals", (90, 365)),
    Feature("deals_won", "deal.won", count, "outcome", "deals won", "{value} deals won in the last {window}", "deals", (90, 365)),
    Feature("deals_won_value", "deal.won", total, "outcome", "value of deals won", "deals worth {value} won in the last {window}", "currency", (365,)),
    Feature("deals_lost", "deal.lost", count, "outcome", "deals lost", "{value} deals lost in the last {window}", "deals", (90, 365)),
    Feature("deals_recency", "deal.opened", recency, "outcome", "days since a deal was opened", "last deal opened {value} days ago", "days"),
)  # fmt: skip
