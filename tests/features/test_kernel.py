"""The compiled kernel against the oracle, to the bit, over random worlds that sit on every boundary."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import computing, frame, kernel, sequences, windows
from features.aggregations import VOCABULARY, Aggregation
from features.cohort import everybody
from features.facts import NO_VALUE, Facts
from features.feature import Column, Feature
from features.kernel import Rows
from features.windows import Span
from tests import oracle
from tests.oracle import UNIT, Event, Sees

ZONE = "Europe/Berlin"
ACCOUNTS = 4
WINDOWS, BACKS = (1, 7, 30), (0, 5)
LABELS, ROLES = ("login", "export", "share"), ("user", "champion")
GRIDS = (
    (date(2026, 3, 31),),
    (date(2026, 2, 28), date(2026, 3, 28), date(2026, 3, 29)),
    (date(2025, 10, 25), date(2025, 10, 26), date(2025, 10, 27), date(2025, 11, 30)),
)
"""As_of dates around the nights on which the clocks change."""

WORLDS = int(os.environ.get("PROPENSITY_WORLDS", "300"))
"""How many random worlds the kernel is compared in; `make verify` asks for many more, each a part of the questions."""
EXACT = settings(
    derandomize=WORLDS <= 300,
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PARTS = 1 if WORLDS <= 300 else 5
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

    def kept(self, question: Asked) -> list[Event]:
        """The events with the label and of contacts in the role asked for."""
        return [
            event
            for event in self.events
            if (not question.label or (event.label >= 0 and LABELS[event.label] == question.label))
            and (not question.role or (self.role(event) >= 0 and ROLES[self.role(event)] == question.role))
        ]

    def role(self, event: Event) -> int:
        return self.roles[event.contact] if event.contact >= 0 else -1

    def rows(self) -> Rows:
        rows, asked = everybody(ACCOUNTS, list(self.days)), np.array(self.asked)
        return Rows(rows.account[asked], rows.at[asked])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    days = draw(st.sampled_from(GRIDS))
    as_of = windows.as_of_instants(days, ZONE)
    bounds = windows.bounds(days, [Span(window, back) for window in WINDOWS for back in BACKS], ZONE)
    edges = {int(edge) + step for edge in (*as_of, *bounds.begin.flat, *bounds.end.flat) for step in (-1, 0, 1)}
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


@dataclass(frozen=True)
class Asked:
    """An aggregation over a window (0: everything), moved back by so many days."""

    agg: Aggregation
    window: int
    back: int
    label: str = ""
    role: str = ""

    def column(self) -> Column:
        name = f"{self.agg}_{self.window}_{self.back}"
        made = Feature(name, "usage", self.agg, "context", "", "", label=self.label, role=self.role, back=self.back)
        return Column(name, made, self.window)


def asked(label: str = "", role: str = "") -> list[Asked]:
    found = []
    for agg in VOCABULARY:
        spans = {"may": (0, *WINDOWS), "must": WINDOWS, "never": (0,)}[agg.window]
        backs = BACKS if agg.window != "never" else (0,)
        found += [Asked(agg, window, back, label, role) for window in spans for back in backs]
    return found


def computed(world: World, questions: list[Asked]) -> dict[Asked, Numbers]:
    """From the kernel, all in one pass, as a frame does it."""
    columns = [question.column() for question in questions]
    values = computing.aggregated(world.facts(), columns, world.rows(), list(world.days), ZONE)
    return {q: values[column.name] for q, column in zip(questions, columns, strict=True)}


SEES: dict[str, Sees] = {
    "forgets when it was known": lambda event, span: event.occurred < span.end,
    "forgets when it happened": lambda event, span: event.known < span.as_of,
    "sees what happens at the end": lambda event, span: event.occurred <= span.end and event.known < span.as_of,
    "sees what becomes known at as_of": lambda event, span: event.occurred < span.end and event.known <= span.as_of,
}
BEGUN: dict[str, Sees] = {
    "loses the start of the window": lambda event, span: event.occurred > span.begin,
    "begins too early": lambda event, span: event.occurred >= span.begin - 1,
    "has no start": lambda event, span: True,
}


@dataclass
class Expected:
    """The oracle's answers in one world; what a row sees is found once and used by every aggregation."""

    world: World
    seen: dict[tuple[object, ...], list[tuple[oracle.Span, list[Event]]]] = field(default_factory=dict)

    def __call__(self, question: Asked, sees: str = "", begun: str = "") -> Numbers:
        key = (question.window, question.back, question.label, question.role, sees)
        if key not in self.seen:
            self.seen[key] = self._rows(question, SEES.get(sees, oracle.sees))
        name, begins = question.agg.name, BEGUN.get(begun, oracle.begun)
        numbers = [oracle.answer(name, visible, span, begins) for span, visible in self.seen[key]]
        return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)

    def _rows(self, question: Asked, sees: Sees) -> list[tuple[oracle.Span, list[Event]]]:
        rows, kept = self.world.rows(), self.world.kept(question)
        bounds = windows.bounds(self.world.days, [Span(question.window, question.back)], ZONE)
        edges = (bounds.begin, bounds.end, bounds.begin_day, bounds.end_day)
        spans = [oracle.Span(*(int(edge[at, 0]) for edge in edges), int(bounds.as_of[at])) for at in rows.at]
        return [
            (span, oracle.visible(kept, account, span, sees))
            for account, span in zip(rows.account.tolist(), spans, strict=True)
        ]


@settings(EXACT, max_examples=WORLDS)
@given(worlds(), st.integers(0, PARTS - 1))
def test_kernel_agrees_with_the_oracle_to_the_bit(world: World, part: int) -> None:
    expected = Expected(world)
    for question, found in computed(world, asked()[part::PARTS]).items():
        wanted = expected(question)
        assert found.tobytes() == wanted.tobytes(), (question, found, wanted)


@settings(EXACT, max_examples=60)
@given(worlds(), st.sampled_from(["", *LABELS, "unheard of"]), st.sampled_from(["", *ROLES, "unheard of"]))
def test_facts_narrowed_to_a_label_and_a_role_beside_all_of_them(world: World, label: str, role: str) -> None:
    """In one pass: the narrowed stream does not disturb the whole one."""
    questions = list(dict.fromkeys([*asked(label, role)[::3], *asked()[::5]]))
    renamed = [replace(q.column(), name=f"{number}") for number, q in enumerate(questions)]
    values = computing.aggregated(world.facts(), renamed, world.rows(), list(world.days), ZONE)
    expected = Expected(world)
    for number, question in enumerate(questions):
        assert values[f"{number}"].tobytes() == expected(question).tobytes(), question


def showing(agg: Aggregation) -> set[str]:
    """What random worlds must show of an aggregation: something, nothing, and each mistake that can be made with it."""
    mistakes = set(SEES)
    if agg.window != "never" and agg.name not in oracle.BEFORE:
        mistakes |= set(BEGUN)
    if agg.name in {"average", "lasted"}:  # what begins at the end has lasted for no time
        mistakes -= {"sees what happens at the end"}
    return mistakes | {"something", "nothing"}


def test_the_random_worlds_would_expose_every_mistake() -> None:
    """For each aggregation there are worlds with something to see, with nothing, and in which each mistake shows."""
    hidden = {agg: showing(agg) for agg in VOCABULARY}

    @settings(EXACT, max_examples=600)
    @given(worlds())
    def collect(world: World) -> None:
        expected, empty = Expected(world), Expected(replace(world, events=()))
        for question in (question for question in asked() if hidden[question.agg] and not question.back):
            right, nothing = expected(question), empty(question)
            if ((right == nothing) | np.isnan(right)).any():
                hidden[question.agg].discard("nothing")
            if (~np.isnan(right) & (right != nothing)).any():
                hidden[question.agg].discard("something")
            for mistake in hidden[question.agg] - {"nothing", "something"}:
                if expected(question, mistake, mistake).tobytes() != right.tobytes():
                    hidden[question.agg].discard(mistake)

    collect()
    assert not {agg.name: left for agg, left in hidden.items() if left}


def test_the_oracle_knows_every_aggregation() -> None:
    assert {agg.name for agg in VOCABULARY} == oracle.INSIDE.keys() | oracle.BEFORE.keys()


def test_numbers_stay_what_they_are() -> None:
    """Stored frames are regarded as right until ``frame.FORMAT`` changes: raise it where these numbers change."""
    found = computed(_made(), asked())
    words = "\n".join(f"{question} {[f'{number:.9g}' for number in numbers]}" for question, numbers in found.items())
    assert (frame.FORMAT, hashlib.sha256(words.encode()).hexdigest()[:16]) == ("1", "179adba59a3a6b6c")


@pytest.mark.parametrize("back", [False, True])
def test_clocks_put_back_over_midnight(back: bool) -> None:
    """In Newfoundland the 7th of November 2010 began twice: days are not in the order of instants."""
    zone, day = "America/St_Johns", date(2010, 11, 8)
    instants = [datetime(2010, 11, 7, 2, minute, tzinfo=UTC) for minute in (10, 40)]
    if back:
        instants = [*instants, datetime(2010, 11, 7, 3, 40, tzinfo=UTC)]
    days = [windows.day_number(instant.astimezone(ZoneInfo(zone)).date()) for instant in instants]
    micro = [int((instant - windows.EPOCH) / timedelta(microseconds=1)) for instant in instants]
    events = tuple(Event(0, at, at, UNIT, 0, 0, on) for at, on in zip(micro, days, strict=True))
    world = World(events, (day,), (True,) * ACCOUNTS, (-1,) * 4)
    columns = [question.column() for question in asked() if question.agg.name in ("active_days", "unusual", "streak")]
    values = computing.aggregated(world.facts(), columns, world.rows(), [day], zone)
    assert values["active_days_30_0"][0] == len(set(days))


def test_no_rows_and_no_facts() -> None:
    empty = World((), (date(2026, 3, 31),), (True,) * ACCOUNTS, (-1,) * 4)
    nobody = replace(empty, asked=(False,) * ACCOUNTS)
    assert all(len(numbers) == 0 for numbers in computed(nobody, asked()).values())
    for question, numbers in computed(empty, asked()).items():
        if question.agg.missing == "0":
            assert (numbers == 0).all(), question
        elif question.agg.name != "average" or not question.window:
            assert np.isnan(numbers).all(), question


def _made() -> World:
    """Two hundred facts of all accounts, labels and contacts."""
    start = windows.as_of_instant(date(2026, 1, 1), ZONE)
    events = tuple(
        Event(
            n % ACCOUNTS,
            start + n**3 % 10**13,
            start + n**3 % 10**13,
            n * UNIT,
            n % 4,
            n % 3,
            windows.day_number(windows.local_day(start + n**3 % 10**13, ZONE)),
        )
        for n in range(200)
    )
    return World(events, GRIDS[1], (True,) * (ACCOUNTS * len(GRIDS[1])), (0, 1, -1, 0))


def test_pieces_of_work_change_nothing() -> None:
    """However the rows are cut, each is the same."""
    world = _made()
    whole, rows = computed(world, asked()), world.rows()
    for account in range(ACCOUNTS):
        mine = rows.account == account
        part = computed(replace(world, asked=tuple(mine.tolist())), asked())
        assert all(part[question].tobytes() == whole[question][mine].tobytes() for question in whole)


def test_facts_out_of_a_file_ask_for_no_code_of_their_own() -> None:
    """They cannot be written to, others can: compiled for both, the very first run would wait twice as long."""
    world, columns = _made(), [question.column() for question in asked()]
    facts = world.facts()
    filed = replace(facts, **{each.name: _filed(getattr(facts, each.name)) for each in fields(facts)})
    for found in (facts, filed):
        computing.aggregated(found, columns, world.rows(), list(world.days), ZONE)
    assert len(kernel._measure.signatures) == len(sequences._shape.signatures) == 1


def _filed(given: Any) -> Any:
    if not isinstance(given, np.ndarray):
        return given
    found = given.copy()
    found.flags.writeable = False
    return found


FACT = re.compile(r"(?P<day>[+-]?\d+)(/(?P<known>[+-]?\d+))?( (?P<value>\S+))?( (?P<contact>\S+))?( (?P<label>\S+))?")
SPEC_DAY = date(2026, 1, 20)


@pytest.mark.parametrize(("agg", "spec"), [(agg, spec) for agg in VOCABULARY for spec in agg.specs], ids=str)
def test_specifications(agg: Aggregation, spec: str) -> None:
    facts, _, right = spec.partition("=>")
    window, _, answer = right.rpartition("days:")
    world = World(
        tuple(_specified(agg, fact.strip()) for fact in facts.split(";")), (SPEC_DAY,), (True,) * ACCOUNTS, (-1,) * 9
    )
    question = Asked(agg, int(window or 0), 0)
    wanted = np.nan if answer.strip() == "null" else float(answer)
    for found in (computed(world, [question])[question], Expected(world)(question)):
        np.testing.assert_allclose(found[0], wanted, rtol=1e-6)


def _specified(agg: Aggregation, text: str) -> Event:
    """A fact as the specifications write it, of the first account."""
    found = FACT.fullmatch(text)
    assert found, text
    end, today = windows.as_of_instant(SPEC_DAY, ZONE), windows.day_number(SPEC_DAY) + 1
    day, known = int(found["day"]), int(found["known"] or found["day"])
    value = None if found["value"] in (None, "-") else int(float(found["value"]) * UNIT)
    if agg.name == "ahead" and value is not None:
        value += end // 86_400
    contact = -1 if found["contact"] in (None, "-") else sum(map(ord, found["contact"])) % 9
    label = -1 if found["label"] is None else LABELS.index(found["label"])
    return Event(0, end + day * oracle.DAY, end + known * oracle.DAY, value, contact, label, today + day)
