"""How we reach out: what we gave, and whether we came first."""

from features.aggregations import count, recency
from features.feature import Feature, Ratio

FEATURES = (
    Feature("touches", "outreach.done", count, "interaction", "touches made by us", "{value} touches by us in the last {window}", "touches", (30, 90, 365)),
    Feature("touches_recency", "outreach.done", recency, "interaction", "days since our last touch", "our last touch {value} days ago", "days"),
    Feature("review_meetings", "outreach.done", count, "interaction", "review meetings held", "{value} review meetings in the last {window}", "meetings", (90, 365), label="review meeting"),
    Feature("touches_proactive", "outreach.proactive", count, "interaction", "touches where we came first", "{value} proactive touches in the last {window}", "touches", (90, 365)),
    Feature("touches_reactive", "outreach.reactive", count, "interaction", "touches where they came first", "{value} reactive touches in the last {window}", "touches", (90, 365)),
    Ratio("proactive_share", "touches_proactive", "touches_reactive", "interaction", "proactive per reactive touch", "{value} proactive touches per reactive one in the last {window}", "ratio"),
    Ratio("given_per_asked", "touches_proactive", "asks_made", "interaction", "what we gave per ask for advocacy", "{value} proactive touches per ask in the last {window}", "ratio"),
)  # fmt: skip
