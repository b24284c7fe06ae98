"""Every feature by its name: no future moves it, a later day shows that this future would, and it has something to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import frame as frames
from features.definitions import FEATURES
from features.feature import Attribute, Column, Feature
from features.plan import Plan
from features.tables import INSTRUMENTS
from tests import worlds
from tests.leakage import test_future as future
from tests.leakage.test_future import BEGINNING, CONFIG, DAY, ONE_DAY, SEED, TICK, WHOLE, Maker, Row, T, World

LATER = DAY + 40 * ONE_DAY
SILENT = 2  # accounts
EVENT = CONFIG["signals"]["events"][0]
NAMES = [
    d.for_event(EVENT).name if isinstance(d, Feature) and d.per_event else d.name.replace("{n}", "1") for d in FEATURES
]
ALIKE: dict[str, str] = {}
"""Features that say the same of every account of this world, and why that is right."""
UNMOVED = {
    "tenure_days": "when an account was created is known from then on",
    "decided_abroad": "countries have no history",
}
"""Features that none of these futures moves on the later day either, and why that is right."""
ROLES_OF = (
    ("decision maker", "user", "champion"),
    ("executive sponsor", "power user", "user"),
    ("influencer", "decision maker", "user"),
)


class Lively(Maker):
    """A world in which every feature has something to say: peers enough for ranks, families, every kind of everything."""

    accounts, rows = 28, 500

    def world(self) -> World:
        """The last accounts only log in, once."""
        world = super().world()
        for number in range(self.accounts - SILENT, self.accounts):
            once = {"account": f"m{number}", "occurred_at": T - 30 * ONE_DAY, "event": EVENT, "recorded_at": None}
            world["usage"].append(self.row("usage", T) | once | {"contact": None})
        return world

    def somebody(self) -> str:
        """The first accounts are busy, later ones are quiet."""
        return f"m{int((self.accounts - SILENT) * self.random.random() ** 2)}"

    def instant(self) -> datetime:
        """Now and then more than a year ago."""
        long_ago = T - self.random.uniform(370, 499) * ONE_DAY
        return long_ago if self.random.random() < 0.05 else super().instant()

    def account(self, name: str, created: datetime) -> Row:
        """Of two segments, a family for every six accounts, created one after another."""
        number, pick = number_of(name), self.random.choice
        countries = {column: pick(["DE", "PL"]) for column in ("buying_country", "using_country", "billing_country")}
        told = {"industry": pick(["food", "steel"]), "line_of_business": pick(["pumps", "valves"])}
        family = {"parent": f"m{number % self.accounts // 6 * 6}", "segment": ["small", "large"][number % 2]}
        begun = {"created": created - (number * ONE_DAY if created < T else 0 * ONE_DAY)}
        return super().account(name, created) | countries | told | family | begun

    def contact(self, account: str, number: int) -> Row:
        """Between them the accounts have every role twice over."""
        role = ROLES_OF[number_of(account) // 2 % len(ROLES_OF)][number]
        return super().contact(account, number) | {"role": role}

    def contract(self, account: str) -> Row:
        starts = BEGINNING + 18 * number_of(account) * ONE_DAY
        return super().contract(account) | {"starts": starts, "signed": starts}

    def _contracts(self, first: datetime) -> Row:
        pick = self.random.choice
        told = {
            "line_of_business": pick(["pumps", "valves", "pipes", None]),
            "discount": pick([None, 0.0, 0.125, 0.25]),
        }
        return super()._contracts(first) | told

    def _usage(self, first: datetime) -> Row:
        """What they did long ago they need not do now."""
        return super()._usage(first) | ({"event": "import"} if first < T - 366 * ONE_DAY else {})

    def _feedback(self, first: datetime) -> Row:
        instrument = self.random.choice(INSTRUMENTS)
        highest = {"NPS": 10, "CES": 7}.get(instrument, 5)
        score = self.random.choice([0, highest, self.random.randrange(highest + 1)])
        return super()._feedback(first) | {"instrument": instrument, "score": float(score)}

    def _tickets(self, first: datetime) -> Row:
        return super()._tickets(first) | {"contacts_needed": self.random.choice([1, 1, 2, 5])}

    def _outreach(self, first: datetime) -> Row:
        kinds, outcomes = ("call", "review meeting", "event", "webinar", "offer"), ("fine", "no answer", None)
        told = {"kind": self.random.choice(kinds), "outcome": self.random.choice(outcomes)}
        return super()._outreach(first) | told

    def _deals(self, first: datetime) -> Row:
        told = {name: self.random.choice(["x", "y", None]) for name in ("industry", "product", "region", "stage")}
        return super()._deals(first) | told


def number_of(account: str) -> int:
    return int(account[1:]) if account[1:].isdigit() else 0


def many_more(world: World, maker: Maker) -> World:
    """Rows of all the past, told at T or soon after it, and rows of the days after it."""
    soon = (T, T + TICK, T + 9 * ONE_DAY)
    for name in future.RECORDED:
        past = [maker.row(name, T - maker.random.uniform(0, 499) * ONE_DAY) for _ in range(150)]
        world[name] += [{**row, "recorded_at": maker.random.choice(soon)} for row in past]
        world[name] += [maker.row(name, T + maker.random.uniform(0, 40) * ONE_DAY) for _ in range(150)]
    return world


FUTURES = {
    "more": (future.added, future.arrived_late, many_more),
    "other": (future.changed, future.filled_in_later),
    "less": (future.deleted, future.known_by_then),
}
"""What may come at or after the day: rows more, rows and later columns of another content, nothing."""


@dataclass(frozen=True)
class Built:
    """The plan of a world, and its frames of the day and of the later day."""

    plan: Plan
    then: pd.DataFrame
    later: pd.DataFrame


def built(folder: Path, world: World) -> Built:
    workspace = worlds.write(folder, world, parquet=True, **CONFIG, **WHOLE)
    report = worlds.take_in(workspace)
    assert not {name: table.problems for name, table in report.tables.items() if table.quarantined}
    found = frames.build(workspace, [DAY, LATER])
    then, later = (frames.read(workspace, day, found[day]).set_index("account") for day in (DAY, LATER))
    return Built(frames.current_plan(workspace), then, later)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(tmp_path_factory.mktemp("before"), Lively(SEED).world())


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """The same world after each change that lies at or after the day."""
    found = {}
    for name, changes in FUTURES.items():
        world, maker = Lively(SEED).world(), Lively(SEED + 1)
        maker.numbers = count(50_000)  # keys of their own
        for change in changes:
            world = change(world, maker)
        found[name] = built(tmp_path_factory.mktemp("after"), world)
    return found


def bits(frame: pd.DataFrame, column: Column) -> bytes:
    """Every value, bit for bit, and of whom it is."""
    values = frame[column.name]
    said = repr(values.tolist()).encode() if column.categorical else values.to_numpy(np.float64).tobytes()
    return repr(frame.index.tolist()).encode() + said


def of(made: Plan, name: str) -> list[Column]:
    found = [column for column in made.columns if column.declaration.name == name]
    assert found, made.missing.get(name, "no column")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_future_moves_a_bit(name: str, before: Built, after: dict[str, Built]) -> None:
    moved = [
        f"{column.name}: {change}"
        for column in of(before.plan, name)
        for change, built in after.items()
        if bits(built.then, column) != bits(before.then, column)
    ]
    assert not moved


@pytest.mark.parametrize("name", NAMES)
def test_these_futures_would_move_it(name: str, before: Built, after: dict[str, Built]) -> None:
    """The control: on a later day, which sees them, the feature of the same accounts is another."""
    declared = before.plan.declarations[name]
    for column in of(before.plan, name):
        shared = [built.later.index.intersection(before.later.index) for built in after.values()]
        moved = any(
            bits(built.later.loc[who], column) != bits(before.later.loc[who], column)
            for built, who in zip(after.values(), shared, strict=True)
        )
        assert moved != (isinstance(declared, Attribute) or name in UNMOVED), column.name


@pytest.mark.parametrize("name", NAMES)
def test_it_has_something_to_say(name: str, before: Built) -> None:
    """What is null, or the same, for everybody would move for nobody."""
    distinct = {column.name: before.then[column.name].nunique() for column in of(before.plan, name)}
    assert min(distinct.values()) >= 1, distinct
    assert (min(distinct.values()) == 1) == (name in ALIKE), distinct
