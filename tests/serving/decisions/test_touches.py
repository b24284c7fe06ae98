"""Which draws tell what a call does: one of an account until its window is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from serving.decisions.touches import LISTED, Drawn, Touch, counted

DAY, ZONE = date(2026, 1, 1), ZoneInfo("UTC")


def touch(account: str, days: int, held_out: bool = False, begins: str = LISTED) -> Touch:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)
    return Touch(f"{begins}{account}-{days}", account, None, "call", "ann", at, None, None, held_out)


def test_the_first_counts_and_no_other_until_its_window_is_over() -> None:
    """Held out on day 0 for 90 days: a call on day 40 counts nowhere, the one on day 90 does, and begins another window."""
    drawn = [touch("a", 0, True), touch("a", 40), touch("a", 90), touch("a", 130), touch("b", 40)]
    assert counted(drawn[::-1], 90, ZONE) == [
        Drawn("a", DAY, True),
        Drawn("b", DAY + timedelta(days=40), False),
        Drawn("a", DAY + timedelta(days=90), False),
    ]


def test_what_no_list_drew_counts_nowhere() -> None:
    assert counted([touch("a", 0, begins="t-")], 90, ZONE) == []


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400), st.booleans())), st.integers(0, 120), st.randoms()
)
def test_windows_of_an_account_never_overlap(each: list[tuple[str, int, bool]], window: int, luck: object) -> None:
    drawn = [touch(*one) for one in each]
    found = counted(drawn, window, ZONE)
    luck.shuffle(drawn)  # type: ignore[attr-defined]
    assert counted(drawn, window, ZONE) == found
    assert {one.account for one in found} == {one.account for one in drawn}
    for account in "abc":
        days = [one.day for one in found if one.account == account]
        gaps = [(later - earlier).days for earlier, later in pairwise(days)]
        assert all(gap >= window for gap in gaps)
