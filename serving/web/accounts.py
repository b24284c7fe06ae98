"""What the service answers about one account as of a date, and about finding it.

As in ``serving.web.answers``: instants are ISO 8601 with a zone, dates YYYY-MM-DD, null is not known.
"""

from __future__ import annotations

from serving.web.answers import Answer, Told


class FoundAccount(Answer):
    account: str
    name: str
    owner: str | None


class FoundContact(Answer):
    """A contact, and the account in which they are."""

    contact: str
    role: str
    account: str
    name: str
    owner: str | None


class Found(Answer):
    """The closest first; ``accounts_found`` and ``contacts_found`` are how many there are, listed or not."""

    q: str
    accounts: list[FoundAccount]
    accounts_found: int
    contacts: list[FoundContact]
    contacts_found: int


class Signal(Answer):
    """``text`` is the value in words. ``newest`` is when the newest fact that it is told by happened, ``age_days`` the days
    from then to as_of: null where there is none, or where it has no date. ``tables`` are where it comes from.
    """

    name: str
    value: float | str | None
    text: str
    doc: str
    family: str
    unit: str
    window_days: int | None
    newest: str | None
    age_days: int | None
    tables: list[str]


class Signals(Answer):
    """``dates``: as of which there are signals. ``sources``: table → the source that it is mapped from, null where it is a
    query of its own.
    """

    account: str
    name: str
    as_of: str
    dates: list[str]
    sources: dict[str, str | None]
    signals: list[Signal]


class LastAnswer(Answer):
    instrument: str
    score: float
    scale: float
    at: str


class Person(Answer):
    """A contact. ``sentiment``: of what they wrote in the last year, -1 to 1; ``last_used``, ``last_touched``: when they last
    used the product and we last did something for them; ``usage_share``: of what the account did in 90 days.
    """

    contact: str
    role: str
    champion_contact: bool
    joined: str | None
    left: str | None
    consent: list[str]
    answer: LastAnswer | None
    sentiment: float | None
    last_used: str | None
    last_touched: str | None
    usage_share: float | None


class People(Answer):
    """Who is there, then who has left. ``roles``: how many there are of each, 0 where nobody is; ``single_threaded``: all
    contact of 90 days goes through one person, null where there was none.
    """

    account: str
    name: str
    as_of: str
    people: list[Person]
    roles: dict[str, int]
    champion_contacts: list[str]
    single_threaded: bool | None
    threads: int


class Event(Answer):
    """Something that happened, in ``words``. ``table`` says where a fact comes from; it is "log" for what was written down
    here, and then ``by`` says who did.
    """

    at: str
    table: str
    what: str
    words: str
    contact: str | None
    by: str | None
    id: str | None


class Timeline(Answer):
    """The last first; ``count`` is how many there are, listed or not."""

    account: str
    name: str
    as_of: str
    count: int
    events: list[Event]


class Made(Told):
    """A stored score, when it was made; ``replayable``: the row that it was made from is still there."""

    made_at: str
    replayable: bool


class History(Answer):
    """Outcome → its scores as they were shown, one for each as_of, the oldest first."""

    account: str
    name: str
    owner: str | None
    outcomes: dict[str, list[Made]]


class Lever(Answer):
    """Something that a what-if can be about: what it is ``now`` (null: not known), and between what the model has seen it.
    ``whole``: it is a count.
    """

    name: str
    column: str
    doc: str
    unit: str
    window_days: int | None
    now: float | None
    low: float
    high: float
    whole: bool


class Levers(Answer):
    """Outcome → what can be set, for each outcome that the account has a score of."""

    account: str
    outcomes: dict[str, list[Lever]]
