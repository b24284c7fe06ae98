"""The numbers of the programme against small examples worked by hand."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from serving.decisions.asks import Ask
from serving.decisions.happened import Act, Answer, Handled, Won, followed
from serving.decisions.intervals import Bootstrap
from serving.decisions.programme_funnel import funnel, quarter
from serving.decisions.programme_loop import Kind, loop
from serving.decisions.programme_nps import nps
from serving.decisions.programme_participation import participation, took_part
from serving.decisions.programme_revenue import revenue

DRAWS = Bootstrap(200, 1)
SINCE, UNTIL = date(2025, 6, 30), date(2026, 6, 30)
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def act(account: str, **days: date) -> Act:
    return Act(f"k-{account}", account, None, "review", **days)


def answer(
    account: str, score: float, days_ago: float = 100, contact: str | None = "p", instrument: str = "NPS"
) -> Answer:
    return Answer(account, contact, NOW - timedelta(days=days_ago), instrument, score, 10 if instrument == "NPS" else 5)


# participation


def test_who_accepted_or_acted_in_the_period_took_part() -> None:
    acts = [
        act("accepted", asked=date(2026, 1, 1), accepted=date(2026, 1, 2)),
        act("unasked", done=date(2026, 6, 30)),
        act("asked only", asked=date(2026, 1, 1), declined=date(2026, 1, 3)),
        act("before", asked=date(2025, 1, 1), done=date(2025, 6, 30)),
        act("of an older ask", asked=date(2025, 1, 1), done=date(2025, 7, 1)),
        act("later", done=date(2026, 7, 1)),
    ]
    assert took_part(acts, SINCE, UNTIL) == {"accepted", "unasked", "of an older ask"}


def test_participation_is_of_all_that_were_eligible_once_or_took_part() -> None:
    eligible = {date(2026, 5, 31): {"a", "b"}, date(2026, 6, 30): {"b", "c", "d"}}
    found = participation({"a", "z"}, eligible, [date(2026, 5, 31)], 1 / 3)
    assert (found.found.yes, found.found.of, found.found.rate) == (2, 5, 0.4)
    assert found.verdict.startswith("not told apart from 33%")
    assert found.as_dict()["risk_unknown"] == ["2026-05-31"]


# NPS


def test_nps_in_points_and_relative_by_hand() -> None:
    """Before: 6 of 10 promoters, 2 detractors: 40. Now: 7 and 1: 60. 20 points more, half as much again."""
    before = [answer(str(n), score, 465) for n, score in enumerate([9] * 6 + [8] * 2 + [6] * 2)]
    now = [answer(str(n), score) for n, score in enumerate([10] * 7 + [7] * 2 + [0])]
    found = nps(now, before, 10, 0.2, DRAWS)
    assert found.now is not None
    assert found.before is not None
    assert found.difference is not None
    assert (found.now.value, found.before.value, found.difference.value) == pytest.approx((60, 40, 20))
    assert found.relative is not None
    assert found.relative.value == pytest.approx(0.5)
    assert found.difference.low < 20 < found.difference.high


def test_other_questions_are_no_nps() -> None:
    found = nps([answer("a", 5, instrument="CSAT")], [], 2, 0.2, DRAWS)
    assert (found.answers, found.now) == (0, None)


def test_nps_is_unknown_where_too_few_answered_and_says_how_many_it_takes() -> None:
    """Many answers of two accounts are two, and what is enough on one side is shown."""
    found = nps([answer(name, 9) for name in "ab"] * 30, [answer(name, 9, 465) for name in "abc"], 3, 0.2, DRAWS)
    assert (found.accounts, found.answers, found.now, found.difference) == (2, 60, None, None)
    assert found.before is not None
    assert found.verdict == "unknown: 2 accounts answered now and 3 a year before; it takes 3 each time"


@pytest.mark.parametrize("scores", [[6, 9], [6, 6]])
def test_a_change_relative_to_nothing_or_less_is_undefined_and_says_so(scores: list[int]) -> None:
    before = [answer(str(n), scores[n % 2], 465) for n in range(40)]
    found = nps([answer(str(n), 9) for n in range(40)], before, 20, 0.2, DRAWS)
    assert found.relative is None
    assert found.verdict.startswith("NPS has risen; against +20% nothing can be said: a change relative to an NPS of ")
    assert found.as_dict()["relative"] is None


def test_a_change_relative_to_what_may_be_nothing_has_no_interval() -> None:
    before = [answer(str(n), 9 if n < 11 else 6, 465) for n in range(20)]
    found = nps([answer(str(n), 9) for n in range(20)], before, 20, 0.2, DRAWS)
    assert found.relative is not None
    assert found.relative.value == pytest.approx(9)
    assert math.isnan(found.relative.low)
    assert "may have been 0 or less" in found.verdict


def test_ten_answers_of_each_account_tell_no_more_than_one() -> None:
    now, before = ([answer(str(n), 10 if n % 3 else 5, age) for n in range(30)] for age in (100, 465))
    once, often = nps(now, before, 20, 0.2, DRAWS), nps(now * 10, before * 10, 20, 0.2, DRAWS)
    assert once.now is not None
    assert often.now is not None
    assert (often.now.low, often.now.high) == pytest.approx((once.now.low, once.now.high))


# revenue


def won(*values: float | None) -> list[Won]:
    return [Won(str(n), NOW, value) for n, value in enumerate(values)]


def touching(*values: float | None) -> list[Act]:
    return [Act(str(n), "a", None, "reference", done=UNTIL, revenue=value) for n, value in enumerate(values)]


def test_revenue_touched_by_hand() -> None:
    found = revenue(won(600, 400, None), touching(250, 150), 0.5)
    assert (found.won, found.touched, found.share, found.deals_unknown) == (1000, 400, 0.4, 1)
    assert found.verdict == "below 50%: at most 40% was touched, not caused"


def test_more_touched_than_won_is_capped_and_said() -> None:
    found = revenue(won(1000), touching(800, 700), 0.5)
    assert (found.touched, found.share, found.capped) == (1000, 1.0, True)
    assert "acts claim more than was won, so it is capped" in found.verdict


def test_acts_that_do_not_say_what_they_touched_leave_it_open() -> None:
    found = revenue(won(1000), touching(100, None, None), 0.5)
    assert found.verdict.startswith("not known whether 50% is reached: 2 of 3 acts do not say")


@pytest.mark.parametrize(
    ("deals", "acts", "missing", "why"),
    [
        ([], touching(1), "", "nothing of known value was won"),
        (won(None), touching(1), "", "nothing of known value was won"),
        (won(10), touching(None), "", "no act of the period says"),
        ([], [], "deals not mapped", "deals not mapped"),
    ],
)
def test_without_amounts_revenue_is_unknown(deals: list[Won], acts: list[Act], missing: str, why: str) -> None:
    found = revenue(deals, acts, 0.5, missing)
    assert found.share is None
    assert found.verdict.startswith(f"unknown: {why}")


# closed loop


def test_what_follows_an_answer_is_the_first_thing_after_it_for_the_same_person_or_the_account() -> None:
    said = answer("a", 3)
    handled = [
        Handled("a", "p", said.at, "call"),
        Handled("b", "p", said.at + timedelta(days=1), "call"),
        Handled("a", "q", said.at + timedelta(days=2), "call"),
        Handled("a", None, said.at + timedelta(days=4), "e-mail"),
        Handled("a", "p", said.at + timedelta(days=3), "ticket"),
    ]
    (row,) = followed([said], handled)
    assert (row.by, row.days) == (handled[4], 3)
    (row,) = followed([said], handled[:4])
    assert (row.by, row.days) == (handled[3], 4)
    assert followed([said], handled[:3])[0].by is None, "at the same instant, elsewhere, or for somebody else"


def test_the_loop_by_hand() -> None:
    """Four detractors: one answered after 2 days, one after 4, one after 20 (too late), one never. One who is too young."""
    answers = [answer(name, 4, 100) for name in "abcd"] + [answer("e", 2, 5), answer("f", 10, 50)]
    answers += [answer("a", 7, 30), answer("c", 3, 30)]
    handled = [
        Handled(name, "p", NOW - timedelta(days=100 - after), "call") for name, after in (("a", 2), ("b", 4), ("c", 20))
    ]
    found = loop(followed(answers, handled), NOW, 14, {"d": "ann", "e": "ann", "f": "bob"}, DRAWS)
    kinds = {kind.kind: kind for kind in found.kinds}
    unhappy = kinds["detractor"]
    assert (unhappy.closed.yes, unhappy.closed.of, unhappy.waiting) == (2, 5, 1)
    assert unhappy.days is not None
    assert unhappy.days.value == 3
    assert value(unhappy, "after") == pytest.approx(30), "a: from 4 to 7 of 10"
    assert value(unhappy, "after_silence") == pytest.approx(-10), "c: from 4 to 3, answered too late"
    assert (kinds["promoter"].closed.yes, kinds["promoter"].closed.of) == (0, 1), "promoters are in the loop too"
    assert kinds["all"].closed.of == 7
    assert "other" not in kinds
    assert [(one.account, one.age) for one in found.open] == [("d", 100), ("f", 50), ("a", 30), ("c", 30), ("e", 5)]
    assert {owner: len(those) for owner, those in found.owners.items()} == {"ann": 2, None: 2, "bob": 1}


def value(kind: Kind, name: str) -> float:
    found = getattr(kind, name)
    assert found is not None
    return float(found.value)


def test_feedback_counts_once_its_days_are_over_answered_or_not() -> None:
    """Else what was answered at once would count before what never will be."""
    young = answer("a", 4, 14)
    handled = [Handled("a", "p", young.at + timedelta(days=1), "call")]
    (kind, _) = loop(followed([young], handled), NOW, 14, {}, DRAWS).kinds
    assert (kind.closed.of, kind.waiting) == (0, 1)
    (kind, _) = loop(followed([young], handled), NOW + timedelta(seconds=1), 14, {}, DRAWS).kinds
    assert (kind.closed.yes, kind.closed.of, kind.waiting) == (1, 1, 0)


# funnel


def ask(account: str, asked: date, kind: str = "review", **days: date) -> Ask:
    return Ask(f"{account} {asked}", account, None, kind, asked, **days)


ASKS = [
    ask("a", date(2025, 8, 1), accepted=date(2025, 8, 5), done=date(2025, 8, 25)),
    ask("a", date(2026, 1, 10), "reference", declined=date(2026, 1, 12)),
    ask("b", date(2025, 8, 10), accepted=date(2025, 8, 12)),
    ask("c", date(2026, 1, 5)),
    ask("d", date(2026, 6, 20), accepted=date(2026, 6, 21), done=date(2026, 6, 22)),
    ask("e", date(2025, 6, 30), accepted=date(2025, 7, 2)),
    ask("f", date(2026, 1, 6), accepted=date(2026, 4, 6)),
    ask("g", date(2026, 7, 1)),
]


def test_the_funnel_by_hand() -> None:
    """Asked in the period: a twice, b, c, d, f. d is too young to count, f said yes when 90 days were over."""
    found = funnel(ASKS, {"a", "b", "c", "x", "y"}, SINCE, UNTIL, 90, DRAWS)
    assert (found.eligible, found.asked.yes, found.asked.of, found.beside) == (5, 3, 5, 2)
    whole = found.whole
    assert (whole.asked, whole.accepted.yes, whole.accepted.of, whole.done.yes, whole.done.of) == (6, 2, 5, 1, 2)
    assert [(step.name, step.asked, step.accepted.of) for step in found.kinds] == [
        ("reference", 1, 1),
        ("review", 5, 4),
    ]
    assert [(step.name, step.asked, step.accepted.yes, step.accepted.of) for step in found.quarters] == [
        ("2025 Q3", 2, 2, 2),
        ("2026 Q1", 3, 0, 3),
        ("2026 Q2", 1, 0, 0),
    ]
    assert found.days_to_accept is not None
    assert found.days_to_accept.value == 3, "4 and 2"
    assert found.days_to_do is not None
    assert found.days_to_do.value == 20
    assert [(many, part.yes, part.of) for many, part in found.tired] == [("0", 2, 4), ("1", 0, 1)]


def test_a_trend_is_the_change_from_one_quarter_to_the_next() -> None:
    """2 of 2 in one quarter, none of 3 two quarters later: half of all in each."""
    found = funnel(ASKS, set(), SINCE, UNTIL, 90, DRAWS)
    assert found.trend is not None
    assert found.trend.value == pytest.approx(-0.5)
    falling = [
        ask(str(n), day, **({"accepted": day} if n % 4 or day.month == 7 else {}))
        for n in range(80)
        for day in (date(2025, 7, 9),)
    ]
    falling += [ask(str(n), date(2026, 1, 9)) for n in range(80)]
    assert funnel(falling, set(), SINCE, UNTIL, 90, DRAWS).verdict == "acceptance falls by 50 points a quarter"
    assert funnel(ASKS[:1], set(), SINCE, UNTIL, 90, DRAWS).verdict.startswith("no trend can be told")


def test_early_answers_do_not_make_the_last_quarter_look_better() -> None:
    """Half accept at once, half never do, in every quarter: it is so in the last one too, as soon as it counts."""
    days = [date(2025, 7, 1) + timedelta(days=7 * n) for n in range(52)]
    steady = [ask(f"{n}", day, **({"accepted": day} if n % 2 else {})) for n, day in enumerate(days)]
    found = funnel(steady, set(), SINCE, UNTIL, 90, DRAWS)
    assert found.verdict == "acceptance is not shown to rise or fall"
    for step in found.quarters:
        assert step.accepted.rate is None or step.accepted.rate == pytest.approx(0.5, abs=0.05)


def test_quarters() -> None:
    assert [quarter(date(2026, month, 1)) for month in (1, 3, 4, 12)] == ["2026 Q1", "2026 Q1", "2026 Q2", "2026 Q4"]
