"""What they say, and what they leave unsaid: scores by instrument, touchpoint and role, answers and silence."""

from features.aggregations import count, last, mean, minimum, recency
from features.feature import Feature, Ratio

FEATURES = (
    Feature("nps_last", "feedback", last, "perception", "latest NPS answer", "latest NPS answer {value}", "points of 10", label="nps"),
    Feature("nps_mean", "feedback", mean, "perception", "mean NPS answer", "mean NPS answer {value} in the last {window}", "points of 10", (90, 365), label="nps"),
    Feature("nps_lowest", "feedback", minimum, "perception", "lowest NPS answer", "lowest NPS answer {value} in the last {window}", "points of 10", (365,), label="nps"),
    Feature("nps_promoters", "feedback.promoter", count, "perception", "NPS answers of 9 or 10", "{value} promoter answers in the last {window}", "answers", (90, 365)),
    Feature("nps_detractors", "feedback.detractor", count, "perception", "NPS answers below 7", "{value} detractor answers in the last {window}", "answers", (90, 365)),
    Feature("nps_recency", "feedback", recency, "perception", "days since the last NPS answer", "last NPS answer {value} days ago", "days", label="nps"),
    Feature("csat_mean", "feedback", mean, "perception", "mean CSAT answer", "mean CSAT {value} in the last {window}", "points", (90, 365), label="csat"),
    Feature("csat_lowest", "feedback", minimum, "perception", "lowest CSAT answer", "lowest CSAT {value} in the last {window}", "points", (90, 365), label="csat"),
    Feature("ces_mean", "feedback", mean, "perception", "mean effort score", "mean effort score {value} in the last {window}", "points", (90, 365), label="ces"),
    Feature("ratings_given", "feedback", count, "perception", "ratings given", "{value} ratings given in the last {window}", "answers", (30, 90, 365), label="rating"),
    Feature("ratings_mean", "feedback", mean, "perception", "mean rating", "mean rating {value} in the last {window}", "points", (30, 90, 365), label="rating"),
    Feature("ratings_last", "feedback", last, "perception", "latest rating", "latest rating {value}", "points", label="rating"),
    Feature("ratings_recency", "feedback", recency, "perception", "days since the last rating", "last rating {value} days ago", "days", label="rating"),
    Feature("satisfaction_last", "feedback.satisfaction", last, "perception", "latest answer of any kind, as a share of its scale", "latest answer at {value} of 100", "points of 100"),
    Feature("satisfaction_mean", "feedback.satisfaction", mean, "perception", "mean answer of any kind, as a share of its scale", "answers at {value} of 100 in the last {window}", "points of 100", (90, 365)),
    Feature("satisfaction_lowest", "feedback.satisfaction", minimum, "perception", "lowest answer of any kind", "lowest answer {value} of 100 in the last {window}", "points of 100", (90, 365)),
    Feature("satisfaction_support", "feedback.satisfaction", mean, "perception", "mean answer after support", "answers after support at {value} of 100 in the last {window}", "points of 100", (365,), label="support"),
    Feature("satisfaction_onboarding", "feedback.satisfaction", last, "perception", "latest answer about onboarding", "answer about onboarding at {value} of 100", "points of 100", label="onboarding"),
    Feature("satisfaction_deciders", "feedback.satisfaction", mean, "perception", "mean answer of decision makers", "decision makers at {value} of 100 in the last {window}", "points of 100", (365,), role="decision maker"),
    Feature("satisfaction_champions", "feedback.satisfaction", mean, "perception", "mean answer of champions", "champions at {value} of 100 in the last {window}", "points of 100", (365,), role="champion"),
    Feature("satisfaction_users", "feedback.satisfaction", mean, "perception", "mean answer of users", "users at {value} of 100 in the last {window}", "points of 100", (365,), role="user"),
    Feature("feedback_answers", "feedback", count, "perception", "answers given", "{value} answers in the last {window}", "answers", (90, 365)),
    Feature("feedback_asked", "feedback.asked", count, "perception", "questions asked", "{value} questions asked in the last {window}", "questions", (90, 365)),
    Feature("feedback_recency", "feedback", recency, "perception", "days since the last answer", "last answer {value} days ago", "days"),
    Ratio("response_rate", "feedback_answers", "feedback_asked", "perception", "answers per question asked", "{value} of questions answered in the last {window}", "share"),
    Ratio("satisfaction_change", "satisfaction_mean", "satisfaction_mean", "perception", "recent answers against the longer run", "answers in the last {window} at {value} times the level over {longer}", "ratio", pace="level"),
)  # fmt: skip
