# %% [markdown]
# # 1. Explore the signals
#
# From the exports of a company to numbers about its accounts: tables, facts, features. At the end we ask, column by
# column, what sets the accounts apart that are going to leave.
#
# The company is simulated, by the code that `make demo` uses, so that everything here can be looked at and compared
# with the truth. It sells software by the term, has some hundred accounts and a year or two of history. Your own
# company is a folder with a `propensity.toml`; put `features.workspace.load(folder)` in place of `demo.company(...)`,
# and the rest of these pages stays as it is.

# %%
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from features import catalog, cohort, frame, intake, ledger
from features.sources.simulated import PLANTED, SIGNALS
from serving import demo
from serving.notebook import show
from training import alarm
from training.charts.bars import PERCENT, bars
from training.charts.histograms import histogram, histograms
from training.dataset import dataset
from training.outcomes import configured
from training.splits import rolling

here = demo.company(Path(mkdtemp(prefix="propensity-")))

# %% [markdown]
# ## Tables
#
# Whatever your exports look like, they become a dozen canonical tables. The intake types every value, sets aside what
# cannot be right, with the reason, and reports on each table.

# %%
folder, report = intake.current(here)
read = pd.DataFrame([table.as_dict() for table in report.tables.values()]).set_index("table")
show(read[["read", "rows", "quarantined", "first", "last"]])

# %% [markdown]
# A ticket is one row with several instants in it. Opened, answered, escalated, resolved: each happened at a time of its
# own, and on the day the ticket was opened nobody knew the others. A column such as *resolved* is the classic leak: it
# is in the export of today, and was not there on the day we pretend to look from.

# %%
tickets = pd.read_parquet(folder / "tickets.parquet")
show(tickets[["opened", "first_response", "escalated", "resolved"]].dropna().head(6))

# %% [markdown]
# ## Facts
#
# So rows are taken apart into facts, which never change. A ticket becomes up to six of them. What looks like a state,
# such as *open tickets* or *live ARR*, is the sum of facts that add and take away, and can be asked for at any instant.

# %%
book = ledger.opened(here)
everybody = range(len(book.sizes))
kinds = pd.Series({kind: len(book.load(kind, everybody).occurred) for kind in book.labels}, name="facts")
show(bars(kinds.nlargest(20).to_dict(), "facts", f"{kinds.sum():,} facts of {len(everybody):,} accounts"))

# %% [markdown]
# ## Two clocks
#
# Every fact has two times: when it *happened*, and when it was *known*. Most are known at once. Some come in late: an
# upload that failed, a survey that was typed in by hand. Here is how late the answers to surveys are, those that are.

# %%
answers = pd.read_parquet(folder / "feedback.parquet").dropna(subset="responded")
answers["late"] = (answers["recorded_at"] - answers["responded"]).dt.total_seconds() / 86_400
late = answers[answers["late"] > 1]
often = f"{len(late):,} of {len(answers):,} answers were known more than a day after they were given"
show(histogram(late["late"], "days from happened to known", "answers", often))

# %% [markdown]
# A fact counts only if it happened *and was known* before the date that we look from. Take the NPS answer that was latest,
# and look at its account from four dates: around the day on which it was given, and around the day on which it came in.
# Nothing moves when it is given; it counts from the day on which it is known. A model is never trained on the days in
# between as if it had seen the answer, since on those days, in earnest, it would not have.

# %%
latest = late[late["instrument"] == "NPS"].sort_values("late").iloc[-1]
accounts = pd.read_parquet(folder / "accounts.parquet").set_index("account_code")["account"]
given, came_in, one = latest["responded"].date(), latest["recorded_at"].date(), timedelta(days=1)
days = {"the day before": given - one, "given": given, "not known yet": came_in - one, "known": came_in}
seen = frame.feature_rows(here, [accounts[latest["account_code"]]] * len(days), list(days.values()))
seen.index = pd.Index(days)
show(f"{latest['instrument']} answer {latest['score']:.0f}, known {latest['late']:.1f} days after it was given")
show(seen[["account", "as_of", "feedback_answers_365d", "nps_answers_365d", "nps_mean_365d"]])

# %% [markdown]
# ## The catalogue
#
# A feature is a declaration: what it is made of, over which windows, in which unit, what an empty value means, and how
# it is said to a person. `docs/features.md` has all of them with examples; a workspace has those that its tables bear.

# %%
plan = frame.current_plan(here)
declared = pd.DataFrame(
    [
        {
            "feature": one.name,
            "family": one.family,
            "unit": one.unit,
            "null means": catalog.null_meaning(one),
            "what it is": one.doc,
        }
        for one in plan.declarations.values()
    ]
)
show(f"{len(plan.declarations)} features in {len(plan.columns)} columns; not there: {list(plan.missing) or 'none'}")
show(declared.groupby("family").head(3).sort_values("family").set_index("feature"))

# %% [markdown]
# Families say whose voice a signal is: what accounts **do** (interaction), what they **say** (perception), what it
# **came to** (outcome: money, renewals, past acts), who is there (stakeholders), and what surrounds all that (context).

# %%
columns = pd.Series([column.declaration.family for column in plan.columns]).value_counts()
show(bars(columns.to_dict(), "columns", "Columns by family"))

# %% [markdown]
# ## A frame as of a date
#
# One row for each account that may be scored on that date: here, those with a live contract that has not been given
# notice of. `row_hash` names the row by its content, which is how a score of last month is made again bit for bit.

# %%
day = frame.observed_until(here)
today = frame.feature_frame(here, [day])
some = ["account", "segment", "arr", "tenure_days", "days_to_renewal", "usage_days_90d", "nps_mean_365d", "row_hash"]
show(f"{len(today):,} of {len(everybody):,} accounts may be scored as of {day}", today[some].head(8))

# %% [markdown]
# Some distributions. An empty value is never a zero in disguise: an account that was never surveyed has no mean, and
# the model may learn what that says.

# %%
shown = {
    "usage_days_90d": "days with use, of 90",
    "usage_pace_90d_180d": "use of 90 days against 180",
    "nps_mean_365d": "mean NPS answer",
}
known = {f"{about} ({today[name].isna().mean():.0%} unknown)": today[name].dropna() for name, about in shown.items()}
show(histograms(known, "accounts", f"{len(today):,} accounts as of {day}"))

# %% [markdown]
# ## What sets leavers apart
#
# For past dates we know what came of it. Each column alone ranks the accounts; which way it points is settled on
# earlier dates, and the AUC is measured on later ones. 0.5 is chance. Above 0.95 the product would ring an alarm: a
# single column that good has more likely seen the outcome than foreseen it.

# %%
rows = dataset(here, "churn")
settings = configured(here, "churn")
dates = cohort.dates(here.config, settings, day)
fold = rolling(dates, settings.span, here.config.training.test_dates, folds=1)[-1]
learn, test = rows.at(list(fold.fit)), rows.at(list(fold.test))
alone = pd.Series({column.name: alarm.area(column, learn, test) for column in rows.plan.columns})
about = "AUC alone, on later dates (0.5 is chance)"
show(bars(alone.nlargest(15).to_dict(), about, "The columns that tell leavers apart best", start=0.5))

# %% [markdown]
# A look at the best of them: the share that left, by fifths of its values, over all dates; the dashed line is the share
# of all.

# %%
best = str(alone.drop(list(rows.frame.select_dtypes(exclude="number")), errors="ignore").idxmax())
fifth = pd.qcut(rows.frame[best], 5, duplicates="drop")
left = pd.Series(rows.y).groupby(fifth, observed=True).agg(["size", "mean"])
shares = left["mean"].to_dict()
show(bars(shares, "share that left", f"Share that left, by {best}", form=PERCENT, mark=rows.y.mean()))
show(left.rename(columns={"size": "rows", "mean": "left"}))

# %% [markdown]
# ## And the truth
#
# In a simulated company we know what was planted. Ends of terms and falling use should stand out above; a cause that
# is rare, such as a champion contact who left a small account, cannot be seen in one column alone.

# %%
planted = [
    {"cause": one.cause, "raises or lowers": "raises" if one.sign > 0 else "lowers", "shows in": SIGNALS[one.signal]}
    for one in PLANTED
    if one.outcome == "churn"
]
show(pd.DataFrame(planted).set_index("cause"))

# %% [markdown]
# Next: [from a frame to a model](02_from_frame_to_model.py).
