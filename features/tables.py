"""The data contract: canonical tables, their columns, and when each column became known.

A connector or a mapping brings a user's raw exports into these shapes; nothing
after this module knows what the exports looked like. Only ``accounts`` and one
stream of facts are required: a missing table removes the features that need it.

Reading a column: ``null`` says what an empty value means ("" = must not be
empty); ``known`` says when the value became known:

* ``static``: taken as always known (an attribute without history; the catalogue says so);
* ``itself``: an instant that is known when it happens;
* the name of another column: known when that instant happens;
* every row may also carry ``recorded_at``, the instant the row arrived; nothing
  in it counts before that.

``default`` is SQL for what stands where the source says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ROLES = ("decision maker", "influencer", "champion", "executive sponsor", "power user", "user")
INSTRUMENTS = ("NPS", "CSAT", "CES", "rating")
TOUCHPOINTS = ("onboarding", "support", "review meeting", "renewal", "product", "relationship", "other")
ADVOCACY_KINDS = ("reference", "referral", "review", "case study", "speaking", "community", "social")
SEVERITIES = ("low", "normal", "high", "urgent")

SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "category": "VARCHAR",
    "time": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "money": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
}


@dataclass(frozen=True)
class Column:
    """One column of a canonical table; see the module's docstring for ``null`` and ``known``."""

    name: str
    type: str
    doc: str
    null: str = ""
    known: str = "static"
    unit: str = ""
    allowed: tuple[str, ...] = ()
    personal: bool = False
    default: str = ""

    @property
    def required(self) -> bool:
        return self.null == ""


@dataclass(frozen=True)
class Rule:
    """What cannot be true of a row: ``broken`` is SQL over the row, rows for which it holds are quarantined.

    ``account_created`` and ``contract_starts`` are available where the row names an account or a contract.
    """

    problem: str
    broken: str


@dataclass(frozen=True)
class Table:
    """A canonical table: one row per ``grain``; ``key`` identifies a row, where the source has one."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: str = ""
    rules: tuple[Rule, ...] = ()
    facts: bool = True
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    def of_type(self, *types: str) -> list[str]:
        return [column.name for column in self.columns if column.type in types]


def _account(null: str = "") -> Column:
    return Column("account", "id", "the account the row belongs to", null)


_CONTACT = Column("contact", "id", "the contact concerned", "not tied to a person")
_RECORDED = Column("recorded_at", "time", "when the row arrived in the source", "known when it happened", "itself")
_CURRENCY = Column(
    "currency", "category", "ISO code of the amounts in the row", "the workspace's currency", unit="ISO 4217"
)


def _impossible_before_account(column: str, instant: str = "") -> Rule:
    return Rule(f"{column} is before the account was created", f"{instant or column} < account_created")


def _order(earlier: str, later: str) -> Rule:
    return Rule(f"{later} is before {earlier}", f"{later} < {earlier}")


ACCOUNTS = Table(
    "accounts",
    "company that buys",
    (
        Column("account", "id", "the account's identifier"),
        Column(
            "name", "text", "what people call it; kept only in the application store", "shown by its id", personal=True
        ),
        Column("parent", "id", "the account it belongs to in the hierarchy", "stands alone"),
        Column("partner", "id", "the partner or reseller that serves it", "direct", "partner_since"),
        Column(
            "partner_since",
            "time",
            "since when the partner serves it",
            "since it was created",
            "itself",
            default="created",
        ),
        Column("segment", "category", "the company's own segmentation", "not segmented"),
        Column("industry", "category", "industry of the account", "unknown"),
        Column("line_of_business", "category", "line of business that serves the account", "unknown"),
        Column("owner", "category", "who looks after it on our side", "nobody"),
        Column("buying_country", "category", "where the decision to buy is made", "unknown", unit="ISO 3166"),
        Column("using_country", "category", "where it is used", "unknown", unit="ISO 3166"),
        Column("billing_country", "category", "where the invoice goes", "unknown", unit="ISO 3166"),
        Column("size", "integer", "employees", "unknown", unit="people"),
        Column("created", "time", "when it became an account", "always there", "itself"),
    ),
    key="account",
    rules=(Rule("size is negative", "size < 0"),),
    facts=False,
)

CONTACTS = Table(
    "contacts",
    "person in an account",
    (
        Column("contact", "id", "the contact's identifier"),
        _account(),
        Column("role", "category", "part the person plays in the account", "user", allowed=ROLES, default="'user'"),
        Column("champion_contact", "flag", "our inside advocate in the account", "no", default="false"),
        Column(
            "joined",
            "time",
            "when the person became a contact",
            "when the account was created",
            "itself",
            default="account_created",
        ),
        Column("left", "time", "when the person left the account", "still there", "itself"),
        Column("consent", "text", "advocacy kinds agreed to, separated by ';'", "none given", "consent_at"),
        Column(
            "consent_at",
            "time",
            "when that consent was given",
            "when the person joined",
            "itself",
            default="coalesce(joined, account_created)",
        ),
        _RECORDED,
    ),
    key="contact",
    rules=(_order("joined", '"left"'),),
)

CONTRACTS = Table(
    "contracts",
    "term of a contract",
    (
        Column("contract", "id", "the contract's identifier"),
        _account(),
        Column("line_of_business", "category", "line of business it belongs to", "unknown", "signed"),
        Column("starts", "time", "first instant it is live", "", "signed"),
        Column(
            "ends",
            "time",
            "the agreed end of the term (exclusive); an end only known when it came belongs in cancelled",
            "open-ended",
            "signed",
        ),
        Column("signed", "time", "when it was signed", "when it starts", "itself", default="starts"),
        Column(
            "cancelled",
            "time",
            "when notice was received; a contract without ends stops here, one with ends runs on to it",
            "not cancelled",
            "itself",
        ),
        Column("arr", "money", "annual recurring revenue", "unknown", "signed", "currency/year"),
        Column("seats", "integer", "seats bought", "unknown", "signed", "seats"),
        Column("discount", "number", "discount on list price", "unknown", "signed", "share"),
        Column("auto_renew", "flag", "renews unless cancelled", "no", "signed", default="false"),
        _CURRENCY,
        _RECORDED,
    ),
    key="contract",
    rules=(
        Rule("ends is not after starts", "NOT ends > starts"),
        Rule("arr is negative", "arr < 0"),
        Rule("seats is negative", "seats < 0"),
        Rule("starts is before the account was created", "starts < account_created"),
    ),
)


def _told_by(text: str, known: str) -> tuple[Column, Column]:
    """What text comes to; mapped where the source tells it, else told from the text while it is read in."""
    return (
        Column("sentiment", "number", f"how glad the {text} is", "no text, or not surely English", known, "-1 to 1"),
        Column("topic", "category", f"what the {text} is about", "none of those declared", known),
    )


_SENTIMENT_RANGE = Rule("sentiment is outside -1 to 1", "abs(sentiment) > 1")

USAGE = Table(
    "usage",
    "thing done in the product",
    (
        Column("event_id", "id", "the source's identifier of the event", "told apart by content and order"),
        _account(),
        _CONTACT,
        Column("contract", "id", "the contract under which it happened", "unknown"),
        Column("occurred_at", "time", "when it happened", "", "itself"),
        Column("event", "category", "what was done", "", "occurred_at"),
        Column("value", "number", "how much of it (minutes, items)", "just happened", "occurred_at", "source's own"),
        _RECORDED,
    ),
    key="event_id",
    rules=(
        Rule("occurred_at is before its contract starts", "occurred_at < contract_starts"),
        _impossible_before_account("occurred_at"),
    ),
)

TICKETS = Table(
    "tickets",
    "request for help",
    (
        Column("ticket", "id", "the ticket's identifier"),
        _account(),
        _CONTACT,
        Column("opened", "time", "when it was opened", "", "itself"),
        Column("first_response", "time", "when it was first answered", "not yet answered", "itself"),
        Column("resolved", "time", "when it was resolved", "still open", "itself"),
        Column("escalated", "time", "when it was escalated", "never", "itself"),
        Column("reopened", "time", "when it was reopened", "never", "itself"),
        Column("severity", "category", "how bad it is", "normal", "opened", allowed=SEVERITIES, default="'normal'"),
        Column("contacts_needed", "integer", "contacts it took to resolve", "unknown", "resolved", "contacts"),
        Column("handoffs", "integer", "times it changed hands", "unknown", "resolved", "hand-offs"),
        Column("channel", "category", "how it came in: e-mail, chat, phone, portal …", "unknown", "opened"),
        Column(
            "text",
            "text",
            "the request in words, as first written (what was added later was not known then); read, never stored",
            "no words",
            "opened",
            personal=True,
        ),
        *_told_by("text", "opened"),
        _RECORDED,
    ),
    key="ticket",
    rules=(
        _impossible_before_account("opened"),
        _order("opened", "first_response"),
        _order("opened", "resolved"),
        _order("opened", "escalated"),
        _order("opened", "reopened"),
        _SENTIMENT_RANGE,
    ),
)

FEEDBACK = Table(
    "feedback",
    "question asked, answered or not",
    (
        Column("feedback", "id", "identifier of the question", "told apart by content and order"),
        _account(),
        _CONTACT,
        Column("asked", "time", "when we asked", "unasked, or when answered", "itself"),
        Column("responded", "time", "when they answered", "no answer", "itself"),
        Column("instrument", "category", "kind of question", "", "asked", allowed=INSTRUMENTS),
        Column("score", "number", "the answer", "no answer", "responded", "points of its scale"),
        Column(
            "scale",
            "number",
            "highest possible score",
            "10 for NPS, 7 for CES, else 5",
            "asked",
            "points",
            default="CASE instrument WHEN 'NPS' THEN 10 WHEN 'CES' THEN 7 ELSE 5 END",
        ),
        Column(
            "touchpoint",
            "category",
            "journey event it answers",
            "relationship",
            "asked",
            allowed=TOUCHPOINTS,
            default="'relationship'",
        ),
        Column("verbatim", "text", "the answer in words; read, never stored", "no words", "responded", personal=True),
        *_told_by("verbatim", "responded"),
        _RECORDED,
    ),
    key="feedback",
    rules=(
        Rule("neither asked nor responded", "asked IS NULL AND responded IS NULL"),
        Rule("responded without a score", "responded IS NOT NULL AND score IS NULL"),
        Rule("score without responded", "responded IS NULL AND score IS NOT NULL"),
        Rule("score is outside 0 to scale", "score < 0 OR score > scale"),
        _order("asked", "responded"),
        _impossible_before_account("asked or responded", "coalesce(asked, responded)"),
        _SENTIMENT_RANGE,
    ),
)

INVOICES = Table(
    "invoices",
    "invoice",
    (
        Column("invoice", "id", "the invoice's identifier", "told apart by content and order"),
        _account(),
        Column("issued", "time", "when it was sent", "", "itself"),
        Column("due", "time", "when it is due", "30 days after issued", "issued", default="issued + INTERVAL 30 DAY"),
        Column("paid", "time", "when it was paid", "unpaid", "itself"),
        Column("amount", "money", "what it asks for; negative for a credit note", "", "issued", "currency"),
        _CURRENCY,
        _RECORDED,
    ),
    key="invoice",
    rules=(_order("issued", "paid"), _order("issued", "due")),
)

ADVOCACY = Table(
    "advocacy",
    "ask, act of advocacy, or both",
    (
        Column("act", "id", "identifier of the ask or act", "told apart by content and order"),
        _account(),
        _CONTACT,
        Column("kind", "category", "what was asked or done", "", "asked", allowed=ADVOCACY_KINDS),
        Column("asked", "time", "when we asked", "unasked", "itself"),
        Column("accepted", "time", "when they said yes", "not (yet)", "itself"),
        Column("declined", "time", "when they said no", "not (yet)", "itself"),
        Column("done", "time", "when the act was completed", "not (yet)", "itself"),
        Column("revenue_touched", "money", "won revenue it touched (not caused)", "none known", "done", "currency"),
        _CURRENCY,
        _RECORDED,
    ),
    key="act",
    rules=(
        Rule("neither asked nor done", "asked IS NULL AND done IS NULL"),
        _order("asked", "accepted"),
        _order("asked", "declined"),
        _order("asked", "done"),
    ),
)

OUTREACH = Table(
    "outreach",
    "touch planned or made by us",
    (
        Column("outreach", "id", "identifier of the touch", "told apart by content and order"),
        _account(),
        _CONTACT,
        Column("kind", "category", "call, e-mail, review meeting, offer …", "", "planned"),
        Column("planned", "time", "when it was planned", "unplanned", "itself"),
        Column("done", "time", "when it was done", "not (yet)", "itself"),
        Column("owner", "category", "who did it", "unknown", "planned"),
        Column("outcome", "category", "what came of it", "unknown", "outcome_at"),
        Column("outcome_at", "time", "when what came of it was known", "when it was done", "itself", default="done"),
        Column("proactive", "flag", "we reached out first", "yes", "planned", default="true"),
        Column(
            "held_out",
            "flag",
            "planned but withheld at random, to measure the effect",
            "no",
            "planned",
            default="false",
        ),
        _RECORDED,
    ),
    key="outreach",
    rules=(
        Rule("neither planned nor done", "planned IS NULL AND done IS NULL"),
        _order("planned", "done"),
        Rule("held out and done all the same", "held_out AND done IS NOT NULL"),
    ),
)

DEALS = Table(
    "deals",
    "sales opportunity",
    (
        Column("deal", "id", "the deal's identifier"),
        _account("a company that is no account yet"),
        Column("stage", "category", "stage at opening", "unknown", "opened"),
        Column("opened", "time", "when it was opened", "", "itself"),
        Column("won", "time", "when it was won", "not won", "itself"),
        Column("lost", "time", "when it was lost", "not lost", "itself"),
        Column("industry", "category", "industry of the buyer", "unknown", "opened"),
        Column("product", "category", "product in question", "unknown", "opened"),
        Column("region", "category", "region of the buyer", "unknown", "opened"),
        Column("value", "money", "value of the deal", "unknown", "opened", "currency"),
        _CURRENCY,
        _RECORDED,
    ),
    key="deal",
    rules=(
        _order("opened", "won"),
        _order("opened", "lost"),
    ),
)

COSTS = Table(
    "costs",
    "cost to serve an account in a period",
    (
        Column("cost", "id", "identifier of the posting", "told apart by content and order"),
        _account(),
        Column("occurred_at", "time", "when the cost was incurred", "", "itself"),
        Column("amount", "money", "cost to serve", "", "occurred_at", "currency"),
        _CURRENCY,
        _RECORDED,
    ),
    key="cost",
)

RATES = Table(
    "rates",
    "exchange rate from a date on",
    (
        Column("currency", "category", "currency that is converted", "", unit="ISO 4217"),
        Column("valid_from", "time", "from when the rate holds", "", "itself"),
        Column("rate", "number", "units of the workspace's currency per unit of this one", "", "valid_from"),
    ),
    rules=(Rule("rate is not positive", "NOT rate > 0"),),
    facts=False,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        ACCOUNTS,
        CONTACTS,
        CONTRACTS,
        USAGE,
        TICKETS,
        FEEDBACK,
        INVOICES,
        ADVOCACY,
        OUTREACH,
        DEALS,
        COSTS,
        RATES,
    )
}
"""Every canonical table by name, in the order in which they are read (a table's parents come first)."""
