# %% [markdown]
# # 4. Champion and challenger
#
# The model in use is the **champion**; one that wants its place is a **challenger**. Here a first model of **advocacy**
# is trained as it would have been some months ago, and a second one with all that is known today. The gate compares
# them on the same rows, and says why. Then we go forward, back, and ask why a score moved.

# %%
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from features import frame
from features.workspace import Workspace
from serving import demo
from serving.notebook import show
from serving.scores import batch, lists
from serving.scores.movement import why
from training import promotion
from training.charts.bars import bars
from training.charts.intervals import baselines
from training.dataset import dataset
from training.registry import Registry
from training.train import train

here = demo.company(Path(mkdtemp(prefix="propensity-")))
registry = Registry(here)

# %% [markdown]
# ## The first model
#
# The same workspace, with dates that end a few months earlier: its last outcomes are those that were known then.

# %%
dates = sorted(set(dataset(here, "advocacy").as_of.tolist()))
earlier = here.config.as_of.model_copy(update={"until": dates[-4]})
then = Workspace(here.root, here.config.model_copy(update={"as_of": earlier}))
first = train(then, "advocacy")
show(f"version {first.version}: {first.verdict}, tested at {first.test[0]} to {first.test[-1]}", *first.reasons)

# %% [markdown]
# A model that the gate lets pass is the champion at once. One that it refuses can be put in use all the same, by a
# person and with a reason, which is written down. With a small company this may be needed here, so that there is a
# champion to go on with.

# %%
if not first.promoted:
    promotion.promote(here, "advocacy", first.version, force=True, why="a first model, to learn how the lists are used")
batch.score(here, dates[-1])
show(f"the champion is version {registry.require_champion('advocacy').number}; its scores as of {dates[-1]} are kept")

# %% [markdown]
# ## The second model
#
# Three more months of outcomes. To take the champion's place it has to beat the baselines *and* the champion in log
# loss, on the same later rows, and must not be shown to be worse in calibration, in any segment, or, where a list has a
# value in money, in what the list is worth.

# %%
second = train(here, "advocacy")
show(f"version {second.version}: {second.verdict}, tested at {second.test[0]} to {second.test[-1]}")
show(baselines(second.as_dict(), f"{second.outcome}: {second.verdict}, {second.n:,} rows"))

# %% [markdown]
# The reasons in full. Each is a difference on the same rows, with the interval that decides. *Not shown to be better* is
# no praise of the champion: often two models are simply about as good as each other, and then the one in use stays,
# because every change of model moves every score, and people who work with them have to be told why.

# %%
show(second.verdict.upper(), *second.reasons)

# %% [markdown]
# ## What there is, and how it came about
#
# Every version stays in the registry, with what the gate said of it.

# %%
versions = [
    {
        "version": one.version.number,
        "is": ", ".join(one.aliases),
        "verdict": one.version.verdict,
        "rung": one.tags.get("rung"),
        "tested": one.tags.get("tested"),
        "log loss": one.metrics.get("log_loss"),
        "AUC": one.metrics.get("auc"),
    }
    for one in registry.versions("advocacy")
]
show(pd.DataFrame(versions).set_index("version").round(4))

# %% [markdown]
# ## Forward and back
#
# Where the gate let the second model pass, it is the champion already. Where it did not, suppose that somebody has good
# grounds to use it all the same. Going back takes one call. Every move is in the history, with who, when, and why; those
# that the gate agreed to have its reasons, of which the table shows the beginning.

# %%
if not second.promoted:
    promotion.promote(here, "advocacy", second.version, force=True, why="the newest outcomes are in it")
promotion.rollback(here, "advocacy", why="the team was not told yet")
promotion.promote(here, "advocacy", second.version, force=True, why="now they are")
moves = pd.DataFrame([move.as_dict() for move in promotion.history(here, "advocacy")])
moves["why"] = moves["why"].str.slice(0, 60)
show(moves[["kind", "before", "after", "forced", "why"]].astype({"before": "Int64"}))

# %% [markdown]
# ## Why a score moved
#
# Score everybody as of today, with the second model. An account now has two scores: of an earlier date by the first
# model, and of today by the second. Both its data and the model have changed. The difference is split between the two,
# exactly: the parts add up to the change.

# %%
batch.score(here)
line = lists.ranked(here, "advocacy", 1)[0]
moved = next(one for one in why(here, line.score.account, "advocacy") if one.after.outcome == "advocacy")
change = moved.probability
show(f"{line.name}: {change.before:.1%} as of {moved.before.as_of}, {change.after:.1%} as of {moved.after.as_of}")
parts = {"its data": change.data_part, "the model": change.model_part, "together": change.change}
show(bars(parts, "change of the probability", "Data and model"))

# %% [markdown]
# The part that is the account's own, by family, and its strongest causes in words.

# %%
causes = [{"cause": one.text, "in log-odds": one.log_odds, "probability": one.probability} for one in moved.causes]
show(bars(moved.families.data, "change of the probability", "What its data did, by family"))
show(pd.DataFrame(causes, columns=["cause", "in log-odds", "probability"]).set_index("cause").round(3))

# %% [markdown]
# Any of these scores can be made again, bit for bit: `propensity replay SCORE_ID`. The frame it came from and the model
# that made it are both named by their content.

# %%
day = frame.observed_until(here)
show(f"score {line.score.score_id} as of {day}: version {line.score.model_version}, frame {line.score.frame_hash}")

# %% [markdown]
# Next: [honesty with little data](05_small_data_honesty.py).
