# %% [markdown]
# # 5. Honesty with little data
#
# Three hundred accounts and twenty departures are the usual case. What can be said then? First the same company with
# fewer and fewer of its accounts; then a company in which there is nothing to find.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from features import frame
from features.errors import PropensityError
from serving import demo
from serving.notebook import show
from serving.scores import batch
from training import metrics
from training.beforehand import facts
from training.charts.intervals import baselines, intervals
from training.charts.scores import bands
from training.dataset import dataset
from training.learn import learned
from training.outcomes import configured
from training.registry import Registry
from training.splits import rolling
from training.train import train

folder = Path(mkdtemp(prefix="propensity-"))
here = demo.company(folder / "ordinary")
config = here.config.training

# %% [markdown]
# ## Fewer accounts
#
# Take every twelfth, every third, and all of the accounts. Each time a model is learnt from their earlier dates, and judged on
# their later ones.

# %%
rows = dataset(here, "churn")
settings = configured(here, "churn")
folds = rolling(sorted(set(rows.as_of.tolist())), settings.span, config.test_dates, config.folds)
names = np.unique(rows.accounts.astype(str))
shares = {"every twelfth": 12, "every third": 3, "all": 1}
some = {share: rows.where(np.isin(rows.accounts, names[::step])) for share, step in shares.items()}
models = {share: learned(part, folds, config, facts(here, "churn", part)) for share, part in some.items()}

# %% [markdown]
# **The ladder stays low.** A rung is taken only where it is shown to pay, and with few accounts little can be shown, so
# expect the lower rungs. The lowest is the share of yes: it tells nobody apart, and claims nothing. Large trees are not
# even grown where there are too few events to stop them by.

# %%
for share, made in models.items():
    part = some[share].at(list(folds[-1].fit))
    show(f"{share}: {len(part):,} rows, {part.y.sum():.0f} yes; rung {made.model.rung}", *made.choice.steps, "")

# %% [markdown]
# **Intervals of what is measured are wide.** Log loss and AUC on later dates, with intervals that draw whole accounts.
# They narrow as there are more accounts, slowly: for half the width it takes four times as many. A model on the lowest
# rung has an AUC of 0.5 and no interval, since it gives everybody the same score.

# %%
tests = {share: part.at(list(folds[-1].test)) for share, part in some.items()}
judged = {
    share: metrics.judge(
        test.y,
        models[share].model.scores(test.frame).probability,
        metrics.draws(test.accounts, config.bootstraps, config.seed),
    )
    for share, test in tests.items()
}
for metric, about in {"log_loss": "log loss", "auc": "AUC"}.items():
    lines = {f"{share} ({tests[share].y.sum():.0f} yes)": found[metric].as_dict() for share, found in judged.items()}
    show(intervals(lines, f"{about} on later dates, 95% interval", "How much can be said", first=0))

# %% [markdown]
# **Intervals of scores are wide.** Every probability comes with an interval of 90%. It holds how far apart models are
# that could as well have been learnt, what all of them are known to get wrong alike, and how uncertain the calibration
# is; with few events it is widened further. Here are today's highest scores by each of the models, in their order.
#
# These close only slowly. A model on the lowest rung says the same of everybody, which is hard to get wrong by much; one
# on a higher rung says something of each account, and has more to be unsure of. That a list is in a good order can be
# shown with a few dozen departures. What the probability of a *single* account is takes far more: go by the order, and by
# what comes true of a group.

# %%
day = frame.observed_until(here)
today = frame.feature_frame(here, [day])
highest = {
    f"{share}: {made.model.rung}": pd.DataFrame(vars(made.model.scores(today))).nlargest(60, "probability")
    for share, made in models.items()
}
scores = {name: found.to_dict("records") for name, found in highest.items()}
show(bands(scores, f"Scores and their intervals as of {day}"))

# %% [markdown]
# ## No signal
#
# A company in which everything happens by chance: use, tickets and answers look as usual, and who leaves has nothing to
# do with them. With hundreds of columns and few accounts there is always one that *seems* to foretell.

# %%
chance = demo.company(folder / "chance", "no signal")
results = {outcome: train(chance, outcome) for outcome in ("churn", "advocacy")}
told = [{"outcome": name, "verdict": one.verdict, "rung": one.rung, **one.metrics} for name, one in results.items()]
show(pd.DataFrame(told).set_index("outcome")[["verdict", "rung", "auc", "log_loss"]])

# %% [markdown]
# By luck a rung above the lowest may be taken even here, for a standard error is passed by chance now and then. This is
# why the last dates are kept out of every choice: on them luck does not last.

# %%
for outcome, result in results.items():
    if result.metrics:
        show(baselines(result.as_dict(), f"{outcome}: {result.verdict}, {result.n:,} rows"))

# %% [markdown]
# The verdict is *no usable signal*, which is the right answer. These are the gate's reasons:

# %%
for outcome, result in results.items():
    show(f"{outcome}: {result.verdict}", *result.reasons, "")

# %% [markdown]
# And nothing is promoted, so there is no champion and there are no scores. The command line says the same, and exits
# with status 3. A list that means nothing would cost more than none: somebody would work through it.

# %%
show(*[f"champion of {outcome}: {Registry(chance).champion(outcome)}" for outcome in results])
try:
    batch.score(chance)
except PropensityError as refused:
    show(f"{refused}", refused.hint)

# %% [markdown]
# What then? More accounts, a longer history, another horizon, or a signal that is not recorded yet: the first notebook
# is the place to look. Until then the honest product is the one that says so.
