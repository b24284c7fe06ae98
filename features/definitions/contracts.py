"""What was agreed: revenue, seats, terms and renewals."""

from features.aggregations import ahead, ever, last, level, recency
from features.feature import Feature, Ratio

FEATURES = (
    Feature("contracts_live", "contract.live", level, "outcome", "contracts live", "{value} contracts live", "contracts"),
    Feature("arr", "contract.arr", level, "outcome", "live annual recurring revenue", "ARR of {value}", "currency/year"),
    Feature("seats", "contract.seats", level, "outcome", "seats bought", "{value} seats bought", "seats"),
    Feature("days_to_renewal", "contract.term", ahead, "outcome", "days to the next end of a term", "a term ends in {value} days", "days"),
    Feature("contracts_signed", "contract.signed", ever, "outcome", "contracts signed so far", "{value} contracts signed so far", "contracts"),
    Feature("signed_recency", "contract.signed", recency, "outcome", "days since the last signature", "last signed {value} days ago", "days"),
    Feature("arr_at_signature", "contract.signed", last, "outcome", "ARR of the latest contract", "latest contract at {value}", "currency/year"),
    Feature("discount", "contract.discount", last, "outcome", "discount of the latest contract", "discount of {value}", "share"),
    Feature("notice_given", "contract.notice", level, "outcome", "contracts under notice", "{value} contracts under notice", "contracts"),
    Feature("auto_renew", "contract.auto_renew", last, "outcome", "latest contract renews by itself", "renews by itself: {value}"),
    Ratio("usage_per_seat", "usage_events", "seats", "interaction", "things done per seat bought", "{value} things done per seat in the last {window}", "events"),
    Ratio("seats_used", "usage_people", "seats", "interaction", "people active per seat bought", "{value} of seats used in the last {window}", "share"),
    Ratio("arr_per_seat", "arr", "seats", "outcome", "ARR per seat", "{value} per seat", "currency/year"),
)  # fmt: skip
