"""How they pay, and what they cost."""

from features.aggregations import count, last, level, maximum, mean, total
from features.feature import Feature, Ratio

FEATURES = (
    Feature("invoiced", "invoice.issued", total, "outcome", "amount invoiced", "{value} invoiced in the last {window}", "currency", (90, 365)),
    Feature("payments", "invoice.paid", count, "outcome", "invoices paid", "{value} invoices paid in the last {window}", "invoices", (90, 365)),
    Feature("days_late", "invoice.paid", mean, "outcome", "mean days a payment was late", "paid {value} days late on average in the last {window}", "days", (90, 365)),
    Feature("days_late_last", "invoice.paid", last, "outcome", "days the latest payment was late", "latest payment {value} days late", "days"),
    Feature("days_late_worst", "invoice.paid", maximum, "outcome", "days the latest-paid invoice was late", "slowest payment {value} days late in the last {window}", "days", (365,)),
    Feature("invoices_overdue", "invoice.overdue", level, "outcome", "invoices overdue now", "{value} invoices overdue", "invoices"),
    Feature("cost_to_serve", "cost", total, "outcome", "cost to serve", "cost {value} to serve in the last {window}", "currency", (90, 365)),
    Ratio("cost_share", "cost_to_serve", "invoiced", "outcome", "cost to serve per amount invoiced", "costs {value} of what is invoiced in the last {window}", "share"),
)  # fmt: skip
