"""Whom to ask and for what, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from features.settings.decisions import Asks
from serving.decisions.asks import EFFORT, Ask, asks
from serving.decisions.whom import Person, acceptance, suggestion
from serving.log import Entry

DAY = date(2026, 4, 1)
TERMS = Asks()
ANN = Person("ann", "a", "user", False, frozenset({"review", "reference"}), date(2026, 1, 1), 0.9, 3.0)
BOB = replace(ANN, contact="bob", role="decision maker")
EVEN = dict.fromkeys(EFFORT, 0.5)


def test_the_least_effort_is_asked_of_whose_word_counts_most() -> None:
    found = suggestion([ANN, BOB], [], EVEN, TERMS, DAY)
    assert found is not None
    assert (found.person.contact, found.kind, found.accepts) == ("bob", "review", 0.5)


def test_what_is_unlikely_to_be_accepted_is_not_asked_where_something_is() -> None:
    found = suggestion([ANN], [], {**EVEN, "review": 0.1}, TERMS, DAY)
    assert found is not None
    assert found.kind == "reference"
    hard = suggestion([ANN], [], {**dict.fromkeys(EFFORT, 0.05), "reference": 0.1}, TERMS, DAY)
    assert hard is not None
    assert hard.kind == "reference", "where nothing is likely, what is likeliest"


@pytest.mark.parametrize(
    ("mood", "expected"), [(0.9, "bob"), (0.0, "ann"), (None, "bob")], ids=["glad", "unhappy", "unknown"]
)
def test_an_unhappy_decider_is_asked_after_a_glad_user(mood: float | None, expected: str) -> None:
    found = suggestion([ANN, replace(BOB, mood=mood)], [], EVEN, TERMS, DAY)
    assert found is not None
    assert found.person.contact == expected


def test_without_consent_or_rest_nobody_is_asked() -> None:
    none = replace(ANN, consent=frozenset())
    assert suggestion([none], [], EVEN, TERMS, DAY) is None
    waived = suggestion([none], [], EVEN, TERMS.model_copy(update={"consent": "not needed"}), DAY)
    assert waived is not None
    for days, free in ((179, False), (180, True)):
        lately = [Ask("k", "a", "ann", "review", DAY - timedelta(days=days))]
        assert (suggestion([ANN], lately, EVEN, TERMS, DAY) is not None) is free
    for days, holds in ((90, False), (91, True)):
        expiring = TERMS.model_copy(update={"consent_days": days})
        assert (suggestion([ANN], [], EVEN, expiring, DAY) is not None) is holds, "given 90 days ago"


def test_acceptance_is_of_what_was_answered_or_never_will_be() -> None:
    """Three of four settled; the pull is ten asks at (3 + 1) / (4 + 2)."""
    yes = Ask("1", "a", "ann", "review", date(2026, 3, 1), accepted=date(2026, 3, 2))
    settled = [yes, replace(yes, ask="2"), replace(yes, ask="3", accepted=None, done=date(2026, 3, 2))]
    silent = Ask("4", "a", "ann", "review", DAY - timedelta(days=90))
    waiting = Ask("5", "a", "ann", "review", DAY - timedelta(days=89))
    found = acceptance([*settled, silent, waiting], DAY, TERMS)
    overall = 4 / 6
    assert found["review"] == pytest.approx((3 + 10 * overall) / 14)
    assert found["speaking"] == pytest.approx(overall)
    assert set(found) == set(EFFORT)


def test_asks_are_what_their_entries_say_in_the_days_of_the_workspace() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    entries = [
        Entry("ask", "k-1", "asked", "a", late, "ann", "c1", "review"),
        Entry("ask", "k-1", "accepted", "a", late + timedelta(days=1), "ann"),
    ]
    (ask,) = asks(entries, ZoneInfo("Europe/Berlin"))
    assert ask == Ask("k-1", "a", "c1", "review", date(2026, 4, 1), accepted=date(2026, 4, 2))
    assert ask.state == "accepted"
