"""Commands of advocacy: whom to ask, what speaks against it, and what was asked and answered."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, day_of, show_either
from serving.commands.outreach import AT, BY, follow, instant, told

asking = typer.Typer(no_args_is_help=True, help="Asks for advocacy: made, accepted, declined, done.")
app.add_typer(asking, name="ask")
TODAY = Annotated[str | None, typer.Option(help="The day of the list; by default the one after the data.")]
ASK = Annotated[str, typer.Argument(help="Id of an ask, from `propensity outreach log`.")]


@app.command(epilog="Example: propensity advocates --workspace acme --top 10")
def advocates(
    workspace: WORKSPACE = HERE,
    top: Annotated[int | None, typer.Option(min=1, help="How many; by default the outcome's capacity.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only accounts that this person looks after.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those to be asked for this: review, referral …")] = None,
    least_effort: Annotated[bool, typer.Option(help="What takes the least effort first.")] = False,
    today: TODAY = None,
    json: JSON = False,
) -> None:
    """Whom to ask to speak up for us: eligible accounts, the person, and the least effort likely to be accepted."""
    from serving.terminal import asking as asking_terminal
    from serving.work.advocates import advocates as whom
    from serving.work.asking import Situation

    day, sort = None if today is None else day_of(today, "--today"), "least effort" if least_effort else "likeliest"
    with terminal.progress("advocates") as tell:
        found = whom(Situation.of(load(workspace), day, tell), top, owner=owner, kind=kind, sort=sort)
    show_either(json, found.as_dict(), lambda: asking_terminal.show_advocates(found))


@app.command(epilog="Example: propensity eligibility a0001 --workspace acme")
def eligibility(
    account: Annotated[str, typer.Argument(help="Account id.")],
    workspace: WORKSPACE = HERE,
    today: TODAY = None,
    json: JSON = False,
) -> None:
    """Whether an account may be asked: every rule that it does not meet, and the earliest day on which it will."""
    from serving.terminal import asking as asking_terminal
    from serving.work.asking import Situation

    day = None if today is None else day_of(today, "--today")
    with terminal.progress("eligibility") as tell:
        found = Situation.of(load(workspace), day, tell).eligibility(account)
    show_either(json, found.as_dict(), lambda: asking_terminal.show_eligibility(found))


@asking.command(epilog="Example: propensity ask make a0001 --kind review --by ann --workspace acme")
def make(
    account: Annotated[str, typer.Argument(help="Account id.")],
    kind: Annotated[str, typer.Option(help="review, referral, reference …")],
    by: BY,
    contact: Annotated[str | None, typer.Option(help="Contact id; by default whoever `advocates` names.")] = None,
    workspace: WORKSPACE = HERE,
    at: AT = None,
    today: TODAY = None,
    json: JSON = False,
) -> None:
    """Ask an account, if it may be asked; one budget for all who ask."""
    from serving.work.asking import Situation, ask

    day = None if today is None else day_of(today, "--today")
    with terminal.progress("ask") as tell:
        now = Situation.of(load(workspace), day, tell)
    entry = ask(now, account, kind, contact, by, None if at is None else instant(at))
    show_either(json, entry.as_dict(), lambda: terminal.out.print(told([entry])))


@asking.command("open", epilog="Example: propensity ask open --workspace acme")
def open_(
    workspace: WORKSPACE = HERE,
    owner: Annotated[str | None, typer.Option(help="Only of accounts that this person looks after.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    today: TODAY = None,
    json: JSON = False,
) -> None:
    """Asks of which something is still to come: asked and not answered, accepted and not done."""
    from serving.terminal import asking as asking_terminal
    from serving.work.advocates import waiting
    from serving.work.asking import Situation

    day = None if today is None else day_of(today, "--today")
    with terminal.progress("asks") as tell:
        found = waiting(Situation.of(load(workspace), day, tell), top, owner=owner)
    show_either(json, found.as_dict(), lambda: asking_terminal.show_open(found))


@asking.command(epilog="Example: propensity ask accepted k-3f9c0d1e2b4a --by ann --workspace acme")
def accepted(ask: ASK, by: BY, workspace: WORKSPACE = HERE, at: AT = None, json: JSON = False) -> None:
    """They said yes."""
    follow(load(workspace), ask, [("accepted", None)], by, at, json, "ask")


@asking.command(epilog="Example: propensity ask declined k-3f9c0d1e2b4a --by ann --workspace acme")
def declined(ask: ASK, by: BY, workspace: WORKSPACE = HERE, at: AT = None, json: JSON = False) -> None:
    """They said no."""
    follow(load(workspace), ask, [("declined", None)], by, at, json, "ask")


@asking.command("done", epilog="Example: propensity ask done k-3f9c0d1e2b4a --by ann --workspace acme")
def done_(ask: ASK, by: BY, workspace: WORKSPACE = HERE, at: AT = None, json: JSON = False) -> None:
    """They did it."""
    follow(load(workspace), ask, [("done", None)], by, at, json, "ask")
