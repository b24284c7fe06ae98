"""Story demand beside supply, worked by hand, and what holds of any."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from serving.decisions.stories import ANY, Deal, Teller, gaps, uncovered
from serving.decisions.whom import Chance

DIMENSIONS = ("industry", "product")
BIG = Deal("d1", "x", {"industry": "retail", "product": "pump"}, 100.0)
MIDDLE = Deal("d2", None, {"industry": "retail", "product": "pump"}, 60.0)
OTHER = Deal("d3", "y", {"industry": "health", "product": None}, 80.0)
RETAIL = Teller("a", {"industry": frozenset({"retail"}), "product": frozenset({"pump", "valve"})}, 1)
READY = replace(RETAIL, account="b", contact="bob", kind="reference", accepts=Chance(0.6, 0.4, 0.8))


def test_the_dearest_deals_are_served_first_and_what_is_left_is_the_gap() -> None:
    """One advocate with one ask left: the deal of 100 is served, that of 60 and that of another industry are not."""
    retail, health = sorted(gaps(DIMENSIONS, [MIDDLE, OTHER, BIG], [RETAIL], [READY]), key=lambda gap: gap.uncovered)
    assert (retail.story, retail.deals, retail.value) == (("retail", "pump"), 2, 160.0)
    assert (retail.uncovered_deals, retail.uncovered, retail.advocates) == (1, 60.0, 1)
    assert (health.story, health.uncovered, health.advocates) == (("health", ANY), 80.0, 0)
    assert gaps(DIMENSIONS, [MIDDLE, OTHER, BIG], [RETAIL], [READY])[0] == health, "the dearest first"
    assert [(one.account, one.misses) for one in retail.candidates] == [("b", None)]
    assert [(one.account, one.misses) for one in health.candidates] == [("b", "industry")]


def test_nobody_speaks_for_their_own_deal_and_nobody_without_asks_left() -> None:
    assert uncovered(DIMENSIONS, [BIG], [replace(RETAIL, account="x")]) == {"d1"}
    assert uncovered(DIMENSIONS, [BIG], [replace(RETAIL, left=0)]) == {"d1"}
    assert uncovered(DIMENSIONS, [BIG, MIDDLE], [replace(RETAIL, left=2)]) == set()


def test_candidates_that_fit_come_first_then_the_likeliest() -> None:
    near = replace(READY, account="c", accepts=Chance(0.9, 0.8, 1.0), about={"industry": frozenset({"retail"})})
    likelier = replace(READY, account="d", accepts=Chance(0.7, 0.5, 0.9))
    far = replace(READY, account="e", about={})
    (gap,) = gaps(DIMENSIONS, [BIG], [], [READY, near, far, likelier])
    assert [(one.account, one.misses) for one in gap.candidates] == [("d", None), ("b", None), ("c", "product")]


DEALS = st.lists(
    st.builds(
        Deal,
        st.uuids().map(str),
        st.sampled_from(["a1", "a2", None]),
        st.fixed_dictionaries(
            {"industry": st.sampled_from(["retail", "health", None]), "product": st.sampled_from(["pump", None])}
        ),
        st.none() | st.integers(0, 1000).map(float),
    ),
    max_size=12,
    unique_by=lambda deal: deal.deal,
)
TELLERS = st.lists(
    st.builds(
        Teller,
        st.sampled_from(["a1", "a2", "a3", "a4"]),
        st.fixed_dictionaries({"industry": st.sampled_from([frozenset({"retail"}), frozenset({"health"})])}),
        st.integers(0, 2),
    ),
    max_size=4,
    unique_by=lambda one: one.account,
)


@given(DEALS, TELLERS, st.randoms(use_true_random=False))
def test_sums_reconcile_and_order_does_not_matter(deals, tellers, shuffled) -> None:  # type: ignore[no-untyped-def]
    found = gaps(("industry",), deals, tellers, [])
    assert sum(one.deals for one in found) == len(deals)
    assert sum(one.value for one in found) == sum(deal.value or 0 for deal in deals)
    assert all(0 <= one.uncovered <= one.value for one in found)
    mixed = list(deals)
    shuffled.shuffle(mixed)
    assert gaps(("industry",), mixed, tellers[::-1], []) == found
    served = len(deals) - len(uncovered(("industry",), deals, tellers))
    assert served <= sum(one.left for one in tellers)
    assert uncovered(("industry",), deals, []) == {deal.deal for deal in deals}
