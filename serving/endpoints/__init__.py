"""One file per endpoint; a new one is a ``router`` here and its name in ``serving.web.application.ENDPOINTS``.

Its ``SCOPE`` is what a key needs: "read", "write" or "admin". ``OWNED = True`` says that it asks its ``Caller`` whose
accounts may be told of; where an endpoint does not say so, keys of one owner are refused. Here is what endpoints share:
the workspace as it is served, who asks, and what may be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema

from features.errors import PropensityError
from serving.stores.log import Entry, Within
from serving.stores.once import Request as Named
from serving.stores.once import once
from serving.web.answers import Problem
from serving.web.guard import Json
from serving.web.live import Live
from serving.work import writing
from serving.work.asking import Situation
from serving.work.funnel import is_learnt, learn

DATE = r"^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
INSTANT = (
    r"^2[01]\d{2}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-9]))"
    r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-](0\d|1[0-3]):[0-5]\d)?)?$"
)


async def _loaded(request: Request) -> Live:
    live = getattr(request.app.state, "live", None)
    if not isinstance(live, Live):
        raise PropensityError("the service is still loading", "Ask again once /readyz answers 200.", status=503)
    return live


Loaded = Annotated[Live, Depends(_loaded)]
"""What an endpoint declares to get the workspace as it is served."""


@dataclass(frozen=True)
class Caller:
    """Who asks: ``name`` is that of their key, None where the service is open; ``owner`` is whose accounts alone they see,
    None for all.
    """

    name: str | None
    owner: str | None
    live: Live

    def sees(self, account: str) -> bool:
        return self.owner is None or self.live.owners.get(account) == self.owner

    def require(self, *accounts: str) -> None:
        """Raises PropensityError (404) where an account is unknown, or not theirs, in the same words."""
        for account in accounts:
            if account not in self.live.owners or not self.sees(account):
                raise self.live.stranger(account)

    def whose(self, owner: str | None) -> str | None:
        """Whose accounts are asked for: their own, where they see no others."""
        if self.owner is not None and owner not in (None, self.owner):
            raise PropensityError(f"this key sees the accounts of {self.owner!r} alone", "Leave owner out.", status=403)
        return self.owner or owner

    def everybody(self) -> None:
        """Raises PropensityError (403) where they see some accounts alone."""
        if self.owner is not None:
            raise PropensityError(
                f"this key sees the accounts of {self.owner!r} alone", "Ask with a key for all accounts.", status=403
            )

    def by(self, said: str | None) -> str:
        """Under which name something is written down."""
        if self.name is not None and said not in (None, self.name):
            raise PropensityError(
                f"the key is that of {self.name!r}, and the body says {said!r}", "Leave `by` out.", status=403
            )
        if (name := self.name or said) is None:
            raise PropensityError("the body does not say who: `by` is missing", "Say who writes this, or use a key.")
        return name


async def caller_of(request: Request, live: Loaded) -> Caller:
    key = getattr(request.state, "key", None)
    if key is None or not getattr(key, "id", True):
        return Caller(None, None, live)
    return Caller(key.name, key.owner, live)


Asking = Annotated[Caller, Depends(caller_of)]
"""What an endpoint declares to know who asks."""


@dataclass(frozen=True)
class Writer:
    """Who writes, and the key that they gave the request, if they did."""

    caller: Caller
    path: str
    key: str | None

    def named(self, key: str) -> Writer:
        """The same, for a request that has this key."""
        return replace(self, key=key)

    def write(self, by: str, body: str, make: Callable[[Within | None], tuple[Sequence[Entry], int]]) -> Json:
        """What ``make`` wrote: 201 where something is new, 200 where all of it was there."""
        named = None if self.key is None else Named.of(self.caller.name or by, self.key, self.path, body)
        live = self.caller.live
        answer = once(live.kept.log, named, live.workspace.config.service.remember_days, make)
        return Json(answer, 201 if answer["new"] else 200)

    def add(self, by: str, body: str, make: Callable[[], list[Entry]]) -> Json:
        """Write the entries that ``make()`` makes, of accounts that are known and theirs to see."""
        log = self.caller.live.kept.log

        def written(within: Within | None) -> tuple[Sequence[Entry], int]:
            entries = make()
            self.caller.require(*(entry.account for entry in entries))
            return entries, log.add(entries, within=within)

        return self.write(by, body, written)

    def follow(
        self,
        about: str,
        thing: str,
        events: Sequence[tuple[str, str | None]],
        said: str | None,
        at: str | None,
        body: str,
    ) -> Json:
        """Write what came after of a touch or an ask that the log knows."""
        by, when, log = self.caller.by(said), instant(at), self.caller.live.kept.log
        return self.add(by, body, lambda: writing.following(log, about, thing, events, by, when))


async def _writer(
    request: Request,
    caller: Asking,
    idempotency_key: Annotated[
        str | SkipJsonSchema[None],
        Header(
            alias="Idempotency-Key",
            pattern=r"^[\x21-\x7e]{1,200}$",
            description="Chosen by the sender, new for each thing to write: the same request sent again with the same key "
            "writes nothing and is answered as it was.",
            examples=["4f6c1c1e-2f0a-4a63-9f2f-3d6c0a0f7b11"],
        ),
    ] = None,
) -> Writer:
    return Writer(caller, request.url.path, idempotency_key)


Writing = Annotated[Writer, Depends(_writer)]
"""What an endpoint declares to write to the log."""


def _encodable(text: str) -> str:
    """JSON can carry halves of signs that no store can."""
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise ValueError("has half a sign in it")
    return text


PLAIN = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
"""Text that can be read: no control signs, not only blanks."""
Short = Annotated[str, Field(max_length=200, pattern=PLAIN), AfterValidator(_encodable)]
Long = Annotated[str, Field(max_length=2000, pattern=PLAIN), AfterValidator(_encodable)]
By = Annotated[
    Short | None, Field(description="Who says so; needed only where the service takes no keys.", examples=["ann"])
]
At = Annotated[
    str | None,
    Field(pattern=INSTANT, description="When: ISO 8601, in UTC where no zone is named; by default now."),
]
AccountId = Annotated[
    str, Path(description="Id of the account, as the accounts table has it.", examples=["account-0000042"])
]
ScoreId = Annotated[
    str, Path(pattern="^[0-9a-f]{20}$", description="Id of a stored score.", examples=["3f9c0d1e2b4a5f607182"])
]
Thing = Annotated[
    str,
    Path(max_length=200, pattern=PLAIN, description="Id from the log.", examples=["t-3f9c0d1e2b4a"]),
    AfterValidator(_encodable),
]

OutcomeName = Annotated[str, Query(description="Which outcome.", examples=["churn"])]
AnyOutcome = Annotated[str | None, Query(description="One outcome; by default all.", examples=["churn"])]
AsOf = Annotated[
    str | None,
    Query(pattern=DATE, description="What was known by the end of this day; by default, what is known by now."),
]
Owner = Annotated[str | None, Query(min_length=1, description="Only accounts that this person looks after.")]
Segment = Annotated[str | None, Query(min_length=1, description="Only accounts of this segment.")]
Country = Annotated[str | None, Query(min_length=1, description="Only accounts that decide to buy in this country.")]
LineOfBusiness = Annotated[str | None, Query(min_length=1, description="Only accounts of this line of business.")]


def instant(text: str | None) -> datetime | None:
    """As declared by ``At``; raises PropensityError where there is no such day."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PropensityError(f"at is {text!r}, and there is no such instant", "Write YYYY-MM-DDTHH:MM:SSZ.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


PATIENCE = 40.0
"""Seconds that a request waits for what takes minutes; a page waits less."""


def situation_of(live: Live, seconds: float = PATIENCE) -> Situation:
    """Who may be asked what, as it stands by now: found out once for each batch, and after that what the log says since.

    Raises PropensityError (503) where it takes longer than so many seconds; it goes on being found out.
    """

    def learnt() -> None:
        if not is_learnt(live.workspace):
            live.kept.beside(learn, log=False)

    before = live.kept.soon("situation", lambda: Situation.of(live.workspace), seconds, log=False, first=learnt)

    def by_now() -> Situation:
        return before.by_now([entry for about in ("ask", "opt-out") for entry in live.kept.log.entries(about)])

    return live.kept("situation by now", by_now)


def day_of(text: str | None, name: str = "as_of") -> date | None:
    """A day as a query has it; raises PropensityError where there is no such day."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PropensityError(f"{name} is {text!r}, and there is no such day", "Write a date as YYYY-MM-DD.") from error


def answers(model: Any, *errors: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI is told of an endpoint's answers; nothing is checked against it while serving."""
    found: dict[int | str, dict[str, Any]] = {status: {"model": model}}
    return found | {
        error: {"description": ERRORS[error]} | ({} if error == 304 else {"model": Problem}) for error in errors
    }


ERRORS = {
    304: "Not changed since the ETag that If-None-Match named",
    400: "What was asked cannot be read or understood",
    403: "The key sees other accounts, or is somebody else's",
    404: "There is no such account, outcome, score or entry",
    409: "It is there, but this cannot be done with it now, and why",
    410: "An input of the score was erased",
    422: "The Idempotency-Key was used for another request",
    503: "Not loaded yet, no champion, or a store or registry that cannot be reached",
}
