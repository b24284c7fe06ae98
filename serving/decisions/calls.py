"""Whom to call: ranked by what a call is expected to bring, cut at capacity, without those who must not be called."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from features.settings.decisions import Calls, Economics
from serving.stores.log import digest
from training import value

OUTCOME = "churn"
"""What a call is to prevent."""
UNMODELLED = "unmodelled"
"""How a list is labelled that no model has ranked."""


@dataclass(frozen=True)
class Candidate:
    """An account that may be called. ``probability`` is None where no model says, ``arr`` where it is not known (null).

    ``saved`` is by how much a call lowers the probability, where that was learnt from those held out at random; None
    where it was not: then it is the save rate's share of the probability.
    """

    account: str
    owner: str | None
    probability: float | None
    arr: float | None
    days_to_renewal: float | None
    saved: float | None = None


@dataclass(frozen=True)
class Standing:
    """What is known of an account by now: a touch that somebody is to do, the last one done, held out since, opted out;
    ``drawn`` is when a list last drew it, to be called or held out, in a way that counts (``touches.counted``).
    """

    planned: date | None = None
    touched: date | None = None
    held_out: date | None = None
    opted_out: bool = False
    drawn: date | None = None


@dataclass(frozen=True)
class Ranked:
    """A candidate and what calling it is expected to bring, in the workspace's currency; None where no model says."""

    candidate: Candidate
    worth: float | None
    why_not: str = ""


@dataclass(frozen=True)
class Listed:
    """``called`` in order; ``below`` the next ones, each with why it is not called; ``kept_back`` account → the rule.

    ``held_out`` were drawn at random and are not shown to those who call: how they fare is what a call is measured by.
    """

    called: list[Ranked]
    below: list[Ranked]
    held_out: list[str]
    kept_back: dict[str, str] = field(default_factory=dict)


NOBODY = Standing()


def listed(
    candidates: Sequence[Candidate],
    standing: Mapping[str, Standing],
    terms: Economics,
    rules: Calls,
    capacity: int,
    today: date,
    draw: str,
    below: int = 5,
    window: int = 0,
) -> Listed:
    """The list of a day. It does not depend on the order of the candidates, nor on the currency of the terms; ``draw``
    names the holdout, which is the same for the same name. ``window``: days until it is known what came of an account.

    Held out is who was drawn and would have been called: both kinds are alike but for the call.
    """
    kept_back = {
        one.account: rule
        for one in candidates
        if (rule := blocked(standing.get(one.account, NOBODY), rules, today, window))
    }
    order = ranked([one for one in candidates if one.account not in kept_back], terms)
    drawn = _drawn([one for one in order if _may_be_drawn(standing, one, today, window)], rules, draw)
    called: list[Ranked] = []
    left: list[Ranked] = []
    held_out: list[str] = []
    taken: Counter[str | None] = Counter()
    for one in order:
        owner = one.candidate.owner
        room = len(called) < capacity and (rules.per_owner is None or taken[owner] < rules.per_owner)
        if one.candidate.account in drawn:
            held_out += [one.candidate.account] if room else []
            continue
        if one.worth is not None and one.worth <= 0:
            left.append(Ranked(one.candidate, one.worth, "a call is expected to cost more than it brings"))
        elif len(called) >= capacity:
            left.append(Ranked(one.candidate, one.worth, f"beyond the {capacity} that can be called"))
        elif rules.per_owner is not None and taken[owner] >= rules.per_owner:
            left.append(Ranked(one.candidate, one.worth, f"beyond the {rules.per_owner} of {owner or 'nobody'}"))
        else:
            called.append(one)
            taken[owner] += 1
    return Listed(called, left[:below], sorted(held_out), kept_back)


def blocked(standing: Standing, rules: Calls, today: date, window: int = 0) -> str:
    """Why an account is not called now, and until when; nothing where it may be. Who was held out stays so until it is
    known what came of it, ``window`` days later: a call before that would pass for none.
    """
    quiet, held_out = timedelta(days=rules.quiet_days), timedelta(days=max(rules.quiet_days, window))
    if standing.opted_out:
        return "opted out: has asked not to be called"
    if standing.planned is not None and today < standing.planned + quiet:
        return f"somebody is on it: a touch is planned for {standing.planned}"
    if standing.held_out is not None and today < standing.held_out + held_out:
        return f"held out at random: until {standing.held_out + held_out}"
    if standing.touched is not None and today < standing.touched + quiet:
        return f"left in peace: touched on {standing.touched}, until {standing.touched + quiet}"
    return ""


def ranked(candidates: Sequence[Candidate], terms: Economics) -> list[Ranked]:
    """By expected profit of a call; those of whom no model says anything after them, by ARR and nearness of renewal."""
    p = np.array([math.nan if one.probability is None else one.probability for one in candidates])
    arr = np.array([math.nan if one.arr is None else one.arr for one in candidates])
    saved = np.array([math.nan if one.saved is None else one.saved for one in candidates])
    worth = value.expected(p, arr, terms, saved)
    each = [
        Ranked(one, None if math.isnan(found) else float(found)) for one, found in zip(candidates, worth, strict=True)
    ]
    return sorted(each, key=lambda one: _place(one, terms))


def _place(one: Ranked, terms: Economics) -> tuple[bool, float, float, str]:
    candidate = one.candidate
    if one.worth is not None:
        return (False, -one.worth, 0.0, candidate.account)
    renewal = math.inf if candidate.days_to_renewal is None else candidate.days_to_renewal
    return (True, -(terms.arr if candidate.arr is None else candidate.arr), renewal, candidate.account)


def _may_be_drawn(standing: Mapping[str, Standing], one: Ranked, today: date, window: int) -> bool:
    """Only whom a call is expected to be worth it, and of whom no earlier draw is still open."""
    before = standing.get(one.candidate.account, NOBODY).drawn
    return (one.worth is None or one.worth > 0) and (before is None or today >= before + timedelta(days=window))


def _drawn(order: Sequence[Ranked], rules: Calls, draw: str) -> set[str]:
    """One of every so many in their order, drawn by the seed: as many of the best as of the last. Of the rest, too few
    for one, one with as much chance as there are: so that everybody's chance is the same.
    """
    if not rules.holdout:
        return set()
    size = round(1 / rules.holdout)
    accounts = [one.candidate.account for one in order]
    blocks = [accounts[start : start + size] for start in range(0, len(accounts), size)]
    if blocks and len(blocks[-1]) < size:
        luck = int(digest(str(rules.seed), draw)[:12], 16) / 16**12
        blocks = blocks if luck * size < len(blocks[-1]) else blocks[:-1]
    return {min(block, key=lambda account: digest(str(rules.seed), draw, account)) for block in blocks}
