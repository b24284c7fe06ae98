"""The rows of the simulated world that follow from the states of mind, whoever leaves or advocates.

All is drawn as if no account ever left; ``simulated`` cuts the rows at the
account's end and at the end of the world.
"""

from __future__ import annotations

import numpy as np

from features.sources.simulated_lives import (
    CURRENCIES,
    INDUSTRIES,
    LINES,
    OWNERS,
    SEGMENTS,
    Calendar,
    Coded,
    Columns,
    Firms,
    Flags,
    Floats,
    Ints,
    Minds,
    People,
    codes,
    happens,
    numbers,
    only,
    sigmoid,
)
from features.tables import INSTRUMENTS, ROLES, SEVERITIES

QUARTER = 91.25  # days
COUNTRIES = ("DE", "FR", "GB", "US", "NL", "SE")
EVENTS = ("login", "report", "export", "api", "invite", "admin")
ASKED_ABOUT = ("relationship", "product", "support", "onboarding", "review meeting")
TOUCHES = ("call", "e-mail", "review meeting")
CONSENTS = ("reference", "review", "reference;review", "case study;reference", "speaking;community", "social")
STAGES = ("lead", "qualified", "proposal")
PRAISE = ("Works well for us.", "Great support.", "Saves us hours.", "Would recommend it.")
DOUBTS = ("Too slow.", "Support takes too long.", "Hard to use.", "Not worth the price.")
MIXED = ("It does the job.", "Some rough edges.", "Fine so far.")


def accounts(rng: np.random.Generator, when: Calendar, firms: Firms) -> Columns:
    number = len(firms)
    earlier = (rng.random(number) * np.arange(number)).astype(np.int64)
    child = happens(rng, firms.created, 0.1) & (np.arange(number) > 0)
    served = happens(rng, firms.created, 0.25)
    handed_over = served & happens(rng, firms.created, 0.4)
    partner_since = only(handed_over, firms.created + rng.uniform(0, 500, number))
    served &= ~(partner_since >= when.end)
    buying = rng.choice(len(COUNTRIES), number, p=(0.3, 0.2, 0.15, 0.2, 0.1, 0.05))
    using = np.where(happens(rng, buying, 0.15), rng.integers(0, len(COUNTRIES), number), buying)
    billing = np.where(happens(rng, buying, 0.08), rng.integers(0, len(COUNTRIES), number), buying)
    first, second = ("North", "Blue", "Iron", "Clear", "Silver"), ("wind", "field", "bridge", "works", "line")
    names = [f"{first[n % 5]}{second[n // 5 % 5]} {id_[8:]}" for n, id_ in enumerate(firms.ids)]
    return {
        "account": np.arange(number),
        "name": Coded(names, np.arange(number)),
        "parent": Coded(firms.ids, np.where(child, earlier, -1)),
        "partner": Coded(
            tuple(f"partner-{n}" for n in range(1, 13)), np.where(served, rng.integers(0, 12, number), -1)
        ),
        "partner_since": only(served, partner_since),
        "segment": Coded(SEGMENTS, firms.segment),
        "industry": Coded(INDUSTRIES, firms.industry),
        "line_of_business": Coded(LINES, firms.line),
        "owner": Coded(OWNERS, firms.owner),
        "buying_country": Coded(COUNTRIES, buying),
        "using_country": Coded(COUNTRIES, using),
        "billing_country": Coded(COUNTRIES, billing),
        "size": firms.size,
        "created": firms.created,
    }


def contacts(rng: np.random.Generator, people: People) -> Columns:
    number = len(people.ids)
    agreed = happens(rng, people.joined, 0.4)
    consent_at = people.joined + rng.exponential(200, number)
    agreed &= ~(consent_at >= people.left)
    return {
        "contact": np.arange(number),
        "account": people.account,
        "role": Coded(ROLES, people.role),
        "champion_contact": people.champion,
        "joined": people.joined,
        "left": people.left,
        "consent": Coded(CONSENTS, np.where(agreed, rng.integers(0, len(CONSENTS), number), -1)),
        "consent_at": only(agreed, consent_at),
    }


def usage(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, alive: Flags
) -> Columns:
    """Events on the account's active days: more with seats and health, with a yearly season by industry."""
    number = np.array([day.month for day in when.days])
    industry = np.arange(len(INDUSTRIES))[:, None]
    season = 1 + (0.05 + 0.04 * industry) * np.cos(2 * np.pi * (number - 1 - 2 * industry) / 12)
    age = (when.edges[None, 1:] - firms.starts[:, None]) / 90
    rate = 30 * (firms.seats[:, None] / 40) ** 0.4 * minds.depth * season[firms.industry] * np.clip(age, 0.4, 1)
    events = rng.poisson(rate * alive)
    cell = np.repeat(np.arange(events.size), events.ravel())
    account, month = cell // when.months, cell % when.months
    active, shift = minds.active.ravel()[cell], rng.random(events.size)[cell]
    time = when.moments(rng, month, (np.floor(rng.random(len(cell)) * active) + shift) / active)
    event = np.searchsorted(np.cumsum((0.5, 0.2, 0.1, 0.12, 0.03)), rng.random(len(cell)), side="right")
    amount = np.array((np.nan, 12.0, 40.0, 150.0, np.nan, np.nan))[event] * rng.exponential(1, len(cell))
    return {
        "account": account,
        "contact": people.pick(rng, account, month, time),
        "occurred_at": time,
        "event": Coded(EVENTS, event),
        "value": np.round(amount, 2),
    }


def _scattered(rng: np.random.Generator, when: Calendar, rate: Floats) -> tuple[Ints, Ints, Floats]:
    """Account, month and moment of events that come at a rate per account and month."""
    events = rng.poisson(rate)
    cell = np.repeat(np.arange(events.size), events.ravel())
    month = cell % when.months
    return cell // when.months, month, when.moments(rng, month, rng.random(len(cell)))


def tickets(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, born: Flags
) -> Columns:
    """Requests for help; ``reopened`` lies before ``resolved``, which is the final resolution."""
    rate = 0.55 * np.exp(-0.4 * minds.health) * (firms.seats[:, None] / 40) ** 0.3 * born
    account, month, opened = _scattered(rng, when, rate)
    number = len(account)
    health = minds.health[account, month]
    escalates = happens(rng, opened, sigmoid(-2.3 - 0.7 * health))
    reopens = happens(rng, opened, np.where(escalates, 0.25, 0.08))
    first_response = opened + rng.exponential(np.where(health < 0, 0.5, 0.25))
    work = rng.lognormal(0.7, 0.9, number) * np.where(escalates, 2.5, 1)
    resolved = first_response + np.where(happens(rng, opened, 0.02), np.inf, work)
    return {
        "account": account,
        "contact": people.pick(rng, account, month, opened),
        "opened": opened,
        "first_response": first_response,
        "resolved": resolved,
        "escalated": only(escalates, opened + rng.uniform(0.2, 0.9, number) * (first_response - opened + work)),
        "reopened": only(reopens, first_response + rng.uniform(0.5, 0.95, number) * work),
        "severity": Coded(SEVERITIES, rng.choice(4, number, p=(0.25, 0.5, 0.2, 0.05))),
        "contacts_needed": 1 + rng.poisson(np.where(escalates, 2.5, 0.8)),
        "handoffs": rng.poisson(np.where(escalates, 2.0, 0.4)),
    }


def outreach(
    rng: np.random.Generator, when: Calendar, firms: Firms, people: People, minds: Minds, born: Flags
) -> Columns:
    """Touches, more of them to accounts in poor health, of which 15% are held out at random."""
    at_risk = minds.health < -0.7
    account, month, time = _scattered(rng, when, np.where(at_risk, 0.7, 0.3) * born)
    number = len(account)
    held_out = at_risk[account, month] & happens(rng, time, 0.15)
    proactive = held_out | happens(rng, time, 0.7)
    done = time + np.where(proactive, rng.uniform(0.5, 14, number), 0)
    outcomes = ("reached", "no answer", "next step agreed")
    contact = people.pick(rng, account, month, time)
    kind = Coded(TOUCHES, rng.choice(len(TOUCHES), number, p=(0.4, 0.35, 0.25)))
    done = only(~held_out & (~proactive | happens(rng, time, 0.88)), done)
    return {
        "account": account,
        "contact": contact,
        "kind": kind,
        "planned": only(proactive, time),
        "done": done,
        "owner": Coded(OWNERS, firms.owner[account]),
        "outcome": Coded(outcomes, rng.choice(3, number, p=(0.5, 0.3, 0.2))),
        "outcome_at": done,
        "proactive": proactive,
        "held_out": held_out,
    }


def feedback(
    rng: np.random.Generator,
    when: Calendar,
    firms: Firms,
    people: People,
    minds: Minds,
    tickets: Columns,
    outreach: Columns,
) -> Columns:
    """Questions after moments of truth and every quarter; answers follow mood, and the unhappy answer less."""
    quarter = (np.arange(when.months) + rng.integers(0, 3, (len(firms), 1))) % 3 == 0
    who, month, place = np.nonzero(people.present & quarter[:, :, None] & (rng.random(people.present.shape) < 0.5))
    asked = when.moments(rng, month, rng.random(len(month)))
    contact = people.slot[who, place]
    there = (people.joined[contact] < asked) & (asked < people.left[contact]) & (firms.starts[who] < asked)
    product = np.where(happens(rng, who, 0.2), 1, 0)
    surveys = [_questions(who, contact, asked, 0, product, there)]
    after = numbers(tickets["resolved"]) + rng.uniform(0.02, 1, len(codes(tickets["account"])))
    effort = np.where(happens(rng, after, 0.3), 2, 1)
    upset = np.where(np.isfinite(numbers(tickets["escalated"])), -1.0, 0.0)
    asks = happens(rng, after, 0.6) & np.isfinite(after)
    surveys.append(_questions(codes(tickets["account"]), codes(tickets["contact"]), after, effort, 2, asks, upset))
    welcome = firms.starts + rng.uniform(30, 60, len(firms))
    greeter = people.slot[:, 0]
    surveys.append(_questions(np.arange(len(firms)), greeter, welcome, 1, 3, welcome < people.left[greeter]))
    met = numbers(outreach["done"]) + 0.1
    meeting = (codes(outreach["kind"]) == TOUCHES.index("review meeting")) & np.isfinite(met)
    surveys.append(_questions(codes(outreach["account"]), codes(outreach["contact"]), met, 3, 4, meeting))
    rows = {name: np.concatenate([survey[name] for survey in surveys]) for name in surveys[0]}
    within = (rows["asked"] < when.end) & (rows["asked"] >= 0)
    return _answers(rng, when, people, minds, {name: column[within] for name, column in rows.items()})


def _questions(
    account: Ints,
    contact: Ints,
    asked: Floats,
    instrument: Ints | int,
    touchpoint: Ints | int,
    keep: Flags,
    upset: Floats | float = 0.0,
) -> dict[str, Floats]:
    columns = (account, contact, asked, instrument, touchpoint, upset)
    names = ("account", "contact", "asked", "instrument", "touchpoint", "upset")
    spread = [np.broadcast_to(np.asarray(column, dtype=np.float64), account.shape)[keep] for column in columns]
    return dict(zip(names, spread, strict=True))


def _answers(
    rng: np.random.Generator, when: Calendar, people: People, minds: Minds, rows: dict[str, Floats]
) -> Columns:
    account, contact, instrument = (rows[name].astype(np.int64) for name in ("account", "contact", "instrument"))
    number = len(account)
    bias = np.array((-0.3, 0.0, 0.4, 0.1, 0.2, -0.1))[people.role[contact]] * (contact >= 0)
    mood = minds.mood[account, when.month(rows["asked"])] + bias + rows["upset"]
    answered = happens(rng, mood, sigmoid(-0.1 + 0.35 * mood))
    centre, slope, noise = np.array(((7.4, 1.7, 1.2), (3.8, 0.7, 0.7), (5.0, 1.0, 1.0), (3.9, 0.6, 0.7)))[instrument].T
    scale = np.array((10.0, 5.0, 7.0, 5.0))[instrument]
    lowest = np.where(instrument == 0, 0, 1)
    score = np.clip(np.round(centre + slope * mood + noise * rng.normal(size=number)), lowest, scale)
    share = (score - lowest) / (scale - lowest)
    phrase = np.where(share > 0.75, 0, np.where(share > 0.5, 8, 4)) + rng.integers(0, 3, number)
    speaks = answered & happens(rng, score, 0.25)
    return {
        "account": account,
        "contact": contact,
        "asked": rows["asked"],
        "responded": only(answered, rows["asked"] + rng.exponential(2.5, number)),
        "instrument": Coded(INSTRUMENTS, instrument),
        "score": only(answered, score),
        "scale": scale,
        "touchpoint": Coded(ASKED_ABOUT, rows["touchpoint"].astype(np.int64)),
        "verbatim": Coded(PRAISE + DOUBTS + MIXED, np.where(speaks, phrase, -1)),
    }


def invoices(
    rng: np.random.Generator, when: Calendar, firms: Firms, minds: Minds, contracts: Columns, gone: Floats
) -> Columns:
    """A quarter's share of the term's revenue each, due after 30 days, paid late in tardy months."""
    owner, starts = codes(contracts["account"]), numbers(contracts["starts"])
    stop = np.fmin(np.fmin(numbers(contracts["ends"]), gone[owner]), when.end)
    number = np.maximum(0, np.ceil((stop - starts) / QUARTER)).astype(np.int64)
    term = np.repeat(np.arange(len(owner)), number)
    step = np.arange(len(term)) - np.repeat(np.cumsum(number) - number, number)
    issued = starts[term] + QUARTER * step
    term, issued = term[issued >= 0], issued[issued >= 0]
    account = owner[term]
    late = minds.tardy[account, when.month(issued)] & happens(rng, issued, 0.9)
    wait = np.where(late, 40 + rng.exponential(15, len(term)), np.clip(rng.normal(24, 5, len(term)), 1, 38))
    return {
        "account": account,
        "issued": issued,
        "due": issued + 30,
        "paid": issued + np.where(happens(rng, issued, 0.01), np.inf, wait),
        "amount": np.round(numbers(contracts["arr"])[term] / 4, 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }


def deals(rng: np.random.Generator, when: Calendar, firms: Firms) -> Columns:
    account = np.nonzero(happens(rng, firms.created, 0.6))[0]
    opened = np.maximum(firms.starts[account], 0) + rng.uniform(0, when.end, len(account))
    known = happens(rng, opened, 0.6)
    decided = opened + rng.lognormal(4, 0.6, len(account))
    outcome = rng.random(len(account))
    return {
        "account": np.where(known, account, -1),
        "stage": Coded(STAGES, rng.integers(0, len(STAGES), len(account))),
        "opened": opened,
        "won": only(outcome < 0.35, decided),
        "lost": only(outcome > 0.5, decided),
        "industry": Coded(INDUSTRIES, firms.industry[account]),
        "product": Coded(LINES, rng.integers(0, len(LINES), len(account))),
        "region": Coded(COUNTRIES, rng.integers(0, len(COUNTRIES), len(account))),
        "value": np.round(firms.arr[account] * rng.lognormal(-1, 0.5, len(account)), 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }


def costs(rng: np.random.Generator, when: Calendar, firms: Firms) -> Columns:
    account = np.repeat(np.arange(len(firms)), when.months)
    spread = rng.lognormal(-4.5, 0.4, len(account))
    return {
        "account": account,
        "occurred_at": np.tile(when.edges[1:] - 0.5, len(firms)),
        "amount": np.round(firms.arr[account] * spread, 2),
        "currency": Coded(CURRENCIES, firms.currency[account]),
    }
