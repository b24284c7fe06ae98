"""Commands: a new one is a function in one of these files. Here is what they share: the app they register with, their
common options, and the steps that several take.

Each command imports what it needs when it runs, so that ``--help`` is instant.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import PropensityError
from features.workspace import Workspace
from serving import terminal

if TYPE_CHECKING:
    from features.quality import Report
    from features.steadiness import Steadiness

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Scores the accounts of a B2B company for churn and advocacy.",
)
WORKSPACE = Annotated[Path, typer.Option("--workspace", help="Folder with propensity.toml.", show_default="here")]
JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
HERE = Path()
NOT_PROMOTED = 3


def show_either(json: bool, document: dict[str, Any], show: Callable[[], None]) -> None:
    if json:
        terminal.as_json(document)
    else:
        show()


def day_of(text: str, option: str = "--as-of") -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PropensityError(f"{option} is {text!r}", "Write a date as YYYY-MM-DD.") from error


def take_in(here: Workspace) -> tuple[Report, Steadiness]:
    """Exports, and what was written down here, to canonical tables; names to the store, the only place that keeps them;
    sizes kept for the next time.
    """
    from features import intake, steadiness
    from serving.stores import own
    from serving.stores.store import Store

    own.write(here)
    with terminal.progress("reading") as tell, intake.read(here, tell) as found:
        found.write_quarantine()
        found.write_tables()
        Store(here).remember(found.names())
        return found.report, steadiness.remember(found)


def ready(workspace: Path, outcome: str | None = None) -> tuple[Workspace, list[str]]:
    """A workspace with its data taken in and its frames built, and which outcomes are asked about: one, or all."""
    from features.workspace import load
    from training.outcomes import chosen

    here = load(workspace)
    names = chosen(here, outcome)
    take_in(here)
    build(here, None)
    return here, names


def build(here: Workspace, days: list[date] | None) -> dict[date, str]:
    from features import cohort, frame, steadiness

    wanted = days or cohort.all_dates(here.config, frame.observed_until(here))
    with terminal.progress("features") as tell:
        refs = frame.build(here, wanted, tell)
    steadiness.frames.remember(here, refs)
    return refs
