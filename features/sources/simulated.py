"""A simulated world: the exports of a B2B software company, with causes planted in them.

``simulate`` writes one Parquet file per canonical table, under the canonical
column names. Accounts are drawn in chunks, each from its own seed, and appended
to the files, so that any number of them fits in memory; the same World gives
the same bytes.

Health, mood, habits and slumps of an account are latent; they drive use,
tickets, answers, payments and touches. An account makes up its mind 60 days
before a term ends, and can leave only at that end. ``PLANTED`` lists what moves
the decision, and the willingness to act as an advocate; ``SIGNALS`` says where
each cause shows. Not additive: falling use works below a threshold, few active
days likewise, the loss of the champion contact only where fewer than four
contacts remain, and advocacy needs tenure *and* satisfaction.

``truth.parquet`` (account, as_of, chance) is for judging only and is never to
be mapped: the probability of leaving at the next end of a term, had the account
decided in the state of that month; in a world without signal, of leaving within
a year. Nor is ``truth_asks.parquet`` (account, as_of, asked, accepts): the chance
that an account is asked within the month that follows, and that it then says yes
to a kind of ask of ease 1 (``simulated_outcomes.chance_of_yes``), whether it was
asked or not; nothing in a world without signal, where nobody is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import PropensityError
from features.sources import simulated_lives as lives
from features.sources import simulated_outcomes as outcomes
from features.sources import simulated_rows as rows
from features.sources import simulated_words as words
from features.sources.simulated_dirt import soil
from features.sources.simulated_lives import CURRENCIES, Calendar, Coded, Columns, Flags, Floats, Value, numbers
from features.tables import TABLES, Table
from features.windows import MICROSECONDS_PER_DAY

CHUNK = 1000  # accounts drawn at a time
RATES_SEED = 2**31  # in place of the number of a chunk

ARROW_TYPES = {
    "id": pa.string(),
    "text": pa.string(),
    "category": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "number": pa.float64(),
    "money": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
}
OMITTED = {  # always null here, or told from text while it is read in
    "usage": ("event_id", "contract"),
    "tickets": ("sentiment", "topic"),
    "feedback": ("sentiment", "topic"),
}
HAPPENED = {  # the times at which a row comes into being: the first that is not null
    "accounts": ("created",),
    "contacts": ("joined",),
    "contracts": ("signed",),
    "usage": ("occurred_at",),
    "tickets": ("opened",),
    "feedback": ("asked",),
    "invoices": ("issued",),
    "advocacy": ("asked", "done"),
    "outreach": ("planned", "done"),
    "deals": ("opened",),
    "costs": ("occurred_at",),
}
LASTING = ("accounts", "contracts", "invoices", "deals")  # not cut when the account leaves
FORESEEN = ("starts", "ends", "due")  # may lie beyond the end of the world
LATE = {"usage": 0.03, "tickets": 0.05, "feedback": 0.05}  # share of rows that arrive after the fact
TRUTH = pa.schema([("account", pa.string()), ("as_of", pa.date32()), ("chance", pa.float64())])
TRUTH_ASKS = pa.schema(
    [("account", pa.string()), ("as_of", pa.date32()), ("asked", pa.float64()), ("accepts", pa.float64())]
)
TRUTHS = {"truth": TRUTH, "truth_asks": TRUTH_ASKS}


@dataclass(frozen=True)
class Cause:
    """A planted cause: more of it raises (+1) or lowers (-1) the probability of the outcome."""

    outcome: str
    cause: str
    sign: int
    signal: str


SIGNALS: dict[str, str] = {
    "usage_decline": "usage: events of 60 days far below the account's own 180 days before",
    "idle_days": "usage: few distinct days with events in 90 days",
    "usage_depth": "usage: events per contracts.seats in 90 days",
    "champion_departed": "contacts: champion_contact left in 120 days, fewer than four contacts there",
    "escalations": "tickets: escalated in 120 days (churn) or 60 days (advocacy)",
    "low_scores": "feedback: mean NPS score of 180 days below 7",
    "high_scores": "feedback: mean NPS score of 180 days of 9 or more",
    "late_payment": "invoices: paid more than 10 days after due, or due and unpaid, in 120 days",
    "term_end_near": "contracts: ends soon",
    "review_meeting": "outreach: kind 'review meeting' done in 120 days",
    "call": "outreach: kind 'call' done in 120 days",
    "tenure": "accounts: more than 180 days since created",
    "past_acts": "advocacy: acts done so far, up to three",
    "recent_act": "advocacy: an act done in 60 days",
}

PLANTED: tuple[Cause, ...] = (
    Cause("churn", "use falls below two thirds of the account's own usual", +1, "usage_decline"),
    Cause("churn", "the product is used on few days of the month", +1, "idle_days"),
    Cause("churn", "the champion contact left an account with few other contacts", +1, "champion_departed"),
    Cause("churn", "tickets were escalated", +1, "escalations"),
    Cause("churn", "survey scores are low", +1, "low_scores"),
    Cause("churn", "invoices are paid late", +1, "late_payment"),
    Cause("churn", "the end of the term is near", +1, "term_end_near"),
    Cause("churn", "a review meeting was held", -1, "review_meeting"),
    Cause("churn", "a call was made", -1, "call"),
    Cause("advocacy", "NPS answers are 9 or more", +1, "high_scores"),
    Cause("advocacy", "the account has acted before", +1, "past_acts"),
    Cause("advocacy", "the account has been with us for more than half a year", +1, "tenure"),
    Cause("advocacy", "use is high for the seats", +1, "usage_depth"),
    Cause("advocacy", "a ticket was escalated lately", -1, "escalations"),
    Cause("advocacy", "the account acted in the last 60 days", -1, "recent_act"),
)


@dataclass(frozen=True)
class World:
    """What to simulate; ``until`` is the last day on which anything has been recorded.

    Without ``signal`` churn and advocacy are pure chance; with ``late`` some rows arrive
    after the fact; with ``dirt`` some rows are duplicated, orphaned, reversed or absurd.
    ``asked`` is the chance that an account is asked for advocacy in a month: if it is happy, and if not.
    """

    accounts: int = 2500
    months: int = 30
    until: date = date(2026, 6, 30)
    seed: int = 7
    signal: bool = True
    late: bool = True
    dirt: bool = False
    asked: tuple[float, float] = outcomes.ASKED

    def __post_init__(self) -> None:
        for name, lowest in (("accounts", 1), ("months", 1), ("seed", 0)):
            if getattr(self, name) < lowest:
                raise PropensityError(f"{name} is {getattr(self, name)}", f"Use {lowest} or more.")


def simulate(world: World, directory: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, int]:
    """Write the world's tables and its truth into ``directory``; the number of rows of each canonical table.

    ``progress`` is told the accounts written and their total. Files appear under their names once all are complete.
    """
    when = lives.calendar(world.until, world.months)
    written = dict.fromkeys(TABLES, 0)
    with _files(directory) as files:

        def write(name: str, table: pa.Table, dirt: np.random.Generator) -> None:
            table = soil(name, table, dirt) if world.dirt else table
            files[name].write_table(table)
            written[name] += table.num_rows

        for chunk, first in enumerate(range(0, world.accounts, CHUNK)):
            fate, delay, dirt, talk = _generators(world.seed, chunk)
            drawn = _draw(fate, talk, when, first, min(CHUNK, world.accounts - first), world)
            for name, columns in drawn.tables.items():
                late = LATE.get(name, 0.0) if world.late else 0.0
                write(name, _exported(delay, when, drawn, TABLES[name], columns, f"{chunk}-", late), dirt)
            files["truth"].write_table(_truth(when, drawn))
            files["truth_asks"].write_table(_truth_asks(when, drawn))
            if progress:
                progress(first + len(drawn.firms), world.accounts)
        market, _, dirt, _ = _generators(world.seed, RATES_SEED)
        write("rates", _rates(market, when), dirt)
    return written


def _generators(seed: int, chunk: int) -> list[np.random.Generator]:
    """One each for what happens, what arrives late, dirt, and words: none of them moves the others."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence([seed, chunk]).spawn(4)]


@dataclass(frozen=True)
class _Drawn:
    """A chunk of accounts: all rows by table, when each account left, its chance of leaving by month, and those of asks."""

    firms: lives.Firms
    people: lives.People
    tables: dict[str, Columns]
    gone: Floats
    chance: Floats
    asking: outcomes.Asking | None


def _draw(
    rng: np.random.Generator, talk: np.random.Generator, when: Calendar, first: int, count: int, world: World
) -> _Drawn:
    """Draw ``count`` accounts numbered from ``first``; without signal outcomes are pure chance."""
    firms = lives.firms(rng, when, first, count)
    people = lives.people(rng, when, firms)
    minds = lives.minds(rng, firms, when)
    born = when.edges[None, 1:] > firms.starts[:, None]
    tickets = rows.tickets(rng, when, firms, people, minds, born)
    outreach = rows.outreach(rng, when, firms, people, minds, born)
    feedback = rows.feedback(rng, when, firms, people, minds, tickets, outreach)
    asking = None
    if world.signal:
        seen = outcomes.seen(when, people, minds, tickets, outreach, feedback)
        chance = outcomes.odds_of_leaving(firms, seen)
        contracts, gone = outcomes.terms(rng, when, firms, minds, chance)
        advocacy, asking = outcomes.advocacy(rng, when, firms, people, minds, seen, world.asked)
    else:
        chance = np.full(minds.health.shape, 1 - np.exp(-outcomes.YEARLY_CHURN))
        contracts, gone = outcomes.open_ended(rng, firms)
        advocacy = outcomes.acts_of_chance(rng, when, firms, people)
    tables = {
        "accounts": rows.accounts(rng, when, firms),
        "contacts": rows.contacts(rng, people),
        "contracts": contracts,
        "usage": rows.usage(rng, when, firms, people, minds, born & (when.edges[None, :-1] < gone[:, None])),
        "tickets": tickets | words.tickets(talk, when, minds, tickets),
        "feedback": feedback,
        "invoices": rows.invoices(rng, when, firms, minds, contracts, gone),
        "advocacy": advocacy,
        "outreach": outreach,
        "deals": rows.deals(rng, when, firms),
        "costs": rows.costs(rng, when, firms),
    }
    return _Drawn(firms, people, tables, gone, chance, asking)


@contextmanager
def _files(directory: Path) -> Iterator[Mapping[str, pq.ParquetWriter]]:
    """A writer for each table and the truth; renamed into place only if all goes well."""
    directory.mkdir(parents=True, exist_ok=True)
    schemas = {name: _schema(table) for name, table in TABLES.items()} | TRUTHS
    places = {name: directory / f"{name}.parquet.tmp" for name in schemas}
    writers = {name: pq.ParquetWriter(places[name], schemas[name], compression="zstd") for name in schemas}
    complete = False
    try:
        yield writers
        complete = True
    finally:
        for name, place in places.items():
            writers[name].close()
            if complete:
                place.replace(place.with_suffix(""))
            else:
                place.unlink()


def _schema(table: Table) -> pa.Schema:
    kept = [column for column in table.columns if column.name not in OMITTED.get(table.name, ())]
    return pa.schema([(column.name, ARROW_TYPES[column.type]) for column in kept])


def _exported(
    rng: np.random.Generator,
    when: Calendar,
    drawn: _Drawn,
    table: Table,
    columns: Columns,
    prefix: str,
    late: float,
) -> pa.Table:
    """The rows that are on record at the end of the world, with what is known of them by then."""
    schema = _schema(table)
    happened = _first(columns, HAPPENED[table.name])
    stop = np.full(len(happened), when.end)
    keep = np.ones(len(happened), dtype=np.bool_)
    if table.name not in LASTING:
        account = lives.codes(columns["account"])
        stop = np.minimum(stop, drawn.gone[account])
        keep = (table.name == "contacts") | (happened >= drawn.firms.starts[account])
    columns = _hidden(table, columns, stop)
    recorded_at = _arrivals(rng, _first(columns, ("responded", *HAPPENED[table.name])), late)
    keep &= (happened < stop) & ~(recorded_at >= when.end)
    if "recorded_at" in table.by_name:
        columns = columns | {"recorded_at": recorded_at}
    kept = {name: _rows(value, keep) for name, value in columns.items()}
    number = int(keep.sum())
    if table.key in schema.names and table.key not in columns:
        kept[table.key] = Coded([f"{table.key}-{prefix}{n}" for n in range(number)], np.arange(number))
    for name, pool in (("account", drawn.firms.ids), ("contact", drawn.people.ids)):
        if name in kept:
            kept[name] = Coded(pool, lives.codes(kept[name]))
    return pa.table([_array(kept[field.name], field.type, when) for field in schema], schema=schema)


def _first(columns: Columns, names: tuple[str, ...]) -> Floats:
    """The first of the named times that is not null, row by row."""
    present = [numbers(columns[name]) for name in names if name in columns]
    first = present[0]
    for following in present[1:]:
        first = np.where(np.isnan(first), following, first)
    return first


def _hidden(table: Table, columns: Columns, stop: Floats) -> Columns:
    """Empty the times that lie at or after ``stop``, and the values that became known at such a time."""
    times = {name: numbers(columns[name]) for name in table.of_type("time") if name in columns}
    shown = columns | {n: time if n in FORESEEN else lives.only(time < stop, time) for n, time in times.items()}
    for column in table.columns:
        if column.known in ("responded", "resolved", "outcome_at", "done", "consent_at") and column.name in columns:
            shown[column.name] = _emptied(columns[column.name], np.isnan(numbers(shown[column.known])))
    return shown


def _emptied(value: Value, where: Flags) -> Value:
    if isinstance(value, Coded):
        return Coded(value.pool, np.where(where, -1, value.codes))
    return np.where(where, np.nan, numbers(value))


def _arrivals(rng: np.random.Generator, happened: Floats, share: float) -> Floats:
    """When the late rows arrived: a few hours to 20 days after the fact; NaN for the others."""
    if not share:
        return np.full(len(happened), np.nan)
    delay = np.clip(rng.exponential(4, len(happened)), 0.1, 20)
    return np.where(rng.random(len(happened)) < share, happened + delay, np.nan)


def _rows(value: Value, keep: Flags) -> Value:
    return Coded(value.pool, value.codes[keep]) if isinstance(value, Coded) else value[keep]


def _array(value: Value, kind: pa.DataType, when: Calendar) -> pa.Array:
    """An Arrow array; NaN and -1 become null, days become instants of whole seconds."""
    if isinstance(value, Coded):
        return pa.array(value.pool, pa.string()).take(pa.array(value.codes, mask=value.codes < 0))
    if value.dtype != np.float64:
        return pa.array(value, kind)
    null = np.isnan(value)
    if not pa.types.is_timestamp(kind):
        return pa.array(value, mask=null).cast(kind)
    seconds = np.floor(np.where(null, 0, value) * 86_400).astype(np.int64)
    return pa.array(when.origin + seconds * (MICROSECONDS_PER_DAY // 86_400), mask=null).cast(kind)


def _truth(when: Calendar, drawn: _Drawn) -> pa.Table:
    """The chance of leaving of every account that is there at the end of a month."""
    ends = when.edges[None, 1:]
    account, month = np.nonzero((drawn.firms.starts[:, None] < ends) & (ends < drawn.gone[:, None]))
    ids = pa.array(drawn.firms.ids, pa.string()).take(pa.array(account))
    as_of = pa.array(when.days, pa.date32()).take(pa.array(month))
    return pa.table([ids, as_of, pa.array(drawn.chance[account, month])], schema=TRUTH)


def _truth_asks(when: Calendar, drawn: _Drawn) -> pa.Table:
    """The chances of every account that is there as a month begins, as of the day before it."""
    if drawn.asking is None:
        return TRUTH_ASKS.empty_table()
    opens = when.edges[None, 1:-1]
    account, month = np.nonzero((drawn.firms.starts[:, None] < opens) & (opens < drawn.gone[:, None]))
    ids = pa.array(drawn.firms.ids, pa.string()).take(pa.array(account))
    as_of = pa.array(when.days, pa.date32()).take(pa.array(month))
    chances = [pa.array(each[account, month + 1]) for each in (drawn.asking.asked, drawn.asking.accepts)]
    return pa.table([ids, as_of, *chances], schema=TRUTH_ASKS)


def _rates(rng: np.random.Generator, when: Calendar) -> pa.Table:
    """Monthly rates of the other currencies to EUR, from three years before the world on."""
    valid_from = np.concatenate([when.edges[0] - 365 * 3 + 30.0 * np.arange(36), when.edges[:-1]])
    walk = np.exp(np.cumsum(rng.normal(0, 0.01, (2, len(valid_from))), axis=1))
    columns: Columns = {
        "currency": Coded(CURRENCIES, np.repeat((1, 2), len(valid_from))),
        "valid_from": np.tile(valid_from, 2),
        "rate": np.round((np.array([[0.92], [1.16]]) * walk).ravel(), 4),
    }
    schema = _schema(TABLES["rates"])
    return pa.table([_array(columns[field.name], field.type, when) for field in schema], schema=schema)
