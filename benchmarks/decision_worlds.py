"""Companies in which it is known who leaves and what a call does: declared, with their seeds, before any list was judged.

Each ``Setting`` is one way in which the world may be unkind to a list. Of every account it draws what is seen (columns,
some of them without meaning), the true chance of leaving if nobody calls, and the true share of that chance that a call
takes away, which is below zero where a call drives the account away. What the model learns from is what such a company
would have on record: outcomes under the calls that it made then. How strong each cause is, is drawn anew for each seed.

``health`` is the score by hand that tools for customer success come with: trend of use, NPS and tickets, in fixed
weights. These three are always causes here, which is kinder to it than life is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from features.sources.simulated import World

Vector = npt.NDArray[np.float64]
CAUSES: dict[str, float] = {
    "usage_trend": -1.0,
    "nps": -0.8,
    "tickets": 0.6,
    "days_late": 0.5,
    "sponsor_left": 0.8,
    "tenure": -0.3,
}
"""Log-odds of leaving for one standard deviation more, as a rule; each is multiplied by 0.3 to 1.7, drawn by the seed."""
SINGLE_THREADED = 1.5
"""Log-odds that falling use adds where the sponsor left, beyond what both add alone."""
UNSEEN = 0.5
"""Standard deviation, in log-odds, of what no column tells."""
MEANINGLESS = tuple(f"other_{number}" for number in range(8))
COLUMNS = (*CAUSES, "self_serve", "touches", "arr", *MEANINGLESS)
HEALTH: dict[str, float] = {"usage_trend": 0.4, "nps": 0.3, "tickets": -0.3}
"""The score by hand: these columns, each in standard deviations, in these weights; the lowest are called first."""
HISTORY, TODAY, CAPACITY = 4000, 1500, 40
"""Accounts that are learnt from, accounts of the day of the list, and how many of these can be called."""
RATE = 0.12
ARR, ARR_SPREAD = 12_000.0, 1.1
"""Median ARR, and its standard deviation in logarithms."""
FIRST_SEED, SEEDS = 9100, 20


@dataclass(frozen=True)
class Setting:
    """One kind of world. ``saved`` is the share of leavers that a call keeps, of self-serve accounts ``saved_self_serve``.

    ``arr_with_risk``: correlation of ARR (logarithm) and risk (log-odds). ``called_by_risk``: how much the log-odds of
    having been called in the past rise for one standard deviation of risk; ``called`` is how many were. ``distorted``:
    the model's log-odds come with this slope, shift and noise. ``arr_missing``: the share of accounts whose ARR is not on
    record, twice as many among those above the median as below. ``tried``: accounts of earlier lists of which a tenth
    was held out at random. ``health_only``: nothing but the three columns of the score by hand is a cause.
    """

    name: str
    what: str
    saved: float = 0.2
    saved_self_serve: float = 0.2
    arr_with_risk: float = 0.0
    called: float = 0.1
    called_by_risk: float = 0.0
    distorted: tuple[float, float, float] = (1.0, 0.0, 0.0)
    arr_missing: float = 0.0
    tried: int = 0
    strength: float = 1.0
    health_only: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("plain", "nothing is wrong"),
    Setting("small leave", "the smaller the account, the likelier it leaves", arr_with_risk=-0.6),
    Setting("large leave", "the larger the account, the likelier it leaves", arr_with_risk=0.6),
    Setting("calls went to the risky", "half were called in the past, the likeliest to leave first, and some were saved", called=0.5, called_by_risk=2.0, saved=0.4, saved_self_serve=0.4),
    Setting("sleeping dogs, not tried", "a call drives self-serve accounts away, and nothing was held out", saved=0.4, saved_self_serve=-0.5),
    Setting("sleeping dogs, tried", "the same, and a tenth of 6,000 was held out", saved=0.4, saved_self_serve=-0.5, tried=6000),
    Setting("the same effect, tried", "a call does the same for all, and a tenth of 6,000 was held out", tried=6000),
    Setting("no effect, tried", "a call does nothing, and a tenth of 6,000 was held out", saved=0.0, saved_self_serve=0.0, tried=6000),
    Setting("probabilities too high", "the model says twice the log-odds, shifted and blurred", distorted=(2.0, 1.0, 0.7)),
    Setting("ARR missing", "of two in five accounts the ARR is not on record, of large ones more often", arr_missing=0.4),
    Setting("no signal", "who leaves is nearly chance", strength=0.05),
    Setting("made for the score by hand", "its three columns are the only causes", health_only=True),
)  # fmt: skip
COMPANIES = tuple(World(accounts=1200, months=30, seed=seed) for seed in (9141, 9142, 9143))
"""Simulated companies, trained on by the whole pipeline and judged by their ``truth.parquet``."""


@dataclass(frozen=True)
class Accounts:
    """``seen``: the columns, NaN where not known. ``chance`` of leaving uncalled; ``saved``: how much of a chance a call
    takes away, as a difference; ``arr`` as it is, known or not. ``called``, ``left``: what was done, and what came of it.
    """

    seen: Mapping[str, Vector]
    chance: Vector
    saved: Vector
    arr: Vector
    called: npt.NDArray[np.bool_]
    left: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Company:
    """A setting with the strengths of its causes drawn."""

    setting: Setting
    strengths: Mapping[str, float]
    base: float

    @classmethod
    def drawn(cls, setting: Setting, rng: np.random.Generator) -> Company:
        factors = setting.strength * rng.uniform(0.3, 1.7, len(CAUSES))
        strengths = {
            name: usual * factor * (name in HEALTH or not setting.health_only)
            for (name, usual), factor in zip(CAUSES.items(), factors, strict=True)
        }
        told = cls(setting, strengths, 0.0).odds(_states(rng, 50_000), rng)
        return cls(setting, strengths, float(brentq(lambda base: expit(told + base).mean() - RATE, -30, 30)))

    def odds(self, states: Mapping[str, Vector], rng: np.random.Generator) -> Vector:
        """Log-odds of leaving uncalled."""
        total = self.base + UNSEEN * rng.normal(size=len(states["nps"]))
        for name, strength in self.strengths.items():
            total = total + strength * states[name]
        if self.setting.health_only:
            return total
        alone = (states["sponsor_left"] > 0) * np.clip(-states["usage_trend"], 0, None)
        return np.asarray(total + self.setting.strength * SINGLE_THREADED * alone)

    def accounts(self, rng: np.random.Generator, count: int, called: float | None = None) -> Accounts:
        """``count`` accounts. ``called``: the share that is called at random; by default as calls were made in the past."""
        setting, states = self.setting, _states(rng, count)
        odds = self.odds(states, rng)
        risk = (odds - odds.mean()) / odds.std()
        tie = setting.arr_with_risk
        arr = ARR * np.exp(ARR_SPREAD * (tie * risk + np.sqrt(1 - tie**2) * rng.normal(size=count)))
        chance = expit(odds)
        rate = np.where(states["self_serve"] > 0, setting.saved_self_serve, setting.saved)
        saved = np.maximum(rate * chance, chance - 1)
        usual = np.log(setting.called / (1 - setting.called)) + setting.called_by_risk * risk
        was = rng.random(count) < (expit(usual) if called is None else called)
        left = rng.random(count) < chance - saved * was
        hidden = rng.random(count) < setting.arr_missing * np.where(arr > np.median(arr), 4 / 3, 2 / 3)
        touches = rng.poisson(np.exp(-0.5 + 0.4 * setting.called_by_risk * risk))
        seen = {name: states[name] for name in COLUMNS if name in states}
        seen |= {"touches": touches.astype(float), "arr": np.where(hidden, np.nan, arr)}
        return Accounts(seen, chance, saved, arr, was, left)


def health(accounts: Accounts) -> Vector:
    """The score by hand: high is well."""
    total = np.zeros(len(accounts.chance))
    for name, weight in HEALTH.items():
        column = accounts.seen[name]
        total += weight * (column - column.mean()) / column.std()
    return total


def _states(rng: np.random.Generator, count: int) -> dict[str, Vector]:
    names = [*CAUSES, "self_serve", *MEANINGLESS]
    states = dict(zip(names, rng.normal(size=(len(names), count)), strict=True))
    states["sponsor_left"] = (states["sponsor_left"] > 1.0).astype(float)
    states["self_serve"] = (states["self_serve"] > 0.3).astype(float)
    return states
