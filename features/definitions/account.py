"""Who the account is: attributes without history, tenure, and how it is served."""

from features.aggregations import age, last, level, recency
from features.feature import Attribute, Feature

FEATURES = (
    Attribute("segment", "context", "segment", "segment is {value}", spec="accounts segment=large => large"),
    Attribute("industry", "context", "industry", "industry is {value}", spec="accounts industry=Food_and_drink => Food and drink"),
    Attribute("line_of_business", "context", "line of business that serves the account", "line of business is {value}", spec="accounts line_of_business=pumps => pumps"),
    Attribute("buying_country", "context", "country where the decision to buy is made", "bought from {value}", spec="accounts buying_country=DE using_country=PL billing_country=IE => DE"),
    Attribute("using_country", "context", "country where it is used", "used in {value}", spec="accounts buying_country=DE using_country=PL billing_country=IE => PL"),
    Attribute("billing_country", "context", "country where the invoice goes", "billed in {value}", spec="accounts buying_country=DE using_country=PL billing_country=IE => IE"),
    Attribute("size", "context", "employees", "{value} employees", unit="people", categorical=False, spec="accounts size=250 => 250"),
    Feature("tenure_days", "account.created", age, "context", "days since the account was created", "an account for {value} days", "days", spec="accounts created=-50 => 50"),
    Feature("decided_abroad", "account.abroad", last, "context", "whether the decision to buy is made in another country than where it is used", "bought from another country than it is used in: {value}", "share", spec="accounts buying_country=DE using_country=PL billing_country=DE => 1"),
    Feature("served_by_partner", "account.partner", level, "context", "whether a partner or reseller serves it, instead of us directly", "served by a partner: {value}", "share", spec="accounts partner=acme partner_since=-5 => 1"),
    Feature("partner_days", "account.partner", recency, "context", "days since the partner began to serve it", "served by its partner for {value} days", "days", spec="accounts partner=acme partner_since=-5 => 5"),
)  # fmt: skip
