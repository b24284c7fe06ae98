"""What they have done for us, and what we asked of them."""

from features.aggregations import count, distinct, ever, recency, total
from features.feature import Feature, Ratio

FEATURES = (
    Feature("acts_done", "advocacy.done", count, "outcome", "acts of advocacy completed", "{value} acts of advocacy in the last {window}", "acts", (90, 180, 365)),
    Feature("acts_ever", "advocacy.done", ever, "outcome", "acts of advocacy so far", "{value} acts of advocacy so far", "acts"),
    Feature("acts_recency", "advocacy.done", recency, "outcome", "days since the last act", "last act of advocacy {value} days ago", "days"),
    Feature("acts_kinds", "advocacy.done", distinct, "outcome", "different kinds of act", "{value} kinds of advocacy in the last {window}", "kinds", (365,)),
    Feature("reference_acts", "advocacy.done", ever, "outcome", "references given so far", "{value} references given so far", "acts", label="reference"),
    Feature("review_acts", "advocacy.done", ever, "outcome", "reviews written so far", "{value} reviews written so far", "acts", label="review"),
    Feature("revenue_touched", "advocacy.done", total, "outcome", "won revenue that their acts touched", "touched {value} of won revenue in the last {window}", "currency", (365,)),
    Feature("asks_made", "advocacy.asked", count, "outcome", "asks for advocacy", "asked {value} times in the last {window}", "asks", (90, 365)),
    Feature("asks_recency", "advocacy.asked", recency, "outcome", "days since the last ask", "last asked {value} days ago", "days"),
    Feature("asks_accepted", "advocacy.accepted", count, "outcome", "asks accepted", "{value} asks accepted in the last {window}", "asks", (90, 365)),
    Feature("asks_declined", "advocacy.declined", count, "outcome", "asks declined", "{value} asks declined in the last {window}", "asks", (90, 365)),
    Ratio("acceptance", "asks_accepted", "asks_made", "outcome", "asks accepted per ask", "{value} of asks accepted in the last {window}", "share"),
)  # fmt: skip
