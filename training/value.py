"""What a list is worth: expected profit of calling an account, and what came of calling those a model would have named.

Every number is in the workspace's currency. The save rate is *assumed* until outreach with a random holdout has
measured it; a list is judged by the same numbers whoever made it, so that the assumption favours nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.settings.decisions import Economics
from training.metrics import Estimate, Weights, estimate

Vector = npt.NDArray[np.float64]
CONCENTRATION = 20.0
"""How sure the assumed save rate is, in accounts seen: the beta distribution's alpha plus beta."""
ASSUMED = "the save rate is assumed, not measured"


@dataclass(frozen=True)
class Value:
    """Profit per as_of date of working the list at capacity, and how many on it came true."""

    profit: Estimate
    precision: Estimate

    def as_dict(self) -> dict[str, object]:
        return {"profit": self.profit.as_dict(), "precision": self.precision.as_dict(), "note": ASSUMED}


def expected(p: Vector, arr: Vector, terms: Economics, saved: Vector | None = None) -> Vector:
    """Expected profit of calling each account: ``p·s·(ARR·margin − offer) − (1−p)·offer − contact cost``.

    An account that would have stayed takes the offer all the same. Unknown ARR counts as the terms' ``arr``. ``saved``
    takes the place of ``p·s`` where it is not null: by how much a call lowers the probability.
    """
    profit, cost = stakes(p, arr, terms)
    kept = p * terms.save_rate if saved is None else np.where(np.isnan(saved), p * terms.save_rate, saved)
    return kept * profit - cost


def stakes(p: Vector, arr: Vector, terms: Economics) -> tuple[Vector, Vector]:
    """What keeping each account is worth, ``ARR·margin − offer``, and what calling it costs: ``(1−p)·offer + contact cost``."""
    worth = np.where(np.isnan(arr), terms.arr, arr) * terms.margin
    return worth - terms.offer, (1 - p) * terms.offer + terms.contact_cost


def realised(y: Vector, arr: Vector, terms: Economics) -> Vector:
    """The same of what came true: ``y`` in place of ``p``."""
    return expected(y, arr, terms)


def listed(
    p: Vector, arr: Vector, days: npt.NDArray[np.object_], capacity: int, terms: Economics
) -> npt.NDArray[np.bool_]:
    """Who is called: at each as_of date the accounts of the highest expected profit, none that is expected to cost."""
    worth = expected(p, arr, terms)
    chosen = np.zeros(len(p), dtype=bool)
    for day in dict.fromkeys(days.tolist()):
        rows = np.flatnonzero(days == day)
        best = rows[np.argsort(-worth[rows], kind="stable")[:capacity]]
        chosen[best[worth[best] > 0]] = True
    return chosen


def at_capacity(
    y: Vector,
    p: Vector,
    arr: Vector,
    days: npt.NDArray[np.object_],
    capacity: int,
    terms: Economics,
    weights: Weights,
) -> Value:
    """What the list of this model came to, per as_of date, with intervals by account."""
    chosen = listed(p, arr, days, capacity, terms)
    return Value(estimate(_profits(chosen, y, arr, days, terms, weights)), estimate(_precision(chosen, y, weights)))


def compared(
    y: Vector,
    ours: Vector,
    theirs: Vector,
    arr: Vector,
    days: npt.NDArray[np.object_],
    capacity: int,
    terms: Economics,
    weights: Weights,
) -> Estimate:
    """Profit per as_of date of our list minus that of theirs, paired by account."""
    both = [_profits(listed(p, arr, days, capacity, terms), y, arr, days, terms, weights) for p in (ours, theirs)]
    return estimate(both[0] - both[1])


def empc(y: Vector, p: Vector, arr: Vector, terms: Economics) -> float | None:
    """Expected maximum profit per account over all cut-offs (Verbraken 2013), its beta distribution of save rates around
    the assumed one; None where either kind is missing or saving is not worth its cost.
    """
    worth = float(np.where(np.isnan(arr), terms.arr, arr).mean()) * terms.margin
    spent = terms.offer + terms.contact_cost
    if len(set(y.tolist())) < 2 or not 0 < terms.save_rate < 1 or not 0 < spent < worth:
        return None
    from empulse.metrics import empc_score

    found = empc_score(
        y,
        p,
        alpha=CONCENTRATION * terms.save_rate,
        beta=CONCENTRATION * (1 - terms.save_rate),
        clv=worth,
        incentive_cost=terms.offer,
        contact_cost=terms.contact_cost,
    )
    return float(found)


def _profits(
    chosen: npt.NDArray[np.bool_],
    y: Vector,
    arr: Vector,
    days: npt.NDArray[np.object_],
    terms: Economics,
    weights: Weights,
) -> Vector:
    profit = np.where(chosen, realised(y, arr, terms), 0.0)
    return np.asarray(weights @ profit) / len(set(days.tolist()))


def _precision(chosen: npt.NDArray[np.bool_], y: Vector, weights: Weights) -> Vector:
    seen = weights @ chosen.astype(float)
    return np.divide(weights @ (y * chosen), seen, out=np.full(len(weights), np.nan), where=seen > 0)
