"""Commands of outreach: what was planned, done and came of it, who asked to be left alone, what people think of a score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import PropensityError
from features.workspace import Workspace, load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, day_of, show_either, take_in

if TYPE_CHECKING:
    from serving.stores.log import Entry

outreach = typer.Typer(no_args_is_help=True, help="What is planned and done about accounts, and what came of it.")
app.add_typer(outreach, name="outreach")
BY = Annotated[str, typer.Option(help="Who says so.")]
AT = Annotated[str | None, typer.Option(help="When: YYYY-MM-DD, or with a time in UTC; by default now.")]
TOUCH = Annotated[str, typer.Argument(help="Id of a touch, from `propensity outreach log`.")]


@outreach.command(epilog="Example: propensity outreach plan --by ann --workspace acme")
def plan(
    by: BY,
    workspace: WORKSPACE = HERE,
    top: Annotated[int | None, typer.Option(min=1, help="How many; by default the outcome's capacity.")] = None,
    today: Annotated[str | None, typer.Option(help="The day of the list; by default the one after the data.")] = None,
    json: JSON = False,
) -> None:
    """Write the list down, once for each day of scores: who is on it is to be called, who was drawn is held out."""
    from serving.work import outreach as lists

    here = load(workspace)
    found = lists.outreach(here, top, today=None if today is None else day_of(today, "--today"))
    new = lists.plan(here, found, by)
    planned, held_out = (len(found.called), len(found.held_out)) if new else (0, 0)
    document = {"as_of": str(found.as_of), "planned": planned, "held_out": held_out, "new": new}
    told = (
        f"{planned} planned, {held_out} held out at random"
        if new
        else f"nothing new: the list of {found.as_of} is written down already, or holds nobody"
    )
    show_either(json, document, lambda: terminal.out.print(told))


@outreach.command(epilog="Example: propensity outreach add a0001 --kind e-mail --by ann --workspace acme")
def add(
    account: Annotated[str, typer.Argument(help="Account id.")],
    by: BY,
    workspace: WORKSPACE = HERE,
    kind: Annotated[str, typer.Option(help="call, e-mail, review meeting …")] = "call",
    contact: Annotated[str | None, typer.Option(help="Contact id.")] = None,
    at: AT = None,
    done: Annotated[bool, typer.Option(help="It is done already, not only planned.")] = False,
    json: JSON = False,
) -> None:
    """A touch beside the list: planned, or done."""
    from serving.work import writing

    _write(load(workspace), writing.touch(account, by, kind, contact, instant(at), done), json)


@outreach.command(epilog="Example: propensity outreach done t-3f9c0d1e2b4a --by ann --workspace acme")
def done(
    touch: TOUCH,
    by: BY,
    workspace: WORKSPACE = HERE,
    outcome: Annotated[str | None, typer.Option(help="What came of it, if it is known: stays, no answer …")] = None,
    at: AT = None,
    json: JSON = False,
) -> None:
    """A planned touch was done."""
    events = [("done", None), *([] if outcome is None else [("outcome", outcome)])]
    follow(load(workspace), touch, events, by, at, json)


@outreach.command(epilog='Example: propensity outreach outcome t-3f9c0d1e2b4a "no answer" --by ann --workspace acme')
def outcome(
    touch: TOUCH,
    said: Annotated[str, typer.Argument(help="What came of it.")],
    by: BY,
    workspace: WORKSPACE = HERE,
    at: AT = None,
    json: JSON = False,
) -> None:
    """What came of a touch that was done."""
    follow(load(workspace), touch, [("outcome", said)], by, at, json)


@outreach.command("import", epilog="Example: propensity outreach import touches.csv --by ann --workspace acme")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV with touch, account, kind, planned, done, outcome; by is optional.")
    ],
    by: BY,
    workspace: WORKSPACE = HERE,
    json: JSON = False,
) -> None:
    """Touches from a file, all or none; the same file again changes nothing."""
    from serving.work.touch_file import entries

    _write(load(workspace), entries(file, by), json)


@outreach.command("opt-out", epilog="Example: propensity outreach opt-out a0001 --by ann --workspace acme")
def opt_out(
    account: Annotated[str, typer.Argument(help="Account id.")],
    by: BY,
    workspace: WORKSPACE = HERE,
    back: Annotated[bool, typer.Option("--back", help="They may be called again.")] = False,
    at: AT = None,
    json: JSON = False,
) -> None:
    """An account asked not to be called, or took that back."""
    from serving.stores.log import Log
    from serving.work import writing

    here = load(workspace)
    _write(here, [writing.opt_out(Log(here), account, by, back, instant(at))], json)


@outreach.command(
    epilog='Example: propensity outreach think 3f9c0d1e2b4a5f607182 --no --why "they just renewed" --by ann'
)
def think(
    score_id: Annotated[str, typer.Argument(help="Id of a stored score.")],
    by: BY,
    why: Annotated[str, typer.Option(help="In your own words.")],
    workspace: WORKSPACE = HERE,
    agree: Annotated[bool, typer.Option("--yes/--no", help="Whether the score is right.")] = False,
    json: JSON = False,
) -> None:
    """What a person thinks of a score; kept beside the model's own, never in its place."""
    from serving.stores.store import Store
    from serving.work import writing

    here = load(workspace)
    _write(here, [writing.opinion(Store(here), score_id, by, agree, why)], json)


@outreach.command(
    epilog='Example: propensity outreach override 3f9c0d1e2b4a5f607182 --probability 0.8 --why "their board said so" --by ann'
)
def override(
    score_id: Annotated[str, typer.Argument(help="Id of a stored score.")],
    by: BY,
    probability: Annotated[float, typer.Option(min=0, max=1, help="Your own, between 0 and 1.")],
    why: Annotated[str, typer.Option(help="In your own words.")],
    workspace: WORKSPACE = HERE,
    json: JSON = False,
) -> None:
    """Your own probability, kept beside the model's; say it again to change it."""
    from serving.stores.store import Store
    from serving.work import writing

    here = load(workspace)
    _write(here, [writing.override(Store(here), score_id, by, probability, why)], json)


@outreach.command(epilog="Example: propensity outreach log a0001 --workspace acme")
def log(
    account: Annotated[str | None, typer.Argument(help="Account id; by default all.")] = None,
    workspace: WORKSPACE = HERE,
    json: JSON = False,
) -> None:
    """What the log says, the last first."""
    from serving.stores.log import Log

    entries = Log(load(workspace)).entries(accounts=None if account is None else [account])[::-1]
    show_either(
        json,
        {"entries": [entry.as_dict() for entry in entries]},
        lambda: terminal.out.print(told(entries) or "nothing"),
    )


@app.command(epilog="Example: propensity effect --workspace acme")
def effect(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """What calls did, measured beside the accounts that were held out at random; and whom they helped most."""
    from serving.terminal import outreach as outreach_terminal
    from serving.work import effect as outcomes
    from serving.work import uplift

    here = load(workspace)
    take_in(here)
    drawn = outcomes.trial(here)
    found, (terms, rate) = outcomes.measured(here, drawn), outcomes.terms(here, drawn)
    judged, _ = uplift.judged(here, drawn, terms)

    def show() -> None:
        outreach_terminal.show_effect(found, rate)
        outreach_terminal.show_uplift(judged, here.config.currency)

    show_either(json, found.as_dict() | {"lists_go_by": rate.as_dict(), "uplift": judged.as_dict()}, show)


def follow(
    here: Workspace,
    thing: str,
    events: Sequence[tuple[str, str | None]],
    by: str,
    at: str | None,
    json: bool,
    about: str = "outreach",
) -> None:
    from serving.stores.log import Log
    from serving.work import writing

    _write(here, writing.following(Log(here), about, thing, events, by, instant(at)), json)


def _write(here: Workspace, entries: list[Entry], json: bool) -> None:
    from serving.stores.log import Log
    from serving.work import writing

    writing.known(here, entries)
    new = Log(here).add(entries)
    document: dict[str, Any] = {"new": new, "entries": [entry.as_dict() for entry in entries]}
    show_either(json, document, lambda: terminal.out.print(f"{new} new in the log\n{told(entries)}"))


def told(entries: Sequence[Entry]) -> str:
    return "\n".join(
        f"{entry.at:%Y-%m-%d %H:%M}  {entry.thing}  {entry.account}  {entry.kind or entry.about}: {entry.event}"
        f"{f' ({entry.value})' if entry.value else ''}, {entry.by}"
        for entry in entries
    )


def instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PropensityError(f"--at is {text!r}", "Write YYYY-MM-DD, or YYYY-MM-DDTHH:MM.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
