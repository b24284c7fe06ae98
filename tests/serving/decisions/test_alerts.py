"""Each alert against an example worked by hand, at its boundaries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings.alerts import Alerts
from serving.decisions.alerts import RULES, Cause, Found, found, severity
from serving.decisions.customer import Customer, median, risen
from serving.decisions.happened import Act, Answer, Contact, Followed, Handled

DAY = date(2026, 6, 30)
TERMS = Alerts()
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
FINE = Customer("a", DAY, ZoneInfo("UTC"), 20_000.0, 10_000.0, ends=date(2027, 3, 1), escalations=0.0)


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def said(
    score: float, days: float, contact: str | None = "ann", instrument: str = "NPS", answered: float | None = None
) -> Followed:
    answer = Answer("a", contact, ago(days), instrument, score, 10 if instrument == "NPS" else 5)
    return Followed(answer, None if answered is None else Handled("a", contact, ago(answered), "call"))


def person(contact: str = "ann", role: str = "decision maker", **more: Any) -> Contact:
    return Contact(contact, "a", role, **{"champion_contact": False, "joined": ago(900), "left": None, **more})


def causes(rule: str, customer: Customer, terms: Alerts = TERMS) -> list[Cause]:
    return list(RULES[rule].find(customer, terms))


def test_a_customer_who_is_fine_raises_nothing() -> None:
    happy = replace(
        FINE, risk=0.05, scored=DAY, answers=[said(9, 200), said(9, 3)], contacts=[person(champion_contact=True)],
        acts=[Act("k", "a", None, "review", done=DAY)],
    )  # fmt: skip
    assert found([FINE, happy], TERMS, RULES) == []


# a dissatisfied influencer: influence × ARR × dissatisfaction

UNHAPPY = replace(FINE, answers=[said(3, 10)], contacts=[person()])


def test_a_dissatisfied_influencer_by_hand() -> None:
    """A decision maker weighs 4 of 5; ARR is twice the median; 3 of 10 is 0.7 dissatisfied: 0.8 × 2 × 0.7 = 1.12."""
    (cause,) = causes("dissatisfied influencer", UNHAPPY)
    assert (cause.contact, cause.since, cause.deadline) == ("ann", date(2026, 6, 20), date(2026, 6, 27))
    assert cause.words == (
        "ann, decision maker, answered NPS 3 of 10 on 2026-06-20; ARR is 2.0 times the median; nothing done since"
    )
    assert causes("dissatisfied influencer", UNHAPPY, Alerts(stake=1.1199)) == [cause]
    assert causes("dissatisfied influencer", UNHAPPY, Alerts(stake=1.1201)) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"answers": [said(7, 10)]},
        {"answers": [said(3, 10), said(8, 2)]},
        {"answers": [said(3, 10, contact=None)]},
        {"answers": [said(3, 10, instrument="CSAT")]},
        {"answers": [said(3, 90)]},
        {"contacts": [person(role="power user")]},
        {"contacts": [person(left=ago(1))]},
        {"contacts": [person("bob")]},
        {"arr": None},
        {"arr": 8_000.0},
        {"median_arr": None},
    ],
    ids=["passive", "was glad since", "nobody in particular", "CSAT 3 of 5", "long ago", "no influence", "gone", "other", "no ARR", "small", "no median"],
)  # fmt: skip
def test_who_is_no_dissatisfied_influencer(changed: dict[str, Any]) -> None:
    assert causes("dissatisfied influencer", replace(UNHAPPY, **changed)) == []


def test_a_champion_contact_weighs_most_whatever_the_role() -> None:
    champion = replace(
        UNHAPPY,
        contacts=[person(role="user", champion_contact=True)],
        answers=[said(2, 10, instrument="CSAT", answered=4)],
    )
    (cause,) = causes("dissatisfied influencer", champion)
    assert cause.words.startswith("ann, champion contact, answered CSAT 2 of 5")
    assert cause.words.endswith("call on 2026-06-26 since")


# a champion contact who left

LEFT = replace(FINE, contacts=[person("ann", champion_contact=True, left=ago(20)), person("bob")])


def test_a_champion_contact_who_left_by_hand() -> None:
    (cause,) = causes("champion contact left", LEFT)
    assert cause.words == "champion contact ann left on 2026-06-10; nobody has taken their place"
    assert (cause.contact, cause.since, cause.deadline) == ("ann", date(2026, 6, 10), date(2026, 6, 17))


def test_a_second_champion_contact_is_named_and_one_who_came_since_is_the_successor() -> None:
    second = person("cem", champion_contact=True)
    (cause,) = causes("champion contact left", replace(LEFT, contacts=[*LEFT.contacts, second]))
    assert cause.words.endswith("cem is a champion contact there too")
    assert (
        causes("champion contact left", replace(LEFT, contacts=[*LEFT.contacts, replace(second, joined=ago(5))])) == []
    )
    gone_again = replace(second, joined=ago(5), left=ago(1))
    found_both = causes("champion contact left", replace(LEFT, contacts=[*LEFT.contacts, gone_again]))
    assert {one.contact for one in found_both} == {"ann", "cem"}
    long_gone = [person("ann", champion_contact=True, left=ago(90))]
    assert causes("champion contact left", replace(LEFT, contacts=long_gone)) == []


# an unanswered detractor


@pytest.mark.parametrize(
    ("row", "raised"),
    [
        (said(6, 7), True),
        (said(6, 6), False),
        (said(6, 89, contact=None), True),
        (said(6, 90), False),
        (said(7, 20), False),
        (said(6, 20, answered=1), False),
        (said(0, 20, instrument="CSAT"), False),
    ],
)
def test_an_unanswered_detractor(row: Followed, raised: bool) -> None:
    assert bool(causes("unanswered detractor", replace(FINE, answers=[row]))) is raised


def test_an_unanswered_detractor_in_words() -> None:
    (cause,) = causes("unanswered detractor", replace(FINE, answers=[said(4, 20, contact=None)]))
    assert cause.words == "somebody answered NPS 4 of 10 on 2026-06-10; nothing done in 20 days"
    assert (cause.since, cause.deadline) == (date(2026, 6, 10), date(2026, 6, 24)), "7 days to wait, 7 to act"


# a renewal at risk

NEAR = replace(FINE, ends=date(2026, 9, 18), risk=0.4, scored=DAY)


def test_a_renewal_at_risk_by_hand() -> None:
    (cause,) = causes("renewal at risk", NEAR)
    assert cause.words == "the term ends on 2026-09-18, in 80 days; it leaves with 40%, as of 2026-06-30"
    assert (cause.fact, cause.deadline) == ("2026-09-18", date(2026, 8, 4))
    assert causes("renewal at risk", replace(NEAR, ends=date(2026, 7, 5)))[0].deadline == date(2026, 7, 5)


def test_any_sign_will_do_and_all_are_named() -> None:
    signs = replace(NEAR, escalations=2.0, answers=[said(2, 9)], contacts=LEFT.contacts)
    (cause,) = causes("renewal at risk", signs)
    for words in ("leaves with 40%", "open escalations: 2", "NPS 2 of 10, on 2026-06-21", "champion contact ann left"):
        assert words in cause.words
    assert cause.fact == causes("renewal at risk", NEAR)[0].fact, "another sign is no other renewal"
    unmodelled = replace(NEAR, risk=None)
    assert causes("renewal at risk", unmodelled) == []
    for sign in ({"escalations": 1.0}, {"answers": [said(2, 9)]}, {"contacts": LEFT.contacts}):
        assert len(causes("renewal at risk", replace(unmodelled, **sign))) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "raised"),
    [
        ({"ends": DAY + timedelta(days=90)}, True),
        ({"ends": DAY + timedelta(days=91)}, False),
        ({"ends": DAY}, True),
        ({"ends": DAY - timedelta(days=1)}, False),
        ({"ends": None}, False),
        ({"risk": 0.3}, True),
        ({"risk": 0.299}, False),
    ],
)
def test_the_lead_time_and_the_bound_of_a_renewal(changed: dict[str, Any], raised: bool) -> None:
    assert bool(causes("renewal at risk", replace(NEAR, **changed))) is raised


# an advocate turning

ADVOCATE = replace(FINE, acts=[Act("k", "a", "ann", "review", done=date(2026, 2, 1))])


def test_an_advocate_whose_risk_has_risen_by_hand() -> None:
    (cause,) = causes("advocate turning", replace(ADVOCATE, risk=0.45, risen=date(2026, 5, 31)))
    assert cause.words == (
        "acted for us on 2026-02-01; the chance that it leaves is 45%, and has been at 30% or more since 2026-05-31"
    )
    assert (cause.since, cause.deadline) == (date(2026, 5, 31), date(2026, 6, 7))
    assert causes("advocate turning", replace(FINE, risk=0.45, risen=date(2026, 5, 31))) == []
    assert causes("advocate turning", replace(ADVOCATE, risk=0.45, risen=date(2026, 1, 31))) == [], "before the act"
    old = [replace(ADVOCATE.acts[0], done=date(2025, 6, 30))]
    assert causes("advocate turning", replace(ADVOCATE, acts=old, risk=0.45, risen=date(2026, 5, 31))) == []


def test_an_advocate_whose_mood_has_turned_by_hand() -> None:
    (cause,) = causes("advocate turning", replace(ADVOCATE, answers=[said(9, 200), said(8, 100), said(5, 10)]))
    assert cause.words == "acted for us on 2026-02-01; ann answered NPS 5 of 10 on 2026-06-20, NPS 8 of 10 before"
    for answers in (
        [said(5, 10)],
        [said(6, 100), said(5, 10)],
        [said(8, 100), said(7, 10)],
        [said(8, 100), said(5, 20), said(9, 10)],
        [said(8, 100, contact="bob"), said(5, 10)],
        [said(4, 100, instrument="CSAT"), said(5, 10)],
        [said(8, 400), said(5, 160)],
    ):
        assert causes("advocate turning", replace(ADVOCATE, answers=answers)) == []


HISTORY = [(date(2026, 1, 31), 0.2), (date(2026, 2, 28), 0.35), (date(2026, 3, 31), 0.1), (date(2026, 4, 30), 0.3), (date(2026, 5, 31), 0.5)]  # fmt: skip


@pytest.mark.parametrize(
    ("history", "since"),
    [
        (HISTORY, date(2026, 4, 30)),
        (HISTORY[:2], date(2026, 2, 28)),
        (HISTORY[:3], None),
        (HISTORY[3:], None),
        ([], None),
    ],
    ids=["since it rose last", "the first rise", "it fell", "it always was: nobody knows that it rose", "no scores"],
)
def test_since_when_risk_has_risen(history: list[tuple[date, float]], since: date | None) -> None:
    assert risen(history, 0.3) == since


# what they share


def test_the_same_cause_has_the_same_id_another_one_another() -> None:
    (one,) = found([LEFT], TERMS, ["champion contact left"])
    (later,) = found(
        [replace(LEFT, day=DAY + timedelta(days=9), arr=1.0)], Alerts(deadline_days=1), ["champion contact left"]
    )
    assert one.alert() == later.alert()
    others = [
        Found("unanswered detractor", one.account, one.cause),
        Found(one.rule, "b", one.cause),
        Found(one.rule, one.account, replace(one.cause, fact="another")),
    ]
    assert len({one.alert(), one.alert(1), *(other.alert() for other in others)}) == 5


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40).map(sorted))
def test_severity_goes_by_arr_and_not_by_currency(sizes: list[float]) -> None:
    order = {"low": 0, "medium": 1, "high": 2}
    said_of = [order[severity(size, sizes)] for size in sizes]
    assert said_of == sorted(said_of)
    assert said_of[-1] == 2
    assert [severity(4 * size, [4 * other for other in sizes]) for size in sizes] == [
        severity(size, sizes) for size in sizes
    ]


def test_severity_by_hand() -> None:
    sizes = [float(n) for n in range(1, 11)]
    assert [severity(size, sizes) for size in sizes] == ["low"] * 5 + ["medium"] * 3 + ["high"] * 2
    assert severity(None, sizes) == "unknown"


def test_medians() -> None:
    assert (median([3.0, 1.0, 2.0]), median([4.0, 1.0, 2.0, 3.0]), median([])) == (2.0, 2.5, None)
