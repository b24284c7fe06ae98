"""The commented ``propensity.toml`` that ``propensity init`` writes."""

TEMPLATE = """\
# propensity: where your data lies, what it means, and what to predict.
# Check it with `propensity check`; every problem names the key and what is allowed.

name = "{name}"
timezone = "UTC"        # the zone whose midnights bound days; naive times are taken as this zone
currency = "EUR"        # amounts in other currencies need the table rates
memory = "4GB"          # what the work may take; more data is done in parts

# Raw files: CSV (any delimiter; .gz too), Parquet, JSON; a pattern such as data/usage-*.csv is read as one.
[sources]
accounts = {{ path = "data/accounts.csv" }}
usage = {{ path = "data/usage.csv" }}
# contracts = {{ path = "data/contracts.csv", delimiter = ";", encoding = "latin-1" }}

# Canonical tables, either column by column ...
[tables.accounts]
source = "accounts"
# columns = {{ account = "id", name = "company", segment = "tier", created = "signup_date" }}

# ... or by one SQL query (DuckDB) over the sources. A CSV has no types: every column of it is text.
[tables.usage]
sql = \"\"\"
SELECT account, contact, occurred_at, event, value FROM usage
\"\"\"
# dates = "%d/%m/%Y"          # only where the form is ambiguous
# timezone = "Europe/Berlin"  # where this source's naive times differ from the workspace's zone
# delay_hours = 24            # the source's usual delay: nothing in it is known before

# Further tables: contacts contracts tickets feedback invoices advocacy outreach deals costs rates.

# Checks of your own: every row that comes back is reported.
# [[checks]]
# name = "paying accounts without an owner"
# sql = "SELECT id FROM accounts WHERE owner IS NULL"

[signals]
events = []                   # usage events that get features of their own, e.g. ["login", "export"]
windows = [7, 30, 90, 180, 365]

# What people wrote (feedback.verbatim, tickets.text) is read, never stored: only these go on. Sentiment is told of
# English alone; map the column sentiment where you have your own. A text has the topic whose words come most often.
[text]
sentiment = true
# [text.topics]
# price = ["price", "expensive", "discount", "teuer"]
# login = ["login", "log in", "password", "single sign-on"]
# speed = ["slow", "timeout", "performance"]

# As_of dates: from `until` backwards to `since`. Without `until`, the last date whose outcome is known.
[as_of]
since = 2024-01-31
every = "month"               # or "14 days"
# exported = 2026-06-30       # the day the exports were taken; otherwise the last day with a fact

# Who may be scored: "contract" (live, no notice given) or "activity" (any of it in the last `days`).
[cohort]
kind = "activity"
days = 90
activity = ["usage"]

# Kinds of people by what they do, from contact in usage, tickets and feedback: fitted once, on what was known by
# `until`, which must come before the test dates. Accounts get the share of each kind among their active people.
# [personas]
# until = 2025-12-31
# count = 4

[outcomes.churn]
kind = "inactivity"           # or "contract": no live contract at the end of the horizon
lead = 0                      # days between as_of and the horizon, to leave time to act
horizon = 90
grace = 0                     # contract churn: days in which a late renewal still counts
capacity = 25                 # how many accounts a week can be worked through
# season = "year"             # the business knows that the time of the year matters; takes more than a year of history
# directions = {{ nps_mean = "lowers" }}   # what can only raise, or only lower, the probability

# [outcomes.contraction]      # ARR at the end of the horizon is lower by at least `share` than at as_of; not by leaving
# horizon = 90
# share = 0.05
# grace = 30                  # a renewal this late still counts

# [outcomes.expansion]        # ARR is higher by at least `share`
# horizon = 90
# share = 0.05

# [outcomes.advocacy]
# kind = "act"                # a completed act of the table advocacy, or "feedback" of an instrument
# horizon = 90
# capacity = 10

# [outcomes.unasked]          # a completed act that nobody had asked for
# horizon = 90

# [outcomes.promoter]         # the last answer within the horizon is `at_least` so good; unknown without an answer
# instrument = "NPS"          # or CSAT, CES, rating
# at_least = 9
# horizon = 90

[training]
test_dates = 3                # the last as_of dates are the test fold, fixed beforehand
folds = 2

# What calling an account costs and brings: models and lists are judged by it. The save rate is assumed until measured.
[value]
margin = 0.7
save_rate = 0.2
# measured = false            # lists keep to the assumed save rate, whatever `propensity effect` has measured
contact_cost = 150
offer = 0
arr = 10000                   # stands in where an account's own is not known

# Who may be called: `propensity list`.
[calls]
# per_owner = 10              # of the capacity, at most so many of one owner
quiet_days = 30               # an account that was touched is left in peace so long
holdout = 0.1                 # drawn at random and not called, so that what a call does can be measured; 0: nobody
seed = 7

# When an account may be asked to speak up for us: `propensity advocates`. One budget for all teams.
[asks]
risk = 0.2                    # from this probability of churn on nobody is asked, whatever else is true
tenure_days = 180
renewal_days = 30             # nobody is asked so close to the end of a term
rest_days = 90                # after an ask; 180 after one that was declined
per_year = 3
consent = "required"          # from contacts, per kind of ask; or "not needed"
# consent_days = 730          # how long it holds

# When an account is satisfied, loyal, an advocate or at risk: `propensity states`, `propensity portfolio`.
[states]
usage_days = 90               # use of these days beside the account's own usual, the `usual_days` before
feedback_days = 180           # answers of these days
usual_days = 365
noise = 0.1                   # so much below its own usual still counts as at it
expectation = 80              # points of 100 of an answer's scale: loyalty takes more (an NPS of 8 is what one expects)
act_days = 365                # how long an act of advocacy makes an advocate
risk = 0.2                    # from this probability of churn on an account is at risk
# low_nps = 6                 # signs of risk where no score is stored: the last NPS answer at this or below,
# little_use = 0.5            # or use below this share of the usual (notice given always is one)
attitude = 70                 # points of 100 from which on they think well of us
stay = 0.8                    # probability of staying from which on they mean to stay
expansion = 0.2               # probability of expansion from which on an account is growing,
growth = 1.05                 # or ARR against a year before where no model of expansion has scored

# What the advocacy programme is held against: `propensity programme`.
[programme]
period = 365                  # days, ending with the data
participation = 0.333         # of the accounts that could be asked
nps = 0.2                     # relative to a year before
revenue = 0.5                 # of won revenue touched by an act
answer_days = 14              # within which feedback is to be answered

# When an account calls for somebody: `propensity alerts`.
[alerts]
dissatisfied = 0.5            # answers up to this share of their scale are; of NPS, those below 7
unanswered_days = 7           # how long a detractor may wait
renewal_days = 90             # the lead time of a renewal
renewal_risk = 0.3            # the probability of churn from which it is at risk
deadline_days = 7             # how long there is to act

# Which metrics foretell, and what they are worth: `propensity beacon`, `worth`, `initiative`.
# [beacon]
# metrics = ["tickets_escalated", "usage_change_90d"]   # columns or features, tried beside answers and usage by role
# days = 365                  # answers of how many days count; usage_days = 90 likewise
# coverage = 0.1              # a metric needs answers from this share of accounts
# worth_days = 180            # what a metric is worth is told from the answers of so many days,
# growth_days = 180           # in ARR over so many days after

# A score that is older than so many days is served as stale.
[freshness]
days = 35

# What the service takes on: beyond it, it says no (429, 503, 408) and stays well.
[service]
requests_per_minute = 6000    # of one key; 0: no limit
at_work = 16                  # requests at once
waiting = 64                  # more of them, each for at most wait_seconds
wait_seconds = 2
body_seconds = 10             # a body that takes longer to come is refused
store_seconds = 5             # a database that says nothing for so long counts as down
remember_days = 30            # how long the same Idempotency-Key stands for the same request
watch_seconds = 5             # how often it looks for another champion or new scores
"""
