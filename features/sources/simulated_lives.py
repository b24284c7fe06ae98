"""What happens to a chunk of simulated accounts, and why: the latent states, the causes, the rows.

Time is days since the first instant of the world; NaN means never. Whatever is
exogenous (use, tickets, answers, invoices) is drawn as if no account ever left;
``simulated`` cuts the rows at the account's end and at the end of the world.
A state is an array of accounts × months; the state of a month covers all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from features.tables import ADVOCACY_KINDS, INSTRUMENTS, ROLES, SEVERITIES
from features.windows import MICROSECONDS_PER_DAY, as_of_instants, grid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Coded:
    """Text as indices into a pool; -1 is null."""

    pool: Sequence[str]
    codes: Ints


Value = Floats | Ints | Flags | Coded
Columns = dict[str, Value]

YEARLY_CHURN = 0.20  # accounts lost per live account-year where churn is pure chance
YEARLY_ACTS = 0.35  # acts of advocacy per live account-year where they are pure chance
DECIDED_BEFORE = 60  # days before the end of a term at which the account makes up its mind
QUARTER = 91.25

SEGMENTS = ("enterprise", "mid-market", "small")
INDUSTRIES = ("software", "manufacturing", "finance", "health care", "retail", "public sector")
COUNTRIES = ("DE", "FR", "GB", "US", "NL", "SE")
CURRENCIES = ("EUR", "USD", "GBP")
LINES = ("platform", "analytics", "services")
OWNERS = tuple(f"owner-{n}" for n in range(1, 9))
EVENTS = ("login", "report", "export", "api", "invite", "admin")
FEEDBACK_KINDS = ("relationship", "product", "support", "onboarding", "review meeting")
TOUCHES = ("call", "e-mail", "review meeting")
PRAISE = ("Works well for us.", "Great support.", "Saves us hours.", "Would recommend it.")
DOUBTS = ("Too slow.", "Support takes too long.", "Hard to use.", "Not worth the price.")
MIXED = ("It does the job.", "Some rough edges.", "Fine so far.")
STAGES = ("lead", "qualified", "proposal")


@dataclass(frozen=True)
class Calendar:
    """Months of the world: ``edges`` in days since ``origin`` (an instant), ``busy`` the cumulative weight of days."""

    days: list[date]
    edges: Floats
    origin: int
    busy: Floats

    @property
    def months(self) -> int:
        return len(self.days)

    @property
    def end(self) -> float:
        """The first instant after the world."""
        return float(self.edges[-1])

    def month(self, time: Floats) -> Ints:
        """The month in which each time falls; the first or last one if outside."""
        return np.clip(np.searchsorted(self.edges, time, side="right") - 1, 0, self.months - 1)

    def moments(self, rng: np.random.Generator, month: Ints, share: Floats) -> Floats:
        """Moments at a share [0, 1) of each month's working time: few on weekends, most around 13:00 UTC."""
        worked = self.busy[self.edges.astype(np.int64)]
        target = worked[month] + share * (worked[month + 1] - worked[month])
        hour = np.clip(rng.normal(13, 2.6, len(month)), 5, 23)
        return np.searchsorted(self.busy, target, side="right") - 1 + hour / 24


def calendar(until: date, months: int) -> Calendar:
    days = grid(until - timedelta(days=31 * (months + 1)), until, "month")[-months - 1 :]
    instants = as_of_instants(days, "UTC")
    edges = (instants - instants[0]) / MICROSECONDS_PER_DAY
    weekday = (days[0].weekday() + 1 + np.arange(int(edges[-1]))) % 7
    busy = np.concatenate([[0.0], np.cumsum(np.where(weekday < 5, 1.0, 0.12))])
    return Calendar(days[1:], edges, int(instants[0]), busy)


@dataclass(frozen=True)
class Firms:
    """The accounts of a chunk; ``starts`` is the first instant of the first contract."""

    ids: list[str]
    segment: Ints
    industry: Ints
    size: Ints
    seats: Ints
    arr: Floats
    currency: Ints
    line: Ints
    owner: Ints
    annual: Flags
    auto_renew: Flags
    created: Floats
    starts: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class People:
    """The contacts of a chunk: one entry each, and ``slot`` (accounts × places, -1 empty) to find them by account.

    ``present`` is accounts × months × places; ``reach`` the cumulative chance that a place is the one who acts.
    """

    ids: list[str]
    account: Ints
    role: Ints
    champion: Flags
    joined: Floats
    left: Floats
    slot: Ints
    present: Flags
    reach: npt.NDArray[np.float32]

    def pick(self, rng: np.random.Generator, account: Ints, month: Ints, time: Floats) -> Ints:
        """Who acts: power users most; -1 where nobody known was there."""
        reach = self.reach[account, month]
        place = (reach < rng.random((len(account), 1), dtype=np.float32) * reach[:, -1:]).sum(axis=1)
        contact = self.slot[account, np.minimum(place, reach.shape[1] - 1)]
        there = (contact >= 0) & (reach[:, -1] > 0) & (time >= self.joined[contact]) & ~(time >= self.left[contact])
        return np.where(there, contact, -1)


@dataclass(frozen=True)
class Minds:
    """Latent states, accounts × months: health and mood in standard deviations, ``depth`` a factor on use without
    season, ``active`` the days of the month on which the product is used, ``tardy`` whether invoices are left to wait."""

    health: Floats
    mood: Floats
    depth: Floats
    active: Floats
    tardy: Flags


@dataclass(frozen=True)
class Lives:
    """All that happened to a chunk: rows by table, when each account began and left, its odds of leaving by month."""

    firms: Firms
    people: People
    tables: dict[str, Columns]
    gone: Floats
    chance: Floats


def live(rng: np.random.Generator, when: Calendar, first: int, count: int, signal: bool) -> Lives:
    """Draw the lives of ``count`` accounts numbered from ``first``; without ``signal`` outcomes are pure chance."""
    firms = _firms(rng, when, first, count)
    people = _people(rng, when, firms)
    minds = _minds(rng, firms, when)
    born = when.edges[None, 1:] > firms.starts[:, None]
    tickets = _tickets(rng, when, firms, people, minds, born)
    outreach = _outreach(rng, when, firms, people, minds, born)
    feedback = _feedback(rng, when, firms, people, minds, tickets, outreach)
    seen = _seen(when, people, minds, tickets, outreach, feedback)
    if signal:
        chance = _odds_of_leaving(firms, seen)
        contracts, gone = _terms(rng, when, firms, minds, chance)
        advocacy = _advocacy(rng, when, firms, people, minds, seen)
    else:
        chance = np.full(minds.health.shape, 1 - np.exp(-YEARLY_CHURN))
        contracts, gone = _open_ended(rng, firms)
        advocacy = _acts_of_chance(rng, when, firms, people)
    tables = {
        "accounts": _accounts(rng, when, firms),
        "contacts": _contacts(rng, people),
        "contracts": contracts,
        "usage": _usage(rng, when, firms, people, minds, born & (when.edges[None, :-1] < gone[:, None])),
        "tickets": tickets,
        "feedback": feedback,
        "invoices": _invoices(rng, when, firms, minds, contracts, gone),
        "advocacy": advocacy,
        "outreach": outreach,
        "deals": _deals(rng, when, firms),
        "costs": _costs(rng, when, firms),
    }
    return Lives(firms, people, tables, gone, chance)


def _firms(rng: np.random.Generator, when: Calendar, first: int, count: int) -> Firms:
    segment = rng.choice(3, count, p=(0.20, 0.35, 0.45))
    size = np.array((2000, 300, 40))[segment] * rng.lognormal(0, 0.6, count)
    seats = np.array((200, 50, 12))[segment] * rng.lognormal(0, 0.5, count)
    arr = np.array((120_000, 30_000, 6_000))[segment] * rng.lognormal(0, 0.6, count)
    there = rng.random(count) < 0.7
    created = np.where(there, -rng.uniform(0, 3 * 365, count), rng.uniform(0, when.end, count))
    return Firms(
        ids=[f"account-{first + n:07d}" for n in range(count)],
        segment=segment,
        industry=rng.integers(0, len(INDUSTRIES), count),
        size=np.maximum(2, size).astype(np.int64),
        seats=np.maximum(3, seats).astype(np.int64),
        arr=np.round(arr, -1),
        currency=rng.choice(len(CURRENCIES), count, p=(0.6, 0.25, 0.15)),
        line=rng.integers(0, len(LINES), count),
        owner=rng.integers(0, len(OWNERS), count),
        annual=rng.random(count) < 0.7,
        auto_renew=rng.random(count) < 0.4,
        created=created,
        starts=np.ceil(created) + rng.integers(0, 15, count),
    )


def _people(rng: np.random.Generator, when: Calendar, firms: Firms) -> People:
    number = np.minimum(1 + rng.poisson(np.array((7.0, 3.5, 1.5))[firms.segment]), 14)
    account = np.repeat(np.arange(len(firms)), number)
    place = np.arange(len(account)) - np.repeat(np.cumsum(number) - number, number)
    slot = np.full((len(firms), int(number.max())), -1)
    slot[account, place] = np.arange(len(account))
    champion = (place == 0) & (rng.random(len(firms)) < 0.85)[account]
    role = rng.choice(len(ROLES), len(account), p=(0.13, 0.12, 0.05, 0.05, 0.15, 0.5))
    role = np.where(champion, ROLES.index("champion"), role)
    early = (place == 0) | (rng.random(len(account)) < 0.6)
    since = firms.created[account]
    later = since + rng.random(len(account)) * np.maximum(when.end - since, 30)
    joined = np.where(early, since + rng.uniform(0, 20, len(account)), later)
    # A champion contact who had left before the world began is one we never heard of.
    moved_in = np.where(champion, np.maximum(joined, 0), joined)
    left = moved_in + rng.exponential(np.where(champion, 2.5, 7.0) * 365)
    present = _by_place(slot, joined)[:, None] < when.edges[1:, None]
    present = present & (_by_place(slot, left)[:, None] > when.edges[:-1, None])
    weight = rng.lognormal(0, 0.8, len(account)) * np.where(role == ROLES.index("power user"), 4, 1)
    reach = np.cumsum(present * np.nan_to_num(_by_place(slot, weight))[:, None], axis=2)
    ids = [f"contact-{firms.ids[a][8:]}-{p + 1}" for a, p in zip(account.tolist(), place.tolist(), strict=True)]
    return People(ids, account, role, champion, joined, left, slot, present, reach.astype(np.float32))


def _by_place(slot: Ints, values: Floats) -> Floats:
    return np.where(slot >= 0, values[slot], np.nan)


def _minds(rng: np.random.Generator, firms: Firms, when: Calendar) -> Minds:
    shape = (len(firms), when.months)
    slump = _drifting(rng, shape, 0.85) < -1.2
    years = (np.arange(when.months) - when.months / 2) / 12
    health = 0.6 * rng.normal(size=(shape[0], 1)) + 0.6 * _drifting(rng, shape, 0.85)
    health = health + rng.normal(0, 0.25, (shape[0], 1)) * years - 0.4 * slump
    mood = 0.6 * health + 0.55 * rng.normal(size=(shape[0], 1)) + 0.4 * _drifting(rng, shape, 0.8)
    taste = rng.normal(0, 0.3, (shape[0], 1)) + rng.normal(0, 0.1, shape)
    depth = np.exp(taste + 0.3 * np.clip(health, -2, 2)) * np.where(slump, 0.4, 1.0)
    habit = 0.7 * rng.normal(size=(shape[0], 1)) + 0.7 * _drifting(rng, shape, 0.9)
    active = np.clip(np.round(11 + 4.5 * habit + 1.0 * health), 1, 22)
    tardy = _drifting(rng, shape, 0.9) - 0.3 * health > 1.25
    return Minds(health, mood, depth, active, tardy)


def _drifting(rng: np.random.Generator, shape: tuple[int, int], keep: float) -> Floats:
    """AR(1) along the months, of variance one from the start."""
    steps = rng.normal(size=shape)
    for month in range(1, shape[1]):
        steps[:, month] = keep * steps[:, month - 1] + np.sqrt(1 - keep * keep) * steps[:, month]
    return steps


def _trailing(states: npt.NDArray[np.generic], months: int) -> Floats:
    """Mean over the last ``months`` months, the month itself included."""
    total = np.cumsum(states, axis=1, dtype=np.float64)
    total[:, months:] = total[:, months:] - total[:, :-months].copy()
    return total / np.minimum(np.arange(1, states.shape[1] + 1), months)


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _chance(rng: np.random.Generator, like: Floats | Ints, p: Floats | float) -> Flags:
    return rng.random(len(like)) < p


def _when(condition: Flags, time: Floats) -> Floats:
    return np.where(condition, time, np.nan)


# What we can see of an account ------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What the causes act on, accounts × months: all of it shows in the exported rows."""

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


def _seen(
    when: Calendar, people: People, minds: Minds, tickets: Columns, outreach: Columns, feedback: Columns
) -> Seen:
    shape = minds.health.shape
    recent, before = _trailing(minds.depth, 2), np.roll(_trailing(minds.depth, 6), 2, axis=1)
    before[:, :2] = recent[:, :2]
    escalated = _monthly(shape, when, tickets["account"], tickets["escalated"])
    nps = np.where(_codes(feedback["instrument"]) == 0, feedback["responded"], np.nan)
    points = _trailing(_monthly(shape, when, feedback["account"], nps, feedback["score"]), 6)
    answers = _trailing(_monthly(shape, when, feedback["account"], nps), 6)
    touch, done = _codes(outreach["kind"]), outreach["done"]
    meetings = _monthly(shape, when, outreach["account"], np.where(touch == 2, done, np.nan))
    calls = _monthly(shape, when, outreach["account"], np.where(touch == 0, done, np.nan))
    few = people.present.sum(axis=2) < 4
    return Seen(
        decline=_sigmoid((0.66 - recent / before) / 0.04),
        depth=_trailing(minds.depth, 3),
        idle=_sigmoid((6.5 - _trailing(minds.active, 3)) / 0.6),
        abandoned=1.0 * (few & _champion_left(when, people, shape)),
        escalations=_trailing(escalated, 4) * 4,
        fresh_escalations=_trailing(escalated, 2) * 2,
        nps=np.where(answers > 0, points / np.where(answers > 0, answers, 1), np.nan),
        tardy=_trailing(minds.tardy, 4),
        reviewed=1.0 * (_trailing(meetings, 4) > 0),
        called=1.0 * (_trailing(calls, 4) > 0),
    )


def _monthly(
    shape: tuple[int, ...], when: Calendar, account: Value, time: Value, weight: Value | None = None
) -> Floats:
    """Count (or sum of weights) by account and month of what happened within the world."""
    moments = np.asarray(time, dtype=np.float64)
    happened = moments < when.end
    cell = _codes(account)[happened] * shape[1] + when.month(moments[happened])
    weights = None if weight is None else np.asarray(weight, dtype=np.float64)[happened]
    return np.bincount(cell, weights, shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _codes(value: Value) -> Ints:
    return value.codes if isinstance(value, Coded) else np.asarray(value, dtype=np.int64)


def _champion_left(when: Calendar, people: People, shape: tuple[int, ...]) -> Flags:
    departure = np.full(shape[0], np.nan)
    departure[people.account[people.champion]] = people.left[people.champion]
    ends = when.edges[None, 1:]
    return (departure[:, None] < ends) & (departure[:, None] > ends - 120)


# Contracts and leaving --------------------------------------------------------------------------


def _odds_of_leaving(firms: Firms, seen: Seen) -> Floats:
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
    return _sigmoid(score)


def _terms(
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
        leaves = decided & (ends >= 0) & _chance(rng, ends, chance[account, month])
        notice = leaves & (firms.auto_renew[account] | _chance(rng, ends, 1 / 3))
        cancelled = _when(notice, ends - rng.uniform(10, 60, len(ends)))
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
        late = _chance(rng, account, 0.08)
        starts = ends[stays] + np.where(late, rng.integers(1, 21, len(account)), 0)
        signed = np.where(late, starts, starts - rng.uniform(0, 30, len(account)))
    return _contract_columns(rng, firms, {name: np.concatenate([r[name] for r in rows]) for name in rows[0]}), gone


def _growth(rng: np.random.Generator, health: Floats) -> Floats:
    """Factor on seats and price at a renewal: healthy accounts expand, others contract."""
    pick = rng.random(len(health))
    grows, shrinks = pick < _sigmoid(-1.7 + 0.9 * health), pick > 1 - _sigmoid(-2.2 - 0.9 * health)
    return 1 + np.where(grows, rng.uniform(0.1, 0.5, len(health)), 0) - np.where(shrinks & ~grows, 0.25, 0)


def _open_ended(rng: np.random.Generator, firms: Firms) -> tuple[Columns, Floats]:
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


# Rows of the other tables -----------------------------------------------------------------------


def _accounts(rng: np.random.Generator, when: Calendar, firms: Firms) -> Columns:
    number = len(firms)
    earlier = (rng.random(number) * np.arange(number)).astype(np.int64)
    child = _chance(rng, firms.created, 0.1) & (np.arange(number) > 0)
    served = _chance(rng, firms.created, 0.25)
    handed_over = served & _chance(rng, firms.created, 0.4)
    partner_since = _when(handed_over, firms.created + rng.uniform(0, 500, number))
    served &= ~(partner_since >= when.end)
    buying = rng.choice(len(COUNTRIES), number, p=(0.3, 0.2, 0.15, 0.2, 0.1, 0.05))
    using = np.where(_chance(rng, buying, 0.15), rng.integers(0, len(COUNTRIES), number), buying)
    billing = np.where(_chance(rng, buying, 0.08), rng.integers(0, len(COUNTRIES), number), buying)
    first, second = ("North", "Blue", "Iron", "Clear", "Silver"), ("wind", "field", "bridge", "works", "line")
    names = [f"{first[n % 5]}{second[n // 5 % 5]} {id_[8:]}" for n, id_ in enumerate(firms.ids)]
    return {
        "account": np.arange(number),
        "name": Coded(names, np.arange(number)),
        "parent": Coded(firms.ids, np.where(child, earlier, -1)),
        "partner": Coded(
            tuple(f"partner-{n}" for n in range(1, 13)), np.where(served, rng.integers(0, 12, number), -1)
        ),
        "partner_since": _when(served, partner_since),
        "segment": Coded(SEGMENTS, firms.segment),
        "industry": Coded(INDUSTRIES, firms.industry),
        "line_of_business": Coded(LINES, firms.line),
        "owner": Coded(OWNERS, firms.owner),
        "buying_country": Coded(COUNTRIES, buying),
        "using_country": Coded(COUNTRIES, using),
        "billing_country": Coded(COUNTRIES, billing),
        "size": firms.size,
        "created": firms.created,
    }


def _contacts(rng: np.random.Generator, people: People) -> Columns:
    number = len(people.ids)
    consents = ("reference", "review", "reference;review", "case study;reference", "speaking;community", "social")
    agreed = _chance(rng, people.joined, 0.4)
    consent_at = people.joined + rng.exponential(200, number)
    agreed &= ~(consent_at >= people.left)
    return {
        "contact": np.arange(number),
        "account": people.account,
        "role": Coded(ROLES, people.role),
        "champion_contact": people.champion,
        "joined": people.joined,
        "left": people.left,
        "consent": Coded(consents, np.where(agreed, rng.integers(0, len(consents), number), -1)),
        "consent_at": _when(agreed, consent_at),
    }


def _usage(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, alive: Flags
) -> Columns:
    """Events on the account's active days: more with seats and health, with a yearly season by industry."""
    number = np.array([day.month for day in when.days])
    industry = np.arange(len(INDUSTRIES))[:, None]
    season = 1 + (0.05 + 0.04 * industry) * np.cos(2 * np.pi * (number - 1 - 2 * industry) / 12)
    age = (when.edges[None, 1:] - firms.starts[:, None]) / 90
    rate = 30 * (firms.seats[:, None] / 40) ** 0.4 * minds.depth * season[firms.industry] * np.clip(age, 0.4, 1)
    events = rng.poisson(rate * alive)
    cell = np.repeat(np.arange(events.size), events.ravel())
    account, month = cell // when.months, cell % when.months
    active, shift = minds.active.ravel()[cell], rng.random(events.size)[cell]
    time = when.moments(rng, month, (np.floor(rng.random(len(cell)) * active) + shift) / active)
    event = np.searchsorted(np.cumsum((0.5, 0.2, 0.1, 0.12, 0.03)), rng.random(len(cell)), side="right")
    amount = np.array((np.nan, 12.0, 40.0, 150.0, np.nan, np.nan))[event] * rng.exponential(1, len(cell))
    return {
        "account": account,
        "contact": people.pick(rng, account, month, time),
        "occurred_at": time,
        "event": Coded(EVENTS, event),
        "value": np.round(amount, 2),
    }


def _scattered(rng: np.random.Generator, when: Calendar, rate: Floats) -> tuple[Ints, Ints, Floats]:
    """Account, month and moment of events that come at a rate per account and month."""
    events = rng.poisson(rate)
    cell = np.repeat(np.arange(events.size), events.ravel())
    month = cell % when.months
    return cell // when.months, month, when.moments(rng, month, rng.random(len(cell)))


def _tickets(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, born: Flags
) -> Columns:
    """Requests for help; ``reopened`` lies before ``resolved``, which is the final resolution."""
    rate = 0.55 * np.exp(-0.4 * minds.health) * (firms.seats[:, None] / 40) ** 0.3 * born
    account, month, opened = _scattered(rng, when, rate)
    number = len(account)
    health = minds.health[account, month]
    escalates = _chance(rng, opened, _sigmoid(-2.3 - 0.7 * health))
    reopens = _chance(rng, opened, np.where(escalates, 0.25, 0.08))
    first_response = opened + rng.exponential(np.where(health < 0, 0.5, 0.25))
    work = rng.lognormal(0.7, 0.9, number) * np.where(escalates, 2.5, 1)
    resolved = first_response + np.where(_chance(rng, opened, 0.02), np.inf, work)
    return {
        "account": account,
        "contact": people.pick(rng, account, month, opened),
        "opened": opened,
        "first_response": first_response,
        "resolved": resolved,
        "escalated": _when(escalates, opened + rng.uniform(0.2, 0.9, number) * (first_response - opened + work)),
        "reopened": _when(reopens, first_response + rng.uniform(0.5, 0.95, number) * work),
        "severity": Coded(SEVERITIES, rng.choice(4, number, p=(0.25, 0.5, 0.2, 0.05)) + 0 * account),
        "contacts_needed": 1 + rng.poisson(np.where(escalates, 2.5, 0.8)),
        "handoffs": rng.poisson(np.where(escalates, 2.0, 0.4)),
    }


def _outreach(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, born: Flags
) -> Columns:
    """Touches, more of them to accounts in poor health, of which 15% are held out at random."""
    at_risk = minds.health < -0.7
    account, month, time = _scattered(rng, when, np.where(at_risk, 0.7, 0.3) * born)
    number = len(account)
    held_out = at_risk[account, month] & _chance(rng, time, 0.15)
    proactive = held_out | _chance(rng, time, 0.7)
    done = time + np.where(proactive, rng.uniform(0.5, 14, number), 0)
    outcomes = ("reached", "no answer", "next step agreed")
    return {
        "account": account,
        "contact": people.pick(rng, account, month, time),
        "kind": Coded(TOUCHES, rng.choice(3, number, p=(0.4, 0.35, 0.25))),
        "planned": _when(proactive, time),
        "done": _when(~held_out & (~proactive | _chance(rng, time, 0.88)), done),
        "owner": Coded(OWNERS, firms.owner[account]),
        "outcome": Coded(outcomes, rng.choice(3, number, p=(0.5, 0.3, 0.2))),
        "proactive": proactive,
        "held_out": held_out,
    }


def _feedback(
    rng: np.random.Generator,
    when: Calendar,
    firms: Firms,
    people: People,
    minds: Minds,
    tickets: Columns,
    outreach: Columns,
) -> Columns:
    """Questions after moments of truth and every quarter; answers follow mood, and the unhappy answer less."""
    quarter = (np.arange(when.months) + rng.integers(0, 3, (len(firms), 1))) % 3 == 0
    who, month, place = np.nonzero(people.present & quarter[:, :, None] & (rng.random(people.present.shape) < 0.5))
    asked = when.moments(rng, month, rng.random(len(month)))
    contact = people.slot[who, place]
    there = (people.joined[contact] < asked) & (asked < people.left[contact]) & (firms.starts[who] < asked)
    product = np.where(_chance(rng, who, 0.2), 1, 0)
    surveys = [_questions(who, contact, asked, 0, product, there)]
    after = np.asarray(tickets["resolved"]) + rng.uniform(0.02, 1, len(_codes(tickets["account"])))
    effort = np.where(_chance(rng, after, 0.3), 2, 1)
    upset = np.where(np.isfinite(np.asarray(tickets["escalated"])), -1.0, 0.0)
    asks = _chance(rng, after, 0.6) & np.isfinite(after)
    surveys.append(_questions(_codes(tickets["account"]), _codes(tickets["contact"]), after, effort, 2, asks, upset))
    welcome = firms.starts + rng.uniform(30, 60, len(firms))
    greeter = people.slot[:, 0]
    surveys.append(_questions(np.arange(len(firms)), greeter, welcome, 1, 3, welcome < people.left[greeter]))
    met = np.asarray(outreach["done"]) + 0.1
    meeting = (_codes(outreach["kind"]) == 2) & np.isfinite(met)
    surveys.append(_questions(_codes(outreach["account"]), _codes(outreach["contact"]), met, 3, 4, meeting))
    rows = {name: np.concatenate([survey[name] for survey in surveys]) for name in surveys[0]}
    within = (rows["asked"] < when.end) & (rows["asked"] >= 0)
    return _answers(rng, when, people, minds, {name: column[within] for name, column in rows.items()})


def _questions(
    account: Ints,
    contact: Ints,
    asked: Floats,
    instrument: Ints | int,
    touchpoint: Ints | int,
    keep: Flags,
    upset: Floats | float = 0.0,
) -> dict[str, Floats]:
    columns = (account, contact, asked, instrument, touchpoint, upset)
    names = ("account", "contact", "asked", "instrument", "touchpoint", "upset")
    spread = [np.broadcast_to(np.asarray(column, dtype=np.float64), account.shape)[keep] for column in columns]
    return dict(zip(names, spread, strict=True))


def _answers(
    rng: np.random.Generator, when: Calendar, people: People, minds: Minds, rows: dict[str, Floats]
) -> Columns:
    account, contact, instrument = (rows[name].astype(np.int64) for name in ("account", "contact", "instrument"))
    number = len(account)
    bias = np.array((-0.3, 0.0, 0.4, 0.1, 0.2, -0.1))[people.role[contact]] * (contact >= 0)
    mood = minds.mood[account, when.month(rows["asked"])] + bias + rows["upset"]
    answered = _chance(rng, mood, _sigmoid(-0.1 + 0.35 * mood))
    centre, slope, noise = np.array(((7.4, 1.7, 1.2), (3.8, 0.7, 0.7), (5.0, 1.0, 1.0), (3.9, 0.6, 0.7)))[instrument].T
    scale = np.array((10.0, 5.0, 7.0, 5.0))[instrument]
    lowest = np.where(instrument == 0, 0, 1)
    score = np.clip(np.round(centre + slope * mood + noise * rng.normal(size=number)), lowest, scale)
    share = (score - lowest) / (scale - lowest)
    phrase = np.where(share > 0.75, 0, np.where(share > 0.5, 8, 4)) + rng.integers(0, 3, number)
    speaks = answered & _chance(rng, score, 0.25)
    return {
        "account": account,
        "contact": contact,
        "asked": rows["asked"],
        "responded": _when(answered, rows["asked"] + rng.exponential(2.5, number)),
        "instrument": Coded(INSTRUMENTS, instrument),
        "score": _when(answered, score),
        "scale": scale,
        "touchpoint": Coded(FEEDBACK_KINDS, rows["touchpoint"].astype(np.int64)),
        "verbatim": Coded(PRAISE + DOUBTS + MIXED, np.where(speaks, phrase, -1)),
    }


def _invoices(
    rng: np.random.Generator, when: Calendar, firms: Firms, minds: Minds, contracts: Columns, gone: Floats
) -> Columns:
    """A quarter's share of the term's revenue each, due after 30 days, paid late in tardy months."""
    owner, starts = _codes(contracts["account"]), np.asarray(contracts["starts"])
    stop = np.fmin(np.fmin(np.asarray(contracts["ends"]), gone[owner]), when.end)
    number = np.maximum(0, np.ceil((stop - starts) / QUARTER)).astype(np.int64)
    term = np.repeat(np.arange(len(owner)), number)
    step = np.arange(len(term)) - np.repeat(np.cumsum(number) - number, number)
    issued = starts[term] + QUARTER * step
    term, issued = term[issued >= 0], issued[issued >= 0]
    account = owner[term]
    late = minds.tardy[account, when.month(issued)] & _chance(rng, issued, 0.9)
    wait = np.where(late, 40 + rng.exponential(15, len(term)), np.clip(rng.normal(24, 5, len(term)), 1, 38))
    return {
        "account": account,
        "issued": issued,
        "due": issued + 30,
        "paid": issued + np.where(_chance(rng, issued, 0.01), np.inf, wait),
        "amount": np.round(np.asarray(contracts["arr"])[term] / 4, 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }


def _deals(rng: np.random.Generator, when: Calendar, firms: Firms) -> Columns:
    account = np.nonzero(_chance(rng, firms.created, 0.6))[0]
    opened = np.maximum(firms.starts[account], 0) + rng.uniform(0, when.end, len(account))
    known = _chance(rng, opened, 0.6)
    decided = opened + rng.lognormal(4, 0.6, len(account))
    outcome = rng.random(len(account))
    return {
        "account": np.where(known, account, -1),
        "stage": Coded(STAGES, rng.integers(0, len(STAGES), len(account))),
        "opened": opened,
        "won": _when(outcome < 0.35, decided),
        "lost": _when(outcome > 0.5, decided),
        "industry": Coded(INDUSTRIES, firms.industry[account]),
        "product": Coded(LINES, rng.integers(0, len(LINES), len(account))),
        "region": Coded(COUNTRIES, rng.integers(0, len(COUNTRIES), len(account))),
        "value": np.round(firms.arr[account] * rng.lognormal(-1, 0.5, len(account)), 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }


def _costs(rng: np.random.Generator, when: Calendar, firms: Firms) -> Columns:
    account = np.repeat(np.arange(len(firms)), when.months)
    spread = rng.lognormal(-4.5, 0.4, len(account))
    return {
        "account": account,
        "occurred_at": np.tile(when.edges[1:] - 0.5, len(firms)),
        "amount": np.round(firms.arr[account] * spread, 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }


# Advocacy ---------------------------------------------------------------------------------------


def _advocacy(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, seen: Seen
) -> Columns:
    """Month by month: who is asked, who says yes, who acts unasked; a done act tires and encourages."""
    ease = np.array((0.8, 1.0, 1.2, 0.7, 0.6, 1.0, 1.1))
    last, acts = np.full(len(firms), -np.inf), np.zeros(len(firms))
    rows: list[dict[str, Floats | Ints]] = []
    for month in range(1, when.months):
        opens = when.edges[month]
        happy = (seen.nps[:, month - 1] >= 9) | (minds.mood[:, month - 1] > 1.0)
        keen = happy & (opens - firms.created > 180)
        ready = keen * np.where(seen.depth[:, month - 1] > 1.1, 1.3, 0.7) * (1 + 0.3 * np.minimum(acts, 3))
        ready = ready * np.where(seen.fresh_escalations[:, month - 1] > 0, 0.15, 1) * np.where(opens - last > 60, 1, 0.15)
        asks = _chance(rng, acts, np.where(happy, 0.10, 0.04))
        kind = np.where(asks, rng.integers(0, 7, len(firms)), rng.choice((2, 5, 6), len(firms)))
        time = when.moments(rng, np.full(len(firms), month), rng.random(len(firms)))
        yes = asks & _chance(rng, acts, np.minimum(0.95, 0.75 * ready * ease[kind]))
        no = asks & ~yes & _chance(rng, acts, 0.6)
        answer = time + rng.exponential(4, len(firms))
        unasked = ~asks & _chance(rng, acts, 0.06 * ready)
        done = np.where(unasked, time, _when(yes & _chance(rng, acts, 0.9), answer + rng.uniform(5, 40, len(firms))))
        acted = np.isfinite(done)
        last, acts = np.where(acted, done, last), acts + acted
        here = np.nonzero(asks | unasked)[0]
        columns = {
            "account": np.arange(len(firms)),
            "contact": people.pick(rng, np.arange(len(firms)), np.full(len(firms), month), time),
            "kind": kind,
            "asked": _when(asks, time),
            "accepted": _when(yes, answer),
            "declined": _when(no, answer),
            "done": done,
        }
        rows.append({name: column[here] for name, column in columns.items()})
    return _act_columns(rng, firms, {name: np.concatenate([r[name] for r in rows]) for name in rows[0]})


def _acts_of_chance(rng: np.random.Generator, when: Calendar, firms: Firms, people: People) -> Columns:
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
            "kind": rng.choice((2, 5, 6), len(account)),
            "asked": never,
            "accepted": never,
            "declined": never,
            "done": done,
        },
    )


def _act_columns(rng: np.random.Generator, firms: Firms, rows: dict[str, Floats | Ints]) -> Columns:
    account = rows["account"].astype(np.int64)
    touched = firms.arr[account] * rng.lognormal(-0.7, 0.5, len(account))
    touches = (rows["kind"] == 0) & _chance(rng, account, 0.4)
    return {
        **rows,
        "kind": Coded(ADVOCACY_KINDS, rows["kind"].astype(np.int64)),
        "revenue_touched": np.round(_when(touches, touched), 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }
