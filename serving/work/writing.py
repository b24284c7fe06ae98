"""What people write down, as entries of the log: the commands and the service make them here, in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.lists import owners
from serving.stores.log import Entry, Log, digest
from serving.stores.store import Store


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def touch(
    account: str,
    by: str,
    kind: str = "call",
    contact: str | None = None,
    at: datetime | None = None,
    done: bool = False,
    outcome: str | None = None,
) -> list[Entry]:
    """A touch beside the list: planned, or done already, and then what came of it if that is known."""
    if outcome is not None and not done:
        raise PropensityError("something came of a touch that is not done", "Say done too, or leave the outcome out.")
    when = at or now()
    thing = f"t-{digest(account, contact, kind, when.isoformat())[:12]}"
    begun = Entry("outreach", thing, "done" if done else "planned", account, when, by, contact, kind)
    return [begun] if outcome is None else [begun, replace(begun, event="outcome", kind=None, value=outcome)]


def following(
    log: Log, about: str, thing: str, events: Sequence[tuple[str, str | None]], by: str, at: datetime | None = None
) -> list[Entry]:
    """What comes after: events of a touch or an ask that is in the log, each with what came of it.

    Raises PropensityError (404) where the log knows no such touch or ask.
    """
    first, when = log.of(thing)[0], at or now()
    if first.about != about:
        raise PropensityError(f"{thing} is {first.about}, not {about}", "Use the id that the log gave.", status=404)
    return [Entry(about, thing, event, first.account, when, by, first.contact, value=said) for event, said in events]


def opt_out(log: Log, account: str, by: str, back: bool = False, at: datetime | None = None) -> Entry:
    """An account asked not to be called, or (``back``) took that back."""
    so_far = [entry for entry in log.entries("opt-out", [account]) if entry.contact is None]
    rounds = sum(entry.event == "in" for entry in so_far)
    thing = f"x-{digest(account, str(rounds))[:12]}"
    return Entry("opt-out", thing, "in" if back else "out", account, at or now(), by)


def opinion(store: Store, score_id: str, by: str, agrees: bool, why: str) -> Entry:
    """Whether somebody thinks that a score is right; once per person and score."""
    score = store.score(score_id)
    thing, event = f"o-{digest(score_id, by)[:12]}", "agrees" if agrees else "disagrees"
    return Entry("opinion", thing, event, score.account, now(), by, kind=score_id, value=why)


def override(store: Store, score_id: str, by: str, probability: float, why: str) -> Entry:
    """Somebody's own probability, kept beside the model's; whoever changes their mind says so again."""
    if not 0 <= probability <= 1:
        raise PropensityError(f"{probability:g} is no probability", "Say a number between 0 and 1.")
    score, when = store.score(score_id), datetime.now(UTC)
    thing = f"c-{digest(score_id, by, when.isoformat())[:12]}"
    return Entry("override", thing, "says", score.account, when, by, kind=score_id, value=f"{probability!r}: {why}")


def known(workspace: Workspace, entries: Sequence[Entry]) -> None:
    """Raises PropensityError (404) where an entry is of an account that nobody knows."""
    if unknown := {entry.account for entry in entries} - set(owners(workspace)):
        raise PropensityError(
            f"there is no account {min(unknown)!r}" + (f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""),
            "Account ids are those of the accounts table; they are compared exactly. Nothing was written.",
            status=404,
        )
