"""How help was asked for and given: load, speed, friction."""

from features.aggregations import count, level, maximum, mean, recency
from features.feature import Feature, Ratio

FEATURES = (
    Feature("tickets_opened", "ticket.opened", count, "interaction", "tickets opened", "{value} tickets in the last {window}", "tickets", (30, 90, 365)),
    Feature("tickets_urgent", "ticket.opened", count, "interaction", "urgent tickets opened", "{value} urgent tickets in the last {window}", "tickets", (90, 365), label="urgent"),
    Feature("tickets_high", "ticket.opened", count, "interaction", "tickets of high severity opened", "{value} tickets of high severity in the last {window}", "tickets", (90, 365), label="high"),
    Feature("tickets_open", "ticket.open", level, "interaction", "tickets open now", "{value} tickets open", "tickets"),
    Feature("tickets_recency", "ticket.opened", recency, "interaction", "days since the last ticket", "last ticket {value} days ago", "days"),
    Feature("tickets_escalated", "ticket.escalated", count, "interaction", "tickets escalated", "{value} escalations in the last {window}", "tickets", (30, 90, 365)),
    Feature("tickets_escalated_open", "ticket.escalated_open", level, "interaction", "escalations open now", "{value} escalations open", "tickets"),
    Feature("tickets_reopened", "ticket.reopened", count, "interaction", "tickets reopened", "{value} tickets reopened in the last {window}", "tickets", (90, 365)),
    Feature("first_response_hours", "ticket.first_response", mean, "interaction", "mean hours to the first answer", "first answer after {value} hours on average in the last {window}", "hours", (90, 365)),
    Feature("resolution_hours", "ticket.resolved", mean, "interaction", "mean hours to resolve", "resolved after {value} hours on average in the last {window}", "hours", (90, 365)),
    Feature("resolution_hours_worst", "ticket.resolved", maximum, "interaction", "longest hours to resolve", "slowest resolution {value} hours in the last {window}", "hours", (90, 365)),
    Feature("ticket_contacts_needed", "ticket.contacts_needed", mean, "interaction", "mean contacts needed to resolve", "{value} contacts needed per ticket in the last {window}", "contacts", (90, 365)),
    Feature("ticket_handoffs", "ticket.handoffs", mean, "interaction", "mean hand-offs per ticket", "{value} hand-offs per ticket in the last {window}", "hand-offs", (90, 365)),
    Ratio("escalation_share", "tickets_escalated", "tickets_opened", "interaction", "escalations per ticket", "{value} of tickets escalated in the last {window}", "share"),
)  # fmt: skip
