"""A client of the service, thin over httpx: every method is one request, answers are typed as the service declares them.

    with Client("http://localhost:3000", key="pk_…") as service:
        for score in service.scores("churn", sort="-arr"):
            print(score["account"], score["probability"], score["stale"])
        service.touch("account-0000042", kind="e-mail", by="ann")

Where the service refuses, PropensityError has its words, its hint and its status. Requests that write carry an
``Idempotency-Key`` of their own, and are sent again where the connection fails: they write once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote
from uuid import uuid4

import httpx

from features.errors import PropensityError
from serving.web import accounts, answers, findings, records

TRIES = 3


class Client:
    """Talks to one service. ``key`` is an API key, not needed where the service is open; ``timeout`` in seconds.

    ``by`` says who writes, for services that are open; with a key it is the key's holder and stays None. A method raises
    PropensityError where the service refuses, and with status 503 where it cannot be reached.
    """

    def __init__(
        self, url: str, key: str | None = None, timeout: float = 30, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport, trust_env=False)
        self._url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def health(self) -> answers.Health:
        return self._get("/v1/health")

    def of_account(self, account: str) -> answers.OfAccount:
        """Its score of every outcome, or why there is none."""
        return self._get(f"/v1/accounts/{_part(account)}/scores")

    def score(self, outcome: str, accounts: Sequence[str]) -> answers.Scores:
        """Up to 10,000 accounts, in the order given."""
        return self._post("/v1/score", {"outcome": outcome, "accounts": list(accounts)})

    def score_stream(self, outcome: str, accounts: Sequence[str]) -> Iterator[answers.Told | answers.Unscored]:
        """The same, each as it comes. Raises PropensityError where something goes wrong on the way."""
        yield from self._lines("/v1/score/stream", {"outcome": outcome, "accounts": list(accounts)})

    def now(self, account: str, outcome: str) -> answers.Now:
        """What the model says of an account's facts as they are now."""
        return self._get(f"/v1/accounts/{_part(account)}/now", outcome=outcome)

    def score_features(self, outcome: str, rows: Sequence[Mapping[str, Any]]) -> answers.OfRows:
        """Feature rows of one's own, up to 1,000; what is left out is null."""
        return self._post("/v1/score/features", {"outcome": outcome, "rows": [dict(row) for row in rows]})

    def scores(
        self,
        outcome: str,
        *,
        sort: str = "rank",
        owner: str | None = None,
        segment: str | None = None,
        page_size: int = 500,
    ) -> Iterator[answers.PageLine]:
        """All scores of an outcome, page by page. Raises PropensityError (409) where a new batch comes in between."""
        asked = {"outcome": outcome, "sort": sort, "owner": owner, "segment": segment, "page_size": page_size}
        yield from self._pages("/v1/scores", "scores", asked)

    def stored(self, score_id: str) -> answers.Told:
        """A score as it was shown."""
        return self._get(f"/v1/scores/{_part(score_id)}")

    def replay(self, score_id: str) -> answers.Replayed:
        """The same made again from what was kept."""
        return self._get(f"/v1/scores/{_part(score_id)}/replay")

    def explain(self, account: str, outcome: str) -> answers.Explained:
        return self._get(f"/v1/accounts/{_part(account)}/explain", outcome=outcome)

    def movement(self, account: str, outcome: str | None = None, since: date | None = None) -> answers.Movement:
        """Why its score moved, since a date or since the score before."""
        return self._get(f"/v1/accounts/{_part(account)}/movement", outcome=outcome, since=since and since.isoformat())

    def what_if(self, account: str, changes: Mapping[str, float], outcome: str | None = None) -> answers.WhatIf:
        return self._post(f"/v1/accounts/{_part(account)}/what-if", {"changes": dict(changes), "outcome": outcome})

    def levers(self, account: str) -> accounts.Levers:
        """What a what-if can be about, and within what."""
        return self._get(f"/v1/accounts/{_part(account)}/levers")

    def curve(self, account: str) -> answers.Curve:
        return self._get(f"/v1/accounts/{_part(account)}/curve")

    def search(self, q: str, top: int = 20) -> accounts.Found:
        """Accounts by name or id, and contacts by id."""
        return self._get("/v1/search", q=q, top=top)

    def signals(self, account: str, as_of: date | None = None) -> accounts.Signals:
        """Every signal as of a date, with its age and source."""
        return self._get(f"/v1/accounts/{_part(account)}/signals", as_of=as_of and as_of.isoformat())

    def people(self, account: str, as_of: date | None = None) -> accounts.People:
        return self._get(f"/v1/accounts/{_part(account)}/people", as_of=as_of and as_of.isoformat())

    def timeline(self, account: str, as_of: date | None = None, top: int = 100) -> accounts.Timeline:
        """What happened, and what we did, the last first."""
        return self._get(f"/v1/accounts/{_part(account)}/timeline", as_of=as_of and as_of.isoformat(), top=top)

    def history(self, account: str) -> accounts.History:
        """Its scores as they were shown, and the version that made each."""
        return self._get(f"/v1/accounts/{_part(account)}/history")

    def list(self, outcome: str, top: int | None = None, owner: str | None = None) -> answers.List:
        """The highest scores of an outcome."""
        return self._get(f"/v1/lists/{_part(outcome)}", top=top, owner=owner)

    def calls(
        self,
        capacity: int | None = None,
        owner: str | None = None,
        segment: str | None = None,
        country: str | None = None,
        line_of_business: str | None = None,
    ) -> answers.Calls:
        """Whom to call, by what a call is expected to bring."""
        among = {"owner": owner, "segment": segment, "country": country, "line_of_business": line_of_business}
        return self._get("/v1/calls", capacity=capacity, **among)

    def advocates(
        self,
        top: int | None = None,
        skip: int = 0,
        owner: str | None = None,
        kind: str | None = None,
        sort: Literal["likeliest", "least effort"] = "likeliest",
    ) -> answers.Advocates:
        """Whom to ask to speak up for us."""
        return self._get("/v1/advocates", top=top, skip=skip, owner=owner, kind=kind, sort=sort)

    def blocked(
        self, top: int = 100, skip: int = 0, owner: str | None = None, rule: str | None = None
    ) -> answers.Blocked:
        """Who may not be asked, why, and until when."""
        return self._get("/v1/advocates/blocked", top=top, skip=skip, owner=owner, rule=rule)

    def open_asks(self, top: int = 100, skip: int = 0, owner: str | None = None) -> answers.OpenAsks:
        """Asked and not answered, or accepted and not done."""
        return self._get("/v1/asks", top=top, skip=skip, owner=owner)

    def eligibility(self, account: str) -> answers.Eligible:
        return self._get(f"/v1/accounts/{_part(account)}/eligibility")

    def alerts(self, owner: str | None = None) -> findings.Alerts:
        """What calls for somebody's attention; reading raises none."""
        return self._get("/v1/alerts", owner=owner)

    def states(self, months: int = 12, state: findings.State | None = None, top: int = 100) -> findings.States:
        """Where everybody stands and who became what; ``top`` accounts are named, of one state or of all."""
        return self._get("/v1/states", months=months, state=state, top=top)

    def state(self, account: str, months: int = 12) -> findings.StateOf:
        """Where one account stands, by which rules, and where it stood before."""
        return self._get(f"/v1/accounts/{_part(account)}/state", months=months)

    def portfolio(self, by: str = "global", top: int = 100, start: int = 0, **within: str) -> findings.Portfolio:
        """Every measure at a level, of what is ``within`` groups or labels of others: ``by="country", owner="ann"``,
        ``by="account", states="at risk"``.
        """
        return self._get("/v1/portfolio", by=by, top=top, start=start, **within)

    def programme(self, days: int | None = None) -> findings.Programme:
        """What the advocacy programme came to."""
        return self._get("/v1/programme", days=days)

    def stories(self, top: int | None = None) -> findings.Stories:
        """Which stories open deals want and no advocate tells."""
        return self._get("/v1/stories", top=top)

    def effect(self) -> findings.Effect:
        """What calls did, beside those held out at random."""
        return self._get("/v1/effect")

    def beacon(self, outcome: str | None = None) -> findings.Beacon:
        """Which metrics foretell; takes long the first time."""
        return self._get("/v1/beacon", outcome=outcome)

    def worth(self, metric: str | None = None) -> findings.Worth:
        """What ten points of a metric go with; takes long the first time."""
        return self._get("/v1/worth", metric=metric)

    def initiative(
        self,
        cost: float,
        metric: str | None = None,
        points: float = 10,
        segment: str | None = None,
        owner: str | None = None,
    ) -> findings.Initiative:
        """What raising a metric would be worth; without a metric, what calls are."""
        asked = {"metric": metric, "points": points, "segment": segment, "owner": owner}
        return self._get("/v1/initiative", cost=cost, calls="true" if metric is None else None, **asked)

    def overrides(self, account: str) -> answers.Overrides:
        return self._get(f"/v1/accounts/{_part(account)}/overrides")

    def log(
        self, account: str | None = None, about: str | None = None, page_size: int = 500
    ) -> Iterator[answers.Entry]:
        """What was written down, the last first."""
        yield from self._pages("/v1/log", "entries", {"account": account, "about": about, "page_size": page_size})

    def models(self) -> answers.Models:
        return self._get("/v1/models")

    def judged(self, outcome: str, version: int) -> records.Judged:
        """How a version was judged when it was trained."""
        return self._get(f"/v1/models/{_part(outcome)}/versions/{version}")

    def backtest(self, outcome: str) -> records.Backtest:
        """The last backtest that was made of an outcome."""
        return self._get(f"/v1/models/{_part(outcome)}/backtest")

    def data(self) -> records.Data:
        """What the data came to when it was read, and what is not as it used to be."""
        return self._get("/v1/data")

    def touch(
        self,
        account: str,
        *,
        kind: str = "call",
        contact: str | None = None,
        done: bool = False,
        outcome: str | None = None,
        at: datetime | None = None,
        by: str | None = None,
    ) -> answers.Wrote:
        """A touch: planned, or done already and perhaps with what came of it."""
        body = {"account": account, "kind": kind, "contact": contact, "done": done, "outcome": outcome}
        return self._write("/v1/outreach", body, at, by)

    def done(
        self, touch: str, outcome: str | None = None, at: datetime | None = None, by: str | None = None
    ) -> answers.Wrote:
        """A planned touch was done."""
        return self._write(f"/v1/outreach/{_part(touch)}/done", {"outcome": outcome}, at, by)

    def outcome(self, touch: str, outcome: str, at: datetime | None = None, by: str | None = None) -> answers.Wrote:
        """What came of a touch that was done."""
        return self._write(f"/v1/outreach/{_part(touch)}/outcome", {"outcome": outcome}, at, by)

    def plan(self, capacity: int | None = None, by: str | None = None) -> answers.Planned:
        """Write the list of calls down, once for each as_of."""
        return self._post("/v1/calls/plan", {"capacity": capacity, "by": by})

    def opt_out(
        self, account: str, back: bool = False, at: datetime | None = None, by: str | None = None
    ) -> answers.Wrote:
        return self._write("/v1/opt-outs", {"account": account, "back": back}, at, by)

    def opinion(self, score_id: str, agrees: bool, why: str, by: str | None = None) -> answers.Wrote:
        return self._write(f"/v1/scores/{_part(score_id)}/opinion", {"agrees": agrees, "why": why}, None, by)

    def override(self, score_id: str, probability: float, why: str, by: str | None = None) -> answers.Wrote:
        """One's own probability, beside the model's."""
        body = {"probability": probability, "why": why}
        return self._write(f"/v1/scores/{_part(score_id)}/override", body, None, by)

    def ask(
        self,
        account: str,
        kind: str,
        *,
        contact: str | None = None,
        at: datetime | None = None,
        by: str | None = None,
    ) -> answers.Wrote:
        """Ask an account to speak up for us; PropensityError (409) names every rule against it."""
        return self._write("/v1/asks", {"account": account, "kind": kind, "contact": contact}, at, by)

    def accepted(self, ask: str, at: datetime | None = None, by: str | None = None) -> answers.Wrote:
        return self._write(f"/v1/asks/{_part(ask)}/accepted", {}, at, by)

    def declined(self, ask: str, at: datetime | None = None, by: str | None = None) -> answers.Wrote:
        return self._write(f"/v1/asks/{_part(ask)}/declined", {}, at, by)

    def ask_done(self, ask: str, at: datetime | None = None, by: str | None = None) -> answers.Wrote:
        return self._write(f"/v1/asks/{_part(ask)}/done", {}, at, by)

    def close_alert(self, alert: str, why: str, at: datetime | None = None, by: str | None = None) -> answers.Wrote:
        """Somebody has dealt with it."""
        return self._write(f"/v1/alerts/{_part(alert)}/close", {"why": why}, at, by)

    def snooze_alert(self, alert: str, until: date, at: datetime | None = None, by: str | None = None) -> answers.Wrote:
        """Not shown before a day."""
        return self._write(f"/v1/alerts/{_part(alert)}/snooze", {"until": until.isoformat()}, at, by)

    def promote(
        self,
        outcome: str,
        version: int | None = None,
        why: str | None = None,
        force: bool = False,
        by: str | None = None,
    ) -> answers.Move:
        """Make a version (by default the challenger) the champion."""
        body = {"version": version, "why": why, "force": force, "by": by}
        return self._post(f"/v1/models/{_part(outcome)}/promote", body)

    def rollback(self, outcome: str, champion: int, why: str | None = None, by: str | None = None) -> answers.Move:
        """From this champion back to the one before."""
        return self._post(f"/v1/models/{_part(outcome)}/rollback", {"champion": champion, "why": why, "by": by})

    def _get(self, path: str, **asked: Any) -> Any:
        return self._sent("GET", path, params={name: value for name, value in asked.items() if value is not None})

    def _post(self, path: str, body: Mapping[str, Any], **how: Any) -> Any:
        return self._sent("POST", path, json={name: value for name, value in body.items() if value is not None}, **how)

    def _write(self, path: str, body: Mapping[str, Any], at: datetime | None, by: str | None) -> Any:
        """Sent again where the connection fails, with the same key."""
        headers, when = {"Idempotency-Key": str(uuid4())}, None if at is None else at.isoformat(timespec="seconds")
        return self._post(path, {**body, "at": when, "by": by}, headers=headers, tries=TRIES)

    def _pages(self, path: str, lines: str, asked: Mapping[str, Any]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = self._get(path, **asked, cursor=cursor)
            yield from page[lines]
            cursor = page["next"]
            if cursor is None:
                return

    def _lines(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        try:
            with self._http.stream("POST", path, json=body) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refused(answer)
                for line in map(json.loads, answer.iter_lines()):
                    if "account" not in line:
                        raise PropensityError(line["error"], line["hint"], status=line["status"])
                    yield line
        except httpx.TransportError as error:
            raise self._unreached(error) from error

    def _unreached(self, error: httpx.TransportError) -> PropensityError:
        return PropensityError(
            f"the service at {self._url} cannot be reached: {error or type(error).__name__}",
            "Check that it is up: its /readyz answers 200.",
            status=503,
        )

    def _sent(self, method: str, path: str, tries: int = 1, **what: Any) -> Any:
        for left in reversed(range(tries)):
            try:
                answer = self._http.request(method, path, **what)
                break
            except httpx.TransportError as error:
                if not left:
                    raise self._unreached(error) from error
        if answer.is_success:
            return answer.json()
        raise _refused(answer)


def _refused(answer: httpx.Response) -> PropensityError:
    """The service's own words; where something before it answered, what that was."""
    try:
        told = answer.json()
        return PropensityError(str(told["error"]), str(told["hint"]), status=answer.status_code)
    except (ValueError, KeyError, TypeError):
        return PropensityError(
            f"{answer.request.url.copy_with(query=None)} answered {answer.status_code}, and not as propensity does",
            "Check the address.",
            status=answer.status_code,
        )


def _part(text: str) -> str:
    """One part of a path, whatever signs it has."""
    return quote(text, safe="")
