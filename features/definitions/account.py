"""Who the account is: attributes without history, tenure, and how it is served."""

from features.aggregations import age, level
from features.feature import Attribute, Feature

FEATURES = (
    Attribute("segment", "context", "segment", "segment is {value}"),
    Attribute("industry", "context", "industry", "industry is {value}"),
    Attribute("line_of_business", "context", "line of business that serves the account", "line of business is {value}"),
    Attribute("buying_country", "context", "country where the decision to buy is made", "bought from {value}"),
    Attribute("using_country", "context", "country where it is used", "used in {value}"),
    Attribute("billing_country", "context", "country where the invoice goes", "billed in {value}"),
    Attribute("size", "context", "employees", "{value} employees", unit="people", categorical=False),
    Feature(
        "tenure_days",
        "account.created",
        age,
        "context",
        "days since the account was created",
        "an account for {value} days",
        "days",
    ),
    Feature(
        "served_by_partner", "account.partner", level, "context", "a partner serves it", "served by a partner: {value}"
    ),
)
