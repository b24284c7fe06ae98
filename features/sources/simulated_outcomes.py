"""Why simulated accounts leave and speak up: what the causes act on, contracts and their ends, advocacy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.sources.simulated_lives import (
    CURRENCIES,
    LINES,
    Calendar,
    Coded,
    Columns,
    Firms,
    Flags,
    Floats,
    Ints,
    Minds,
    People,
    Value,
    codes,
    happens,
    numbers,
    only,
    sigmoid,
)
from features.sources.simulated_rows import TOUCHES
from features.tables import ADVOCACY_KINDS, INSTRUMENTS

YEARLY_CHURN = 0.20  # accounts lost per live account-year where churn is pure chance
YEARLY_ACTS = 0.35  # acts of advocacy per live account-year where they are pure chance
ASKED = (0.15, 0.04)  # chance of being asked in a month: who is happy, and who is not
EASE = dict(
    zip(ADVOCACY_KINDS, (0.8, 1.0, 1.2, 0.7, 0.6, 1.0, 1.1), strict=True)
)  # how easily each kind is said yes to
MOST_YES = 0.95  # the chance of a yes is never higher
DECIDED_BEFORE = 60  # days before the end of a term at which the account makes up its mind
UNASKED = [ADVOCACY_KINDS.index(kind) for kind in ("review", "community", "social")]


@dataclass(frozen=True)
class Asking:
    """Per account and month, as of its beginning: the chance of being asked within it, and of a yes to a kind of ask of
    ease 1. NaN in the first month, in which nobody is asked.
    """

    asked: Floats
    accepts: Floats


def chance_of_yes(accepts: Floats, kind: str) -> Floats:
    """The true chance of a yes to a kind of ask, from that of ease 1."""
    return np.minimum(MOST_YES, accepts * EASE[kind])


@dataclass(frozen=True)
class Seen:
    """What the causes act on, accounts x months: all of it shows in the exported rows."""

    decline: Floats  # 0 to 1: use of the last two months far below the six before
    depth: Floats  # use per seat of the last three months; 1 is usual
    idle: Floats  # 0 to 1: used on few days
    abandoned: Floats  # 1: single-threaded, and the champion contact left in the last 120 days
    escalations: Floats  # tickets escalated in the last four months
    fresh_escalations: Floats  # tickets escalated in the last two months
    nps: Floats  # mean answer of the last six months, NaN without any
    tardy: Floats  # share of the last four months in which invoices were left to wait
    reviewed: Floats  # 1: a review meeting done in the last four months
    called: Floats  # 1: a call done in the last four months


def seen(when: Calendar, people: People, minds: Minds, tickets: Columns, outreach: Columns, feedback: Columns) -> Seen:
    shape = minds.health.shape
    recent, before = _trailing(minds.depth, 2), np.roll(_trailing(minds.depth, 6), 2, axis=1)
    before[:, :2] = recent[:, :2]
    escalated = _monthly(shape, when, tickets["account"], tickets["escalated"])
    nps = only(codes(feedback["instrument"]) == INSTRUMENTS.index("NPS"), numbers(feedback["responded"]))
    points = _trailing(_monthly(shape, when, feedback["account"], nps, feedback["score"]), 6)
    answers = _trailing(_monthly(shape, when, feedback["account"], nps), 6)
    touch, done = codes(outreach["kind"]), numbers(outreach["done"])
    meetings = _monthly(shape, when, outreach["account"], only(touch == TOUCHES.index("review meeting"), done))
    calls = _monthly(shape, when, outreach["account"], only(touch == TOUCHES.index("call"), done))
    few = people.present.sum(axis=2) < 4
    return Seen(
        decline=sigmoid((0.66 - recent / before) / 0.04),
        depth=_trailing(minds.depth, 3),
        idle=sigmoid((6.5 - _trailing(minds.active, 3)) / 0.6),
        abandoned=1.0 * (few & _champion_left(when, people, shape)),
        escalations=_trailing(escalated, 4) * 4,
        fresh_escalations=_trailing(escalated, 2) * 2,
        nps=np.where(answers > 0, points / np.where(answers > 0, answers, 1), np.nan),
        tardy=_trailing(minds.tardy, 4),
        reviewed=np.where(_trailing(meetings, 4) > 0, 1.0, 0.0),
        called=np.where(_trailing(calls, 4) > 0, 1.0, 0.0),
    )


def _trailing(states: npt.NDArray[np.generic], months: int) -> Floats:
    """Mean over the last ``months`` months, the month itself included."""
    total = np.cumsum(states, axis=1, dtype=np.float64)
    total[:, months:] = total[:, months:] - total[:, :-months].copy()
    return total / np.minimum(np.arange(1, states.shape[1] + 1), months)


def _monthly(
    shape: tuple[int, ...], when: Calendar, account: Value, time: Value, weight: Value | None = None
) -> Floats:
    """Count (or sum of weights) by account and month of what happened within the world."""
    moments = numbers(time)
    happened = moments < when.end
    cell = codes(account)[happened] * shape[1] + when.month(moments[happened])
    weights = None if weight is None else numbers(weight)[happened]
    return np.bincount(cell, weights, shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _champion_left(when: Calendar, people: People, shape: tuple[int, ...]) -> Flags:
    departure = np.full(shape[0], np.nan)
    departure[people.account[people.champion]] = people.left[people.champion]
    ends = when.edges[None, 1:]
    return (departure[:, None] < ends) & (departure[:, None] > ends - 120)


def odds_of_leaving(firms: Firms, seen: Seen) -> Floats:
    """Probability of leaving at the next end of a term, by the state of each month."""
    disappointed = np.nan_to_num(np.clip((7.0 - seen.nps) / 2, 0, 1.5))
    score = (
        np.where(firms.annual, -3.0, -4.35)[:, None]
        + 3.2 * seen.decline
        + 2.0 * seen.idle
        + 3.0 * seen.abandoned
        + 1.1 * np.minimum(seen.escalations, 2)
        + 1.0 * disappointed
        + 1.6 * seen.tardy
        - 1.4 * seen.reviewed
        - 0.4 * seen.called
    )
    return sigmoid(score)


def terms(
    rng: np.random.Generator, when: Calendar, firms: Firms, minds: Minds, chance: Floats
) -> tuple[Columns, Floats]:
    """Term after term until the account leaves or the decision is no longer ours to see; also when each one left."""
    gone = np.full(len(firms), np.inf)
    account, starts, arr, seats = np.arange(len(firms)), firms.starts, firms.arr, firms.seats
    signed = firms.created + rng.random(len(firms)) * (starts - firms.created)
    rows: list[dict[str, Floats | Ints]] = []
    while len(account):
        ends = starts + np.where(firms.annual[account], 365, 91)
        month = np.maximum(when.month(ends - DECIDED_BEFORE) - 1, 0)
        decided = ends - DECIDED_BEFORE < when.end
        leaves = decided & (ends >= 0) & happens(rng, ends, chance[account, month])
        notice = leaves & (firms.auto_renew[account] | happens(rng, ends, 1 / 3))
        cancelled = only(notice, ends - rng.uniform(10, 60, len(ends)))
        rows.append(
            {
                "account": account,
                "starts": starts,
                "ends": ends,
                "signed": signed,
                "cancelled": cancelled,
                "arr": arr,
                "seats": seats,
            }
        )
        gone[account[leaves]] = ends[leaves]
        stays = decided & ~leaves
        factor = _growth(rng, minds.health[account, month])
        account, arr = account[stays], np.round((arr * factor * 1.02)[stays], 2)
        seats = np.maximum(1, np.round(seats * factor)).astype(np.int64)[stays]
        late = happens(rng, account, 0.08)
        starts = ends[stays] + np.where(late, rng.integers(1, 21, len(account)), 0)
        signed = np.where(late, starts, starts - rng.uniform(0, 30, len(account)))
    return _contract_columns(rng, firms, {name: np.concatenate([r[name] for r in rows]) for name in rows[0]}), gone


def _growth(rng: np.random.Generator, health: Floats) -> Floats:
    """Factor on seats and price at a renewal: healthy accounts expand, others contract."""
    pick = rng.random(len(health))
    grows, shrinks = pick < sigmoid(-1.7 + 0.9 * health), pick > 1 - sigmoid(-2.2 - 0.9 * health)
    return 1 + np.where(grows, rng.uniform(0.1, 0.5, len(health)), 0) - np.where(shrinks & ~grows, 0.25, 0)


def open_ended(rng: np.random.Generator, firms: Firms) -> tuple[Columns, Floats]:
    """One contract each, ended at a moment that nothing foretells."""
    gone = np.maximum(firms.starts, 0) + rng.exponential(365 / YEARLY_CHURN, len(firms))
    rows: dict[str, Floats | Ints] = {
        "account": np.arange(len(firms)),
        "starts": firms.starts,
        "ends": np.full(len(firms), np.nan),
        "signed": firms.created + rng.random(len(firms)) * (firms.starts - firms.created),
        "cancelled": gone,
        "arr": firms.arr,
        "seats": firms.seats,
    }
    return _contract_columns(rng, firms, rows), gone


def _contract_columns(rng: np.random.Generator, firms: Firms, rows: dict[str, Floats | Ints]) -> Columns:
    account = rows["account"].astype(np.int64)
    discount = rng.choice((0.0, 0.05, 0.1, 0.2), len(firms))
    return {
        **rows,
        "line_of_business": Coded(LINES, firms.line[account]),
        "discount": discount[account],
        "auto_renew": firms.auto_renew[account],
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }


def advocacy(
    rng: np.random.Generator,
    when: Calendar,
    firms: Firms,
    people: People,
    minds: Minds,
    seen: Seen,
    asked: tuple[float, float] = ASKED,
) -> tuple[Columns, Asking]:
    """Month by month: who is asked, who says yes, who acts unasked; a done act tires and encourages. Also the chances."""
    ease = np.array(list(EASE.values()))
    truth = Asking(np.full(minds.health.shape, np.nan), np.full(minds.health.shape, np.nan))
    last, acts = np.full(len(firms), -np.inf), np.zeros(len(firms))
    rows: list[dict[str, Floats | Ints]] = []
    for month in range(1, when.months):
        opens = when.edges[month]
        happy = (seen.nps[:, month - 1] >= 9) | (minds.mood[:, month - 1] > 1.0)
        keen = happy & (opens - firms.created > 180)
        ready = keen * np.where(seen.depth[:, month - 1] > 1.1, 1.3, 0.7) * (1 + 0.3 * np.minimum(acts, 3))
        ready *= np.where(seen.fresh_escalations[:, month - 1] > 0, 0.15, 1)
        ready *= np.where(opens - last > 60, 1, 0.15)
        truth.asked[:, month], truth.accepts[:, month] = np.where(happy, *asked), 0.75 * ready
        asks = happens(rng, acts, truth.asked[:, month])
        kind = np.where(asks, rng.integers(0, len(ADVOCACY_KINDS), len(firms)), rng.choice(UNASKED, len(firms)))
        time = when.moments(rng, np.full(len(firms), month), rng.random(len(firms)))
        yes = asks & happens(rng, acts, np.minimum(MOST_YES, 0.75 * ready * ease[kind]))
        no = asks & ~yes & happens(rng, acts, 0.6)
        answer = time + rng.exponential(4, len(firms))
        unasked = ~asks & happens(rng, acts, 0.09 * ready)
        done = np.where(unasked, time, only(yes & happens(rng, acts, 0.9), answer + rng.uniform(5, 40, len(firms))))
        acted = np.isfinite(done)
        last, acts = np.where(acted, done, last), acts + acted
        here = np.nonzero(asks | unasked)[0]
        columns = {
            "account": np.arange(len(firms)),
            "contact": people.pick(rng, np.arange(len(firms)), np.full(len(firms), month), time),
            "kind": kind,
            "asked": only(asks, time),
            "accepted": only(yes, answer),
            "declined": only(no, answer),
            "done": done,
        }
        rows.append({name: column[here] for name, column in columns.items()})
    return _act_columns(rng, firms, {name: np.concatenate([r[name] for r in rows]) for name in rows[0]}), truth


def acts_of_chance(rng: np.random.Generator, when: Calendar, firms: Firms, people: People) -> Columns:
    """Unasked acts at one constant rate for every account."""
    number = rng.poisson(YEARLY_ACTS * when.end / 365, len(firms))
    account = np.repeat(np.arange(len(firms)), number)
    done = rng.uniform(0, when.end, len(account))
    never = np.full(len(account), np.nan)
    return _act_columns(
        rng,
        firms,
        {
            "account": account,
            "contact": people.pick(rng, account, when.month(done), done),
            "kind": rng.choice(UNASKED, len(account)),
            "asked": never,
            "accepted": never,
            "declined": never,
            "done": done,
        },
    )


def _act_columns(rng: np.random.Generator, firms: Firms, rows: dict[str, Floats | Ints]) -> Columns:
    account = rows["account"].astype(np.int64)
    touched = firms.arr[account] * rng.lognormal(-0.7, 0.5, len(account))
    touches = (rows["kind"] == ADVOCACY_KINDS.index("reference")) & happens(rng, account, 0.4)
    return {
        **rows,
        "kind": Coded(ADVOCACY_KINDS, rows["kind"].astype(np.int64)),
        "revenue_touched": np.round(only(touches, touched), 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }
