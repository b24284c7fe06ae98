"""What the service answers, as types: the OpenAPI document and the Python client are made of the same ones.

Instants are ISO 8601 with a zone, dates YYYY-MM-DD, probabilities between 0 and 1; null is not known, or that nobody says.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(extra="forbid"))
class Answer(TypedDict):
    """Nothing is answered that is not declared."""


class Problem(Answer):
    """Every error: what was wrong, what to do about it, and the HTTP status."""

    error: str
    hint: str
    status: int


class Reason(Answer):
    text: str
    feature: str
    contribution: float
    direction: Literal["raises", "lowers"]


class Chance(Answer):
    """A probability and its 90% interval."""

    probability: float
    low: float
    high: float


class Stored(Chance):
    """A score, and what it was made from. ``rank`` 1 is the highest, ``percentile`` 100 too."""

    score_id: str
    outcome: str
    account: str
    as_of: str
    rank: int
    percentile: float
    model_version: int
    row_hash: str
    frame_hash: str
    reasons: list[Reason]


class Told(Stored):
    """A score with its age: ``age_days`` since as_of, ``stale`` where that is more than ``[freshness]`` allows."""

    age_days: int
    stale: bool


class Unscored(Answer):
    """Why there is no score: ``status`` is "unscored", or 404 where the account is unknown."""

    status: Literal["unscored", 404]
    error: str
    hint: str
    account: NotRequired[str]
    outcome: NotRequired[str]


class Scores(Answer):
    """In the order asked for."""

    outcome: str
    as_of: str
    model_version: int
    age_days: int
    stale: bool
    scores: list[Told | Unscored]


class Now(Chance):
    """What the model says of the facts as of the last day there are; ``batch_probability`` is what the batch that is
    served says, null where the account is not in it.
    """

    outcome: str
    account: str
    as_of: str
    age_days: int
    stale: bool
    reasons: list[Reason]
    model_version: int
    row_hash: str
    batch_as_of: str
    batch_probability: float | None


class OfAccount(Answer):
    """One element per outcome."""

    account: str
    scores: list[Told | Unscored]


class Line(Told):
    """A score with what one wants to see beside it."""

    name: str
    owner: str | None
    arr: float | None
    days_to_renewal: float | None


class PageLine(Line):
    segment: str | None


class Page(Answer):
    """``next`` is the cursor of the next page, null on the last; ``count`` is how many lines all pages have."""

    outcome: str
    as_of: str
    model_version: int
    age_days: int
    stale: bool
    count: int
    scores: list[PageLine]
    next: str | None


class List(Answer):
    outcome: str
    lines: list[Line]


class OfRow(Chance):
    reasons: list[Reason]


class OfRows(Answer):
    """In the order of the rows."""

    outcome: str
    model_version: int
    scores: list[OfRow]


class Seen(Answer):
    """A feature of an account: its value in words, and what it adds to the log-odds."""

    name: str
    value: float | str | None
    text: str
    contribution: float
    family: str
    unit: str
    window_days: int | None
    doc: str


class Explained(Answer):
    """``base`` plus all contributions is ``log_odds``; families and roles add up the same contributions."""

    score: Told
    base: float
    log_odds: float
    families: dict[str, float]
    roles: dict[str, float]
    features: list[Seen]


class Cause(Answer):
    text: str
    feature: str
    log_odds: float
    probability: float
    direction: Literal["raises", "lowers"]


class Part(Answer):
    data: float
    model: float


class Change(Answer):
    """``data`` and ``model`` sum to ``change``; so do the columns, with the starting point and the season."""

    before: float
    after: float
    change: float
    data: float
    model: float
    starting_point: float
    season: float
    families: dict[str, Part]
    roles: dict[str, Part]
    columns: dict[str, Part]


class Moved(Answer):
    outcome: str
    before: Stored
    after: Stored
    causes: list[Cause]
    unknown_before: list[str]
    log_odds: Change
    probability: Change


class Movement(Answer):
    account: str
    moves: list[Moved]


FromTo = TypedDict("FromTo", {"from": float | None, "to": float | None})


class Share(Answer):
    log_odds: float
    probability: float


class If(Answer):
    """``what`` says what this is not; ``held`` are columns told by the same facts that stayed as they were."""

    outcome: str
    score: Stored
    what: str
    before: Chance
    after: Chance
    changed: dict[str, FromTo]
    held: list[str]
    log_odds: float
    contributions: dict[str, Share]


class WhatIf(Answer):
    account: str
    outcomes: list[If]


class Curve(Answer):
    """``stays``: days → chance that the account is there still."""

    account: str
    as_of: str
    stays: dict[str, float]


class Call(Answer):
    """An account to call; ``worth`` is what a call is expected to bring, ``before`` the probability last time, ``moved`` what
    moved it since; ``touch`` and ``planned`` are the touch that somebody is to do and its day, null where none is planned.
    """

    account: str
    name: str
    owner: str | None
    worth: float | None
    probability: float | None
    low: float | None
    high: float | None
    before: float | None
    moved: list[str]
    arr: float | None
    days_to_renewal: float | None
    reasons: list[str]
    action: str
    score_id: str | None
    why_not: str
    touch: str | None
    planned: str | None


class Between(Answer):
    """A number and its 95% interval; null where nothing can be said."""

    value: float | None
    low: float | None
    high: float | None


class SaveRate(Answer):
    """By which the list goes: ``source`` is "measured" or "assumed"; ``shown``: whether calls are shown to do anything."""

    value: float
    source: str
    assumed: float
    measured: Between
    accounts: int
    shown: bool
    told: str


class Calls(Answer):
    """``label`` says that no model has ranked the list, or is empty; ``below`` came next; ``kept_back``: rule → how many;
    ``uplift_from`` how many randomised accounts taught whom a call helps most, 0 where the list does not go by that;
    ``planned`` is written down and still to do.
    """

    as_of: str
    label: str
    save_rate: SaveRate
    uplift_from: int
    planned: list[Call]
    lines: list[Call]
    below: list[Call]
    kept_back: dict[str, int]
    held_out: int


class Planned(Answer):
    as_of: str
    planned: int
    held_out: int
    new: int


class Objection(Answer):
    """A rule that an account does not meet, and the earliest day on which it will; null where nobody knows."""

    rule: str
    words: str
    clears: str | None


class Eligible(Answer):
    account: str
    eligible: bool
    clears: str | None
    objections: list[Objection]


class Advocate(Answer):
    """Whom to ask, for what; ``effort`` from 1 (a minute) to 5 (a day); ``accepts`` how likely such an ask is accepted,
    ``low`` to ``high`` (90%); ``unasked``: the chance of an act without any ask, null where no model says; ``left``
    how many more asks the account's budget has within the year.
    """

    account: str
    name: str
    owner: str | None
    probability: float | None
    contact: str
    role: str
    kind: str
    effort: int
    accepts: float
    low: float
    high: float
    unasked: float | None
    left: int


class Budget(Answer):
    """What the workspace allows of an account, and days of rest; ``asked`` in the year before, and how many are ``open``."""

    per_year: int
    rest_days: int
    declined_rest_days: int
    contact_rest_days: int
    asked: int
    open: int


class Advocates(Answer):
    """``count``: how many may be asked, on all pages together."""

    as_of: str
    count: int
    lines: list[Advocate]
    blocked: list[Eligible]
    budget: Budget
    model: dict[str, Any]


class BlockedAccount(Eligible):
    name: str
    owner: str | None


class Blocked(Answer):
    """``count``: how many there are on all pages; ``rules``: how many accounts each speaks against."""

    as_of: str
    count: int
    rules: dict[str, int]
    lines: list[BlockedAccount]


class OpenAsk(Answer):
    """``unheard``: so long ago that nobody waits any more; ``logged``: written down here, so that it is answered here."""

    ask: str
    account: str
    name: str
    owner: str | None
    contact: str | None
    kind: str
    state: Literal["asked", "accepted"]
    asked: str
    accepted: str | None
    unheard: bool
    logged: bool


class OpenAsks(Answer):
    as_of: str
    count: int
    lines: list[OpenAsk]


class Written(Answer):
    """An entry of the log: that something happened to a touch, an ask, an opt-out, an opinion, an override."""

    about: str
    thing: str
    event: str
    account: str
    at: str
    by: str
    contact: str | None
    kind: str | None
    value: str | None


class Entry(Written):
    recorded_at: str | None


class Log(Answer):
    """The last first; ``next`` is the cursor of the next page, null on the last."""

    entries: list[Entry]
    next: str | None


class Wrote(Answer):
    """``new``: how many of the entries were not in the log before."""

    new: int
    entries: list[Written]


class Override(Answer):
    """Somebody's own probability, beside the model's score."""

    score_id: str
    account: str
    probability: float
    why: str
    by: str
    at: str
    score: Told


class Overrides(Answer):
    account: str
    overrides: list[Override]


class Replayed(Answer):
    """``identical``: made again from what was kept, it is the same bit for bit; else ``differences`` says what is not."""

    identical: bool
    differences: list[str]
    stored: Told
    again: Stored


class Version(Answer):
    """A registered model; ``verdict`` is what the gate said, ``link`` its run in MLflow, null where that is no server."""

    version: int
    aliases: list[str]
    verdict: str
    registered: str
    run: str
    tags: dict[str, str]
    metrics: dict[str, float]
    link: str | None


class Move(Answer):
    """The champion went ``before`` → ``after``; ``forced`` against the gate."""

    kind: Literal["promotion", "rollback"]
    before: int | None
    after: int
    at: str
    by: str
    why: str
    verdict: str
    forced: bool


class OfOutcome(Answer):
    versions: list[Version]
    history: list[Move]


class Models(Answer):
    """``opened_by``: the command that shows the runs, in the folder of the workspace; null where versions have a link."""

    opened_by: str | None
    outcomes: dict[str, OfOutcome]


class Served(Answer):
    """From which model and batch an outcome is served, or why it is not."""

    model_version: NotRequired[int]
    trained_on_until: NotRequired[str]
    as_of: NotRequired[str]
    age_days: NotRequired[int]
    stale: NotRequired[bool]
    rows: NotRequired[int]
    error: NotRequired[str]
    hint: NotRequired[str]


class Health(Answer):
    status: Literal["ok", "degraded"]
    workspace: str
    outcomes: dict[str, Served]
