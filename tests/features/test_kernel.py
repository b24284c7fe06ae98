"""The compiled kernel against the oracle, to the bit, over random worlds that sit on every boundary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import kernel, windows
from features.aggregations import VOCABULARY, Aggregation, days_ahead
from features.cohort import everybody
from features.facts import NO_VALUE, Facts
from features.kernel import Rows
from tests import oracle
from tests.oracle import UNIT, Event, Sees

ZONE = "Europe/Berlin"
ACCOUNTS, SPANS = 4, (1, 7, 30)
LABELS, ROLES = ("login", "export", "share"), ("user", "champion")
GRIDS = (
    (date(2026, 3, 31),),
    (date(2026, 2, 28), date(2026, 3, 28), date(2026, 3, 29)),
    (date(2025, 10, 25), date(2025, 10, 26), date(2025, 10, 27), date(2025, 11, 30)),
)
"""As_of dates around the nights on which the clocks change."""

EXACT = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Facts of one kind, the as_of dates, and the (account, as_of) rows asked for."""

    events: tuple[Event, ...]
    days: tuple[date, ...]
    asked: tuple[bool, ...]
    roles: tuple[int, ...]

    def facts(self) -> Facts:
        events = sorted(self.events, key=lambda event: event.order)
        accounts = np.array([event.account for event in events], dtype=np.int64)
        contact = np.array([event.contact for event in events], dtype=np.int32)
        return Facts(
            np.searchsorted(accounts, np.arange(ACCOUNTS + 1)).astype(np.int64),
            np.array([event.occurred for event in events], dtype=np.int64),
            np.array([event.known for event in events], dtype=np.int64),
            np.array([NO_VALUE if event.value is None else event.value for event in events], dtype=np.int64),
            np.array([event.day for event in events], dtype=np.int32),
            contact,
            np.array([event.label for event in events], dtype=np.int32),
            np.array([self.role(event) for event in events], dtype=np.int32),
            LABELS,
            ROLES,
        )

    def role(self, event: Event) -> int:
        return self.roles[event.contact] if event.contact >= 0 else -1

    def rows(self) -> Rows:
        rows, asked = everybody(ACCOUNTS, list(self.days), SPANS, ZONE), np.array(self.asked)
        return Rows(rows.account[asked], rows.at[asked], rows.as_of, rows.starts)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    days = draw(st.sampled_from(GRIDS))
    as_of = windows.as_of_instants(days, ZONE)
    edges = {
        int(edge) + step for edge in (*as_of, *windows.lookback_starts(days, SPANS, ZONE).flat) for step in (-1, 0, 1)
    }
    anywhere = st.integers(min(edges) - 10**12, max(edges) + 10**12)
    instant = st.sampled_from(as_of.tolist()) | st.sampled_from(sorted(edges)) | anywhere
    number = st.integers(-3, 3).map(lambda n: n * UNIT) | st.integers(-(2**56), 2**56) | dates_near(as_of)
    event = st.builds(
        Event,
        account=st.sampled_from([0, 1, 1, ACCOUNTS - 1]),  # account 2 has no facts
        occurred=instant,
        known=st.just(0),
        value=st.none() | number,
        contact=st.integers(-1, 3),
        label=st.integers(-1, len(LABELS) - 1),
    )
    arrival = st.none() | instant | st.sampled_from([int(t) + step for t in as_of for step in (-1, 0, 1)])
    drawn = draw(
        st.lists(st.tuples(event, arrival, st.booleans()), min_size=draw(st.sampled_from([0, 12])), max_size=24)
    )
    events: list[Event] = []
    for found, arrived, twice in drawn:
        known = found.occurred if arrived is None else arrived
        day = windows.local_day(found.occurred, ZONE).toordinal() - date(1970, 1, 1).toordinal()
        events += [replace(found, known=known, day=day)] * (1 + twice)
    asked = draw(st.lists(st.booleans() | st.just(True), min_size=ACCOUNTS * len(days), max_size=ACCOUNTS * len(days)))
    roles = draw(st.lists(st.integers(-1, 1), min_size=4, max_size=4))
    return World(tuple(events), days, tuple(asked), tuple(roles))


def dates_near(as_of: npt.NDArray[np.int64]) -> st.SearchStrategy[int]:
    """Values that are dates, in millionths of a day, as those of contract.term."""
    return st.sampled_from([int(t) // 86_400 + step for t in as_of for step in (-UNIT, -1, 0, 1, 40 * UNIT)])


def computed(facts: Facts, rows: Rows) -> dict[tuple[str, int], Numbers]:
    """Every aggregation of the vocabulary, with each window, from the kernel."""
    windowed, state = kernel.windowed(facts, rows), kernel.state(facts, rows)
    found: dict[tuple[str, int], Numbers] = {}
    for agg in VOCABULARY:
        if agg.over_window is not None:
            found |= {(agg.name, w): agg.over_window(windowed, w) for w in range(len(SPANS))}
        elif agg.over_state is not None:
            found[agg.name, 0] = agg.over_state(state, rows.as_of[rows.at])
        else:
            found[agg.name, 0] = days_ahead(facts, rows)
    return found


def expected(agg: Aggregation, w: int, events: list[Event], rows: Rows, sees: Sees = oracle.sees) -> Numbers:
    """The same from the oracle."""
    numbers = []
    for account, at in zip(rows.account.tolist(), rows.at.tolist(), strict=True):
        as_of, start = int(rows.as_of[at]), int(rows.starts[at, w])
        if agg.over_window is not None:
            numbers.append(oracle.over_window(agg.name, events, account, start, as_of, sees))
        else:
            numbers.append(oracle.over_state(agg.name, events, account, as_of, sees))
    return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)


def asked() -> Iterator[tuple[Aggregation, int]]:
    for agg in VOCABULARY:
        yield from ((agg, w) for w in range(len(SPANS) if agg.over_window else 1))


@EXACT
@given(worlds())
def test_kernel_agrees_with_the_oracle_to_the_bit(world: World) -> None:
    rows = world.rows()
    found = computed(world.facts(), rows)
    for agg, w in asked():
        wanted = expected(agg, w, list(world.events), rows)
        assert found[agg.name, w].tobytes() == wanted.tobytes(), (agg, SPANS[w], found[agg.name, w], wanted)


@EXACT
@given(worlds(), st.sampled_from(["", *LABELS, "unheard of"]), st.sampled_from(["", *ROLES, "unheard of"]))
def test_facts_narrowed_to_a_label_and_a_role(world: World, label: str, role: str) -> None:
    rows = world.rows()
    found = computed(world.facts().only(label, role), rows)
    kept = [
        event
        for event in world.events
        if (not label or (event.label >= 0 and LABELS[event.label] == label))
        and (not role or (world.role(event) >= 0 and ROLES[world.role(event)] == role))
    ]
    for agg, w in asked():
        assert found[agg.name, w].tobytes() == expected(agg, w, kept, rows).tobytes(), (agg, SPANS[w])


MISTAKES: dict[str, Sees] = {
    "forgets when it was known": lambda event, start, as_of: start <= event.occurred < as_of,
    "forgets when it happened": lambda event, start, as_of: start <= event.occurred and event.known < as_of,
    "sees what happens at as_of": lambda event, start, as_of: start <= event.occurred <= as_of and event.known < as_of,
    "sees what becomes known at as_of": lambda event, start, as_of: (
        start <= event.occurred < as_of and event.known <= as_of
    ),
    "loses the start of the window": lambda event, start, as_of: start < event.occurred < as_of and event.known < as_of,
    "begins too early": lambda event, start, as_of: start - 1 <= event.occurred < as_of and event.known < as_of,
    "has no start": lambda event, start, as_of: event.occurred < as_of and event.known < as_of,
}
WINDOWED_ONLY = {"loses the start of the window", "begins too early", "has no start"}


def test_the_random_worlds_would_expose_every_mistake() -> None:
    """For each aggregation there are worlds with something to see, with nothing, and in which each mistake shows."""
    exposed: set[tuple[str, str]] = set()

    @EXACT
    @given(worlds())
    def collect(world: World) -> None:
        rows, events = world.rows(), list(world.events)
        for agg, w in asked():
            right = expected(agg, w, events, rows)
            nothing = expected(agg, w, [], rows)
            exposed.update((agg.name, "nothing") for _ in right[(right == nothing) | np.isnan(right)][:1])
            exposed.update((agg.name, "something") for _ in right[~np.isnan(right) & (right != nothing)][:1])
            for mistake, sees in MISTAKES.items():
                if expected(agg, w, events, rows, sees).tobytes() != right.tobytes():
                    exposed.add((agg.name, mistake))

    collect()
    for agg in VOCABULARY:
        mistakes = set(MISTAKES) - (set() if agg.over_window else WINDOWED_ONLY)
        assert {seen for name, seen in exposed if name == agg.name} == {"nothing", "something"} | mistakes, agg


def test_the_oracle_knows_every_aggregation() -> None:
    assert {agg.name for agg in VOCABULARY} == oracle.OVER_WINDOW.keys() | oracle.OVER_STATE.keys()
    assert all((agg.over_window is None) == (agg.name in oracle.OVER_STATE) for agg in VOCABULARY)


def test_no_rows_and_no_facts() -> None:
    empty = World((), (date(2026, 3, 31),), (True,) * ACCOUNTS, (-1,) * 4)
    nobody = replace(empty, asked=(False,) * ACCOUNTS)
    assert all(len(numbers) == 0 for numbers in computed(nobody.facts(), nobody.rows()).values())
    for (name, _), numbers in computed(empty.facts(), empty.rows()).items():
        agg = next(agg for agg in VOCABULARY if agg.name == name)
        assert (numbers == 0).all() if agg.missing == "0" else np.isnan(numbers).all(), name


def test_pieces_of_work_change_nothing() -> None:
    """However many threads share the rows, each row is the same."""
    start = windows.as_of_instant(date(2026, 1, 1), ZONE)
    events = tuple(
        Event(
            n % ACCOUNTS, start + n**3 % 10**13, start + n**3 % 10**13, n * UNIT, n % 4, n % 3, n**3 % 10**13 // 10**11
        )
        for n in range(200)
    )
    world = World(events, GRIDS[1], (True,) * (ACCOUNTS * len(GRIDS[1])), (0, 1, -1, 0))
    facts, rows = world.facts(), world.rows()
    whole = computed(facts, rows)
    for account in range(ACCOUNTS):
        mine = rows.account == account
        part = computed(facts, Rows(rows.account[mine], rows.at[mine], rows.as_of, rows.starts))
        assert all(part[key].tobytes() == whole[key][mine].tobytes() for key in whole)
