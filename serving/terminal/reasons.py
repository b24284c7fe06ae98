"""What those who ask why see in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from serving.terminal import out

if TYPE_CHECKING:
    from serving.scores.families import Shares
    from serving.scores.lists import Line
    from serving.scores.movement import Moved
    from serving.scores.what_if import Asked
    from training.importance import Importance, Worth

FEATURES, HELD = 20, 6


def show_explained(lines: list[Line], shares: dict[str, Shares]) -> None:
    """Each score with its reasons, and what each family adds."""
    for line in lines:
        score = line.score
        out.print(
            f"\n[bold]{escape(line.name)}[/] · {score.outcome} [bold]{score.probability:.1%}[/] "
            f"({score.low:.1%} to {score.high:.1%}), rank {score.rank}, percentile {score.percentile:.0f}, "
            f"as of {score.as_of}, model version {score.model_version}"
        )
        for reason in score.reasons:
            out.print(f"  {reason.direction} it by {abs(reason.contribution):.2f} in log-odds: {escape(reason.text)}")
        families = ", ".join(f"{name} {share:+.2f}" for name, share in shares[score.outcome].families.items())
        out.print(f"  by family, in log-odds: {families}; starting point {shares[score.outcome].start:+.2f}")
        if roles := {name: share for name, share in shares[score.outcome].roles.items() if name != "everybody"}:
            out.print(f"  by role: {', '.join(f'{name} {share:+.2f}' for name, share in roles.items())}")
        out.print(f"  [dim]score id {score.score_id}[/]")


def show_moves(found: list[Moved]) -> None:
    """From when to when, how far, by what: the causes in the account's data, the families, and the model's part."""
    for moved in found:
        before, after, told = moved.before, moved.after, moved.probability
        out.print(
            f"\n[bold]{escape(after.account)}[/] · {after.outcome} [bold]{before.probability:.1%} → "
            f"{after.probability:.1%}[/] ({points(told.change)}), as of {before.as_of} → {after.as_of}"
        )
        out.print(
            f"  {points(told.data_part)} by its data, {points(told.model_part)} by the model ({_versions(moved)})"
        )
        for cause in moved.causes:
            out.print(f"  {points(cause.probability)}  {escape(cause.text)}")
        families = moved.families
        table = _table("", "by data", "by model")
        for name in sorted({**families.data, **families.model}, key=lambda one: -abs(families.data.get(one, 0.0))):
            shares = families.data.get(name, 0.0), families.model.get(name, 0.0)
            if any(shares):
                table.add_row(name, *map(points, shares))
        if table.rows:
            out.print(table)
        if unknown := moved.log_odds.unknown:
            out.print(f"  [dim]unknown to the newer model then: {escape(_some(unknown))}[/]")


def show_asked(account: str, found: list[Asked]) -> None:
    """What is set, what follows, what stays, and what the model says of it."""
    for asked in found:
        score, told = asked.score, asked.found
        before, after = (
            f"{one.probability:.1%} ({one.low:.1%} to {one.high:.1%})" for one in (told.before, told.after)
        )
        out.print(
            f"\n[bold]{escape(account)}[/] · {score.outcome} [bold]{before} → {after}[/], as of {score.as_of}, "
            f"model version {score.model_version}"
        )
        for name, (was, now) in told.changed.items():
            share = told.movement.in_probability().data.get(name, 0.0)
            out.print(f"  {name}: {was:g} → {now:g}, {points(share)}")
        others = told.movement.in_probability().data
        rest = sum(share for name, share in others.items() if name not in told.changed)
        if told.changed:
            out.print(f"  other features beside them: {points(rest)}")
        if told.held:
            out.print(f"  [dim]stays as it was: {escape(_some(told.held))}[/]")
    out.print(f"[dim]{found[0].found.caveat}[/]")


def show_importance(found: dict[str, Importance]) -> None:
    """Families, then the features worth the most."""
    for outcome, one in found.items():
        out.print(
            f"\n[bold]{outcome}[/], version {one.version}: log loss {one.log_loss}\n[dim]{one.n:,} rows, "
            f"{one.positives:,} yes, as of {one.days[0]} to {one.days[-1]}, later than what it has learnt from[/]"
        )
        for heading, worths in (("family", one.families), ("feature", one.features[:FEATURES])):
            out.print(_worths(heading, worths))
        if (more := len(one.features) - FEATURES) > 0:
            out.print(f"[dim]and {more} features that are worth less[/]")
    out.print(
        "[dim]rise of the log loss where it tells of another account, 95% by account; bold: shown to be of use.[/]"
    )
    out.print("[dim]A measurement: choose nothing by it.[/]")


def points(share: float) -> str:
    """A change in probability, in points of a hundred."""
    return f"{100 * share:+.1f} points"


def _worths(heading: str, worths: list[Worth]) -> Table:
    table = _table(heading, "columns", "log loss")
    for worth in worths:
        rise = escape(f"{worth.rise.value:+.4f} [{worth.rise.low:+.4f}, {worth.rise.high:+.4f}]")
        table.add_row(worth.name, str(worth.columns), rise, style="bold" if worth.shown else "")
    return table


def _versions(moved: Moved) -> str:
    old, new = moved.before.model_version, moved.after.model_version
    return f"version {old} → {new}" if old != new else f"version {new}, the same"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:HELD]) + (f" and {len(names) - HELD} more" if len(names) > HELD else "")


def _table(first: str, *headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
