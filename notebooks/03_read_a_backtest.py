# %% [markdown]
# # 3. Read a backtest
#
# The gate looks at the last dates only. A backtest goes back in time and pretends: at each **origin** it learns from
# what was known then, judges on the dates that followed, and moves on. Does it hold at all times? For whom? How fast
# does a model grow old? Nothing is chosen by it, so it may be looked at as often as one likes.

# %%
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from serving import demo
from serving.notebook import show
from training.backtest import backtest
from training.charts import backtest as drawn
from training.charts.folds import folds
from training.charts.intervals import intervals
from training.dataset import dataset
from training.outcomes import configured
from training.splits import blocks

here = demo.company(Path(mkdtemp(prefix="propensity-")))
settings = configured(here, "churn")

# %% [markdown]
# ## The origins
#
# Blocks of dates are laid end to end from the last one backwards. Each learns from all dates whose outcomes were known
# before its first day, so later ones have more to learn from. That is what would have happened, had the company used
# the product from the start.

# %%
rows = dataset(here, "churn")
dates = sorted(set(rows.as_of.tolist()))
origins = blocks(dates, settings.span, here.config.training.test_dates)
show(folds(dates, origins, "Each line is an origin"))

# %% [markdown]
# ## Roll
#
# `propensity backtest churn` does the same from the command line. An origin with fewer than five yes or no, before it or
# in it, is left out and said to be.

# %%
found = backtest(here, "churn")
tested = found.as_dict()
learnt = [
    {
        "from": one.days[0],
        "to": one.days[-1],
        "learnt from": one.learnt_from,
        "rung": one.rung,
        "rows": one.n,
        "yes": one.positives,
        "log loss": one.metrics["log_loss"],
        "base rate's": one.baselines["base rate"]["log_loss"],
        "AUC": one.metrics["auc"],
    }
    for one in found.origins
]
show(pd.DataFrame(learnt).set_index("from"), *[f"left out: {reason}" for reason in found.skipped])

# %% [markdown]
# Read down the table. Later origins have more to learn from, which may take them to a higher rung. The log loss rises
# and falls with the share of yes, for the base rate too: what matters is the distance between the two lines. A period in
# which they meet is one in which the model told nothing.

# %%
for metric, about in {"log_loss": "log loss", "auc": "AUC"}.items():
    title = f"{found.outcome}: {about} of every origin, by its first date"
    show(drawn.origins(tested["origins"], metric, about, title))

# %% [markdown]
# ## Is it worth anything?
#
# The profit per date of calling as many accounts as there is capacity for, in the workspace's currency. The share of
# those called that stay is *assumed* (`[value]` in `propensity.toml`), the same for whichever model makes the list.

# %%
show(drawn.profit(tested["origins"], here.config.currency, "What the list at capacity was worth"))

# %% [markdown]
# ## All origins together
#
# With the rows of all origins the intervals are narrower than those of any one of them.

# %%
show(pd.DataFrame({"model": found.metrics} | found.baselines).T)

# %% [markdown]
# ## For whom it holds
#
# By segment, by tenure, by whether somebody reached out in the window, and by whether the account had been learnt from.
# *Never met in training* is the honest test for customers who are new. Where somebody reached out, the outcome is that
# of the account *and* of the call: a good team makes its own model look worse. Parts with too little are not drawn.

# %%
parts = [{"by": one.by, "part": one.name, "rows": one.n, "yes": one.positives, **one.metrics} for one in found.slices]
told = pd.DataFrame(parts).reindex(columns=["by", "part", "rows", "yes", "log_loss", "auc", "ece"]).fillna("too few")
show(drawn.parts(tested, "auc", "AUC", f"{found.outcome}: for whom it holds"), told)

# %% [markdown]
# ## How models grow old
#
# Each model is asked about every later block as well. Where the line rises, a model that is not retrained gets worse,
# and the slope says how often it pays to do so. The points at the right are means of fewer origins, so trust them less.

# %%
for metric, about in {"log_loss": "log loss", "auc": "AUC"}.items():
    show(drawn.ages(tested["ages"], metric, about, f"{found.outcome}: how models grow old, {about}"))
show(pd.DataFrame(tested["ages"]).set_index("days"))

# %% [markdown]
# ## Shuffled labels
#
# At last a check of the judge. The labels are shuffled among the accounts of each date, and the same scores judged
# against them. The AUC must be 0.5, within its interval. Anything else would mean that the judging itself is wrong.

# %%
areas = {"true labels": tested["metrics"]["auc"], "shuffled": tested["shuffled_auc"]}
show(intervals(areas, "AUC, 95% interval", "Shuffled labels tell nothing"))

# %% [markdown]
# Next: [champion and challenger](04_champion_and_challenger.py).
