"""Who lives in the simulated world: its months, its accounts and their people, their states of mind.

Time is days since the first instant of the world; NaN means never. A state is an
array of accounts x months; the state of a month covers all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from features.tables import ROLES
from features.windows import MICROSECONDS_PER_DAY, as_of_instants, grid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SEGMENTS = ("enterprise", "mid-market", "small")
INDUSTRIES = ("software", "manufacturing", "finance", "health care", "retail", "public sector")
CURRENCIES = ("EUR", "USD", "GBP")
LINES = ("platform", "analytics", "services")
OWNERS = tuple(f"owner-{n}" for n in range(1, 9))


@dataclass(frozen=True)
class Coded:
    """Text as indices into a pool; -1 is null."""

    pool: Sequence[str]
    codes: Ints


Value = Floats | Ints | Flags | Coded
Columns = dict[str, Value]


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
    """The contacts of a chunk: one entry each, and ``slot`` (accounts x places, -1 empty) to find them by account.

    ``present`` is accounts x months x places; ``reach`` the cumulative chance that a place is the one who acts.
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
    """Latent states, accounts x months: health and mood in standard deviations, ``depth`` a factor on use without
    season, ``active`` the days of the month with any use, ``tardy`` whether invoices are left to wait."""

    health: Floats
    mood: Floats
    depth: Floats
    active: Floats
    tardy: Flags


def firms(rng: np.random.Generator, when: Calendar, first: int, count: int) -> Firms:
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


def people(rng: np.random.Generator, when: Calendar, firms: Firms) -> People:
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


def minds(rng: np.random.Generator, firms: Firms, when: Calendar) -> Minds:
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


def happens(rng: np.random.Generator, like: Floats | Ints, p: Floats | float) -> Flags:
    """One draw for each entry of ``like``: does what has probability ``p`` happen?"""
    return rng.random(len(like)) < p


def only(condition: Flags, time: Floats) -> Floats:
    """The time where the condition holds, else never."""
    return np.where(condition, time, np.nan)


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def codes(value: Value) -> Ints:
    """A column as indices into its pool (or account and contact numbers), -1 where null."""
    return value.codes if isinstance(value, Coded) else np.asarray(value, dtype=np.int64)


def numbers(value: Value) -> Floats:
    """A column as numbers or times, NaN where null."""
    return np.asarray(value.codes if isinstance(value, Coded) else value, dtype=np.float64)
