"""Whom to ask and for what, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from features.settings.decisions import Asks
from serving.decisions.asks import EFFORT, Ask, asks
from serving.decisions.whom import Chance, Person, suggestion
from serving.stores.log import Entry

DAY = date(2026, 4, 1)
TERMS = Asks()
ANN = Person("ann", "a", "user", False, frozenset({"review", "reference"}), date(2026, 1, 1), 0.9, 3.0)
BOB = replace(ANN, contact="bob", role="decision maker")
EVEN = dict.fromkeys(EFFORT, 0.5)


class Said(dict[tuple[Person, str], Chance]):
    """The same chance for everybody, by kind."""

    def __init__(self, kinds: dict[str, float]) -> None:
        super().__init__()
        self.kinds = kinds

    def __missing__(self, key: tuple[Person, str]) -> Chance:
        p = self.kinds[key[1]]
        return Chance(p, p - 0.05, p + 0.05)


def test_the_least_effort_is_asked_of_whose_word_counts_most() -> None:
    found = suggestion([ANN, BOB], [], Said(EVEN), TERMS, DAY)
    assert found is not None
    assert (found.person.contact, found.kind, found.accepts.value) == ("bob", "review", 0.5)


def test_what_is_unlikely_to_be_accepted_is_not_asked_where_something_is() -> None:
    found = suggestion([ANN], [], Said({**EVEN, "review": 0.1}), TERMS, DAY)
    assert found is not None
    assert found.kind == "reference"
    hard = suggestion([ANN], [], Said({**dict.fromkeys(EFFORT, 0.05), "reference": 0.1}), TERMS, DAY)
    assert hard is not None
    assert hard.kind == "reference", "where nothing is likely, what is likeliest"


@pytest.mark.parametrize(
    ("mood", "expected"), [(0.9, "bob"), (0.0, "ann"), (None, "bob")], ids=["glad", "unhappy", "unknown"]
)
def test_an_unhappy_decider_is_asked_after_a_glad_user(mood: float | None, expected: str) -> None:
    found = suggestion([ANN, replace(BOB, mood=mood)], [], Said(EVEN), TERMS, DAY)
    assert found is not None
    assert found.person.contact == expected


def test_without_consent_or_rest_nobody_is_asked() -> None:
    none = replace(ANN, consent=frozenset())
    assert suggestion([none], [], Said(EVEN), TERMS, DAY) is None
    waived = suggestion([none], [], Said(EVEN), TERMS.model_copy(update={"consent": "not needed"}), DAY)
    assert waived is not None
    for days, free in ((179, False), (180, True)):
        lately = [Ask("k", "a", "ann", "review", DAY - timedelta(days=days))]
        assert (suggestion([ANN], lately, Said(EVEN), TERMS, DAY) is not None) is free
    for days, holds in ((90, False), (91, True)):
        expiring = TERMS.model_copy(update={"consent_days": days})
        assert (suggestion([ANN], [], Said(EVEN), expiring, DAY) is not None) is holds, "given 90 days ago"


def test_of_the_kinds_that_are_likely_by_this_person_the_least_effort_is_asked() -> None:
    """Bob's word counts more, but of him nothing easy is likely; Ann says yes to a review."""
    chances = {(ANN, "review"): 0.6, (ANN, "reference"): 0.9, (BOB, "review"): 0.2, (BOB, "reference"): 0.5}
    found = suggestion([ANN, BOB], [], {pair: Chance(p, 0, 1) for pair, p in chances.items()}, TERMS, DAY)
    assert found is not None
    assert (found.person.contact, found.kind, found.accepts.value) == ("ann", "review", 0.6)


def test_an_ask_as_known_by_a_day_has_no_later_answer() -> None:
    ask = Ask("k", "a", "ann", "review", DAY, accepted=DAY + timedelta(days=2), done=DAY + timedelta(days=9))
    assert ask.as_known(DAY + timedelta(days=1)).state == "asked"
    assert ask.as_known(DAY + timedelta(days=2)) == replace(ask, done=None)
    assert ask.as_known(DAY + timedelta(days=9)) == ask


def test_asks_are_what_their_entries_say_in_the_days_of_the_workspace() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    entries = [
        Entry("ask", "k-1", "asked", "a", late, "ann", "c1", "review"),
        Entry("ask", "k-1", "accepted", "a", late + timedelta(days=1), "ann"),
    ]
    (ask,) = asks(entries, ZoneInfo("Europe/Berlin"))
    assert ask == Ask("k-1", "a", "c1", "review", date(2026, 4, 1), accepted=date(2026, 4, 2))
    assert ask.state == "accepted"
