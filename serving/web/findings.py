"""What the service answers about the whole: states, portfolio, programme, alerts, metrics, initiatives, stories, effect.

As in ``serving.web.answers``: dates are YYYY-MM-DD, null is not known, money is in the workspace's currency.
"""

from __future__ import annotations

from typing import Literal

from serving.web.answers import Answer

State = Literal["not yet", "satisfied", "loyal", "advocate", "at risk"]


class Interval(Answer):
    """An estimate; where nothing is known its value is null."""

    value: float | None
    low: float | None
    high: float | None


class Part(Answer):
    """How many of how many, with an interval."""

    yes: int
    of: int
    rate: float | None
    low: float
    high: float


class Evidence(Answer):
    """What a rule saw, with the account's own numbers; ``met`` is null where nobody can tell."""

    rule: str
    met: bool | None
    words: str


class Verdict(Answer):
    state: State
    met: bool | None
    evidence: list[Evidence]


class Went(Answer):
    """``share``: of all who were in the state before; null where nobody was."""

    count: int
    share: float | None


class Month(Answer):
    """How many accounts stand where at the end of a month; ``transitions``: from → to, since the month before."""

    as_of: str
    accounts: int
    scored: int
    risk_told_by: str
    like_the_month_before: bool | None
    states: dict[str, int]
    transitions: dict[str, dict[str, Went]] | None


class Stands(Answer):
    """``stage`` is the furthest that an account has come, at risk or not."""

    account: str
    name: str
    state: State
    stage: State


class States(Answer):
    """``count``: how many there are in the state that was asked for, in all if none was; ``accounts``: the first of them."""

    as_of: str
    months: list[Month]
    transitions: dict[str, dict[str, Went]]
    left_out_of_transitions: list[str]
    count: int
    accounts: list[Stands]


class Place(Answer):
    name: str
    evidence: list[Evidence]


class Was(Answer):
    as_of: str
    state: State | None


class StateOf(Answer):
    """``state`` is null where the account is no customer by then, and in ``months`` where it was none."""

    account: str
    name: str
    as_of: str
    state: State | None
    stage: State | None
    verdicts: list[Verdict]
    loyalty: Place | None
    business: Place | None
    months: list[Was]


class Tally(Answer):
    accounts: int
    arr: float


class Total(Answer):
    """Every measure of a group. Amounts add up exactly; rates are computed anew at every level."""

    group: str
    accounts: int
    arr: float
    arr_year_before: float
    arr_scored: float
    arr_at_risk: float
    arr_under_notice: float
    arr_expanding: float
    contracts: float
    escalations: float
    acts: float
    nps_answers: float
    nps_promoters: float
    nps_detractors: float
    arr_against_year_before: float | None
    risk_of_scored_arr: float | None
    nps: float | None
    nps_low: float | None
    nps_high: float | None
    business: dict[str, Tally]
    growth_told_by: dict[str, Tally]
    loyalty: dict[str, Tally]
    risk_told_by: dict[str, Tally]
    states: dict[str, Tally]


class Group(Total, total=False):
    """With the ``name`` of the account, where groups are accounts."""

    name: str


class Portfolio(Answer):
    """The groups of a level, the one with most ARR first; ``count`` is how many there are."""

    as_of: str
    currency: str
    by: str
    within: dict[str, str]
    contracts_without_arr: int
    count: int
    groups: list[Group]
    total: Total


class Unknown(Answer):
    """Why nothing is known of a part of the programme."""

    unknown: str


class Participation(Part):
    target: float
    verdict: str
    definition: str
    month_ends: list[str]
    risk_unknown: list[str]


class Nps(Answer):
    """``relative``: against the year before (0.2: up by a fifth). ``why`` something is not known."""

    answers: int
    answers_before: int
    accounts: int
    accounts_before: int
    target: float
    now: Interval | None
    before: Interval | None
    difference: Interval | None
    relative: Interval | None
    why: str
    verdict: str
    definition: str


class Revenue(Answer):
    deals: int
    won: float
    acts: int
    said: float
    deals_unknown: int
    acts_unknown: int
    target: float
    why: str
    touched: float
    capped: bool
    share: float | None
    label: str
    verdict: str
    definition: str


class Kind(Answer):
    """Feedback of one kind; days and changes of the next answer, in points of 100, where we answered and where not."""

    kind: str
    closed: Part
    waiting: int
    days: Interval | None
    after: Interval | None
    after_silence: Interval | None
    again: int
    again_silence: int


class OfOwner(Answer):
    owner: str | None
    open: int
    oldest: float


class Unanswered(Answer):
    """Feedback after which nothing was done, ``age`` days old."""

    account: str
    contact: str | None
    owner: str | None
    kind: str
    at: str
    age: float


class Loop(Answer):
    kinds: list[Kind]
    owners: list[OfOwner]
    open: list[Unanswered]
    definition: str


class Step(Answer):
    name: str
    asked: int
    accepted: Part
    done: Part


class Asked(Part):
    asks: str


class Funnel(Step):
    eligible: int
    accounts_asked: Part
    asked_and_not_eligible: int
    kinds: list[Step]
    quarters: list[Step]
    trend: Interval | None
    verdict: str
    days_to_accept: Interval | None
    days_to_do: Interval | None
    acceptance_by_asks_in_the_year_before: list[Asked]
    definition: str


class Programme(Answer):
    as_of: str
    since: str
    days: int
    participation: Participation | Unknown
    nps: Nps | Unknown
    revenue: Revenue
    closed_loop: Loop | Unknown
    funnel: Funnel | Unknown


class Alert(Answer):
    """``new``: nobody has raised it yet, so it cannot be closed or snoozed; `propensity alerts` raises it."""

    alert: str
    rule: str
    account: str
    name: str
    owner: str | None
    contact: str | None
    words: str
    since: str
    deadline: str
    overdue: bool
    severity: str
    arr: float | None
    new: bool


class Closed(Answer):
    alert: str
    rule: str
    account: str
    why: str


class Alerts(Answer):
    """``not_judged``: rule → the tables it lacks. Reading writes nothing: ``closed`` is empty and ``written`` false."""

    as_of: str
    open: list[Alert]
    new: int
    closed: list[Closed]
    snoozed: int
    not_judged: dict[str, str]
    written: bool


class Metric(Answer):
    """A metric against an outcome; ``beacon`` where it foretells beyond chance among all that were tried."""

    metric: str
    said: str
    role: str | None
    touchpoint: str | None
    found: str
    beacon: bool
    end: str | None
    threshold: float | None
    flagged: float | None
    coverage: float
    accounts: int
    accounts_with_outcome: int
    auc: Interval | None
    band: Interval | None
    lift: Interval | None
    sentence: str


class Role(Answer):
    role: str
    coverage: float
    gain: Interval
    auc: Interval
    over_decision_makers: Interval | None
    foretells: bool


class OfMetrics(Answer):
    outcome: str
    headline: str
    judged_on: list[str]
    n: int
    positives: int
    tried: int
    interval: str
    metrics: list[Metric]
    absent: list[str]
    roles: list[Role]
    voices: str


class Beacon(Answer):
    """``skipped``: outcome → why nothing can be told of it."""

    outcomes: dict[str, OfMetrics]
    skipped: dict[str, str]


class Slope(Interval):
    accounts: int
    answers: int


class Placebo(Answer):
    shuffled: int
    shown_shuffled: int | None
    answers_after_the_growth: Slope | None


class OfMetric(Answer):
    """What ``points`` points of a metric go with: observational."""

    metric: str
    said: str
    points: float
    note: str
    renewal: Slope | None
    renewal_fixed_effects: Slope | None
    window_days: int
    leaving: float
    accounts_left: int
    growth: Slope | None
    growth_days: int
    arr: float
    arr_kept: Interval | None
    placebo: Placebo
    sentence: str
    growth_sentence: str


class Worth(Answer):
    note: str
    metrics: dict[str, OfMetric]


class Grounds(Answer):
    kind: Literal["randomised", "observational"]
    said: str
    change: float
    standard_error: float


class Initiative(Answer):
    """What it is expected to bring, less its cost; null points: it is calls."""

    accounts: int
    arr: float
    change: float
    expected: float
    low: float
    high: float
    interval: str
    probability_that_it_pays: float
    break_even_change: float | None
    cost: float
    evidence: Grounds
    verdict: str
    metric: str | None
    points: float | None
    break_even_points: float | None
    leaving: float
    doubts: list[str]


class Accepts(Answer):
    value: float
    low: float
    high: float


class Candidate(Answer):
    """Whom to recruit; ``misses`` is the one dimension in which the story is another, null where all fit."""

    account: str
    name: str
    contact: str
    kind: str
    accepts: Accepts
    misses: str | None


class Gap(Answer):
    story: list[str | None]
    deals: int
    value: float
    uncovered_deals: int
    uncovered: float
    advocates: int
    candidates: list[Candidate]


class Stories(Answer):
    """``left_out``: dimension → why deals are not told apart by it."""

    as_of: str
    dimensions: list[str]
    left_out: dict[str, str]
    deals: int
    value: float
    uncovered: float
    advocates: int
    gaps: list[Gap]


class Arm(Answer):
    accounts: int
    left: int


class GoBy(Answer):
    """The save rate that lists go by."""

    value: float
    source: Literal["measured", "assumed"]
    assumed: float
    measured: Interval
    accounts: int
    shown: bool
    told: str


class Uplift(Answer):
    accounts: int
    why_not: str
    qini: Interval | None
    qini_risk: Interval | None
    gain: Interval | None
    bound: float | None
    value: Interval | None
    value_risk: Interval | None
    value_random: Interval | None
    used: bool
    verdict: str


class Effect(Answer):
    """The called beside those held out at random."""

    called: Arm
    held_out: Arm
    kept: Interval
    save_rate: Interval
    assumed_save_rate: float
    needed: int | None
    shown: bool
    verdict: str
    lists_go_by: GoBy
    uplift: Uplift
