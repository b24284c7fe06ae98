"""What they do in the product: depth, breadth, rhythm, and whether it rises or falls."""

from features.aggregations import active_days, age, contacts, count, distinct, maximum, mean, recency, total
from features.feature import Feature, Ratio

FEATURES = (
    Feature("usage_events", "usage", count, "interaction", "things done in the product", "{value} things done in the last {window}", "events", "all"),
    Feature("usage_value", "usage", total, "interaction", "amount of usage", "usage of {value} in the last {window}", "source's own", "all"),
    Feature("usage_mean", "usage", mean, "interaction", "mean amount per use", "{value} per use in the last {window}", "source's own", "all"),
    Feature("usage_peak", "usage", maximum, "interaction", "largest single use", "largest use {value} in the last {window}", "source's own", (90,)),
    Feature("usage_days", "usage", active_days, "interaction", "days with any usage", "active on {value} of the last {window}", "days", "all"),
    Feature("usage_people", "usage", contacts, "interaction", "people who used it", "{value} people used it in the last {window}", "contacts", "all"),
    Feature("usage_breadth", "usage", distinct, "interaction", "different things done", "{value} different things done in the last {window}", "events", "all"),
    Feature("usage_recency", "usage", recency, "interaction", "days since last used", "last used {value} days ago", "days"),
    Feature("usage_age", "usage", age, "interaction", "days since first used", "first used {value} days ago", "days"),
    Ratio("usage_pace", "usage_events", "usage_events", "interaction", "usage against the longer run", "used in the last {window} at {value} times the rate over {longer}", "ratio", pace="rate"),
    Ratio("usage_value_pace", "usage_value", "usage_value", "interaction", "amount of usage against the longer run", "usage in the last {window} at {value} times the rate over {longer}", "ratio", pace="rate"),
    Ratio("usage_days_pace", "usage_days", "usage_days", "interaction", "active days against the longer run", "active days in the last {window} at {value} times the rate over {longer}", "ratio", pace="rate"),
    Ratio("usage_people_pace", "usage_people", "usage_people", "interaction", "people using it against the longer run", "people active in the last {window} at {value} times the rate over {longer}", "ratio", pace="rate"),
    Ratio("usage_per_day", "usage_events", "usage_days", "interaction", "things done per active day", "{value} things done per active day in the last {window}", "events"),
    Ratio("usage_per_person", "usage_events", "usage_people", "interaction", "things done per active person", "{value} things done per active person in the last {window}", "events"),
    Feature("usage_{event}_events", "usage", count, "interaction", "times of {event}", "{event} {value} times in the last {window}", "events", "all", per_event=True),
    Feature("usage_{event}_value", "usage", total, "interaction", "amount of {event}", "{value} of {event} in the last {window}", "source's own", "all", per_event=True),
    Feature("usage_{event}_days", "usage", active_days, "interaction", "days with {event}", "{event} on {value} of the last {window}", "days", "all", per_event=True),
    Feature("usage_{event}_recency", "usage", recency, "interaction", "days since last {event}", "last {event} {value} days ago", "days", per_event=True),
)  # fmt: skip
