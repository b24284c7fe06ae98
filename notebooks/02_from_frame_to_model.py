# %% [markdown]
# # 2. From frame to model
#
# What came of each row, which rows may be learnt from, how a model is chosen, and whether it is good enough to be used.
# The outcome is **churn**: an account that has no contract any more.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from features import frame
from serving import demo
from serving.notebook import show
from serving.scores.scoring import Scorer
from training import explain
from training.charts.bars import importance
from training.charts.folds import folds
from training.charts.intervals import baselines
from training.charts.reliability import reliability
from training.charts.shares import by_date
from training.dataset import dataset
from training.outcomes import configured, labelled
from training.registry import Registry
from training.splits import rolling
from training.train import train

here = demo.company(Path(mkdtemp(prefix="propensity-")))
settings = configured(here, "churn")

# %% [markdown]
# ## Yes, no, unknown
#
# An outcome counts in a window that begins `lead` days after the date of the row, so that there is time to act, and is
# `horizon` days long. An account whose contract is renewed within `grace` days after its end has not left.

# %%
show(pd.Series(settings.model_dump(include={"kind", "lead", "horizon", "grace", "delay"}), name="churn").to_frame())

# %% [markdown]
# What came of a row is known once that window is over, and not before. Unknown is not no: rows whose window nobody has
# seen to its end are dropped, and counted. Today's rows are all of that kind, or we would not need a model.

# %%
day = frame.observed_until(here)
content = frame.build(here, [day])[day]
today = frame.read(here, day, content)
so_far = labelled(here, "churn", today)
show(
    f"as of {day}: {len(today):,} rows, {np.isnan(so_far.y).sum():,} unknown, since {so_far.immature.sum():,} are immature"
)

# %% [markdown]
# For each date that may be used: how many rows there are, how many are used and how many of these are yes, and why
# others were dropped. *Outside*: the outcome does not apply. *Unknown* is *immature*, *unrecorded* (what decides it was
# first recorded later) or *ambiguous*.

# %%
rows = dataset(here, "churn")
counts = rows.counts.set_index("as_of")
show(counts)

# %% [markdown]
# The share of yes comes and goes with the time of the year and with what the company does. A model that is judged on
# one date alone may just have met a good month.

# %%
share = (counts["yes"] / counts["used"]).to_dict()
show(by_date(share, "share of yes", f"{len(rows):,} rows, of which {rows.y.sum():,.0f} yes"))

# %% [markdown]
# ## Folds in time
#
# Accounts come back at every date, and one event is seen from several of them: a random split would put the same
# departure on both sides. So one learns from the past and is judged on what came later. Between the two lie the days
# that an outcome takes to be known: lead, horizon and grace. The last fold decides; the earlier ones choose and
# calibrate.

# %%
dates = sorted(set(rows.as_of.tolist()))
made = rolling(dates, settings.span, here.config.training.test_dates, here.config.training.folds)
show(
    f"an outcome takes {settings.span} days to be known",
    folds(dates, made, "What is learnt from, and judged on"),
)

# %% [markdown]
# ## Train
#
# One call does it all: it climbs the **ladder** (share of yes → penalised logistic regression → small trees → all of it
# blended with large trees), calibrates, judges beside the baselines, writes everything to MLflow, and asks the gate.

# %%
result = train(here, "churn")
show(f"{result.verdict}: version {result.version}, rung {result.rung}")

# %% [markdown]
# A rung is taken only if it foretells what it had not learnt from better than the one below, by more than one standard
# error over accounts. Few accounts stay on the lower rungs, which is the safer bet.

# %%
show(*result.ladder, f"calibrated {result.calibration}")

# %% [markdown]
# ## The verdict
#
# Log loss on the last dates, which nothing was chosen by, beside what a model has to beat: the share of yes, the best
# single column, days since the last use, and a logistic regression on everything. Intervals draw whole accounts.

# %%
title = f"{result.outcome}: {result.verdict}, {result.n:,} rows"
show(baselines(result.as_dict(), title), pd.DataFrame({"model": result.metrics} | result.baselines).T)

# %% [markdown]
# The intervals above overlap though the model may be surely better: some test sets are harder than others, for all.
# The gate compares on the *same* rows, and wants the whole interval of each difference below zero. A model can be much
# better than chance and still be refused, when something simpler is not shown to be worse. These are its reasons:

# %%
show(result.verdict.upper(), *result.reasons)

# %% [markdown]
# ## Does a 20% come true one time in five?
#
# Ten groups of equal size, by what was said. On the dashed line, the share that came true is what had been said. The bar
# is the mean interval of a score in the group: `covered` in the table is 1 where it holds the share that was seen.

# %%
title = f"{result.outcome}: said and came true, {result.n:,} rows"
show(reliability(result.coverage, title), pd.DataFrame(result.coverage).round(3))

# %% [markdown]
# ## For whom does it hold?
#
# A part with fewer than five yes or no is named, without a number that would only be luck.

# %%
parts = [{"by": one.by, "part": one.name, "rows": one.n, "yes": one.positives, **one.metrics} for one in result.slices]
show(pd.DataFrame(parts).reindex(columns=["by", "part", "rows", "yes", "log_loss", "auc"]).fillna("too few"))

# %% [markdown]
# ## Reasons
#
# Every score comes with its reasons: what each column adds to the log-odds of this account, exactly, put into words
# with its own numbers. They say what moved the score, and not what caused the outcome. A model that was refused can be
# looked at as well; it only is not used.

# %%
registry = Registry(here)
scorer = Scorer.of(here, registry, registry.versions("churn")[0].version)
scores = scorer.score(today, day, content)
told = [
    {
        "account": one.account,
        "probability": f"{one.probability:.0%} ({one.low:.0%} to {one.high:.0%})",
        **{f"reason {number}": reason.text for number, reason in enumerate(one.reasons, 1)},
    }
    for one in scores[:8]
]
show(pd.DataFrame(told).set_index("account"))

# %% [markdown]
# Added up by family, over all accounts of today: whose voice the model listens to.

# %%
by_family = explain.grouped(scorer.model, scorer.plan, scorer.model.contributions(today)).families
strength = pd.DataFrame(by_family).abs().mean().sort_values(ascending=False)
show(importance(strength.to_dict(), "Whose voice it listens to"))

# %% [markdown]
# Next: [how to read a backtest](03_read_a_backtest.py), which asks whether it holds at other times as well.
