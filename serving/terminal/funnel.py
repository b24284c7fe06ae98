"""The advocacy funnel in the terminal: its backtest, whether asking tires, and which stories are missing."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from serving.amounts import number
from serving.terminal import out
from serving.work.stories import Stories
from training.asks.backtest import CORRECTED, PER_KIND, UNCORRECTED, AsksBacktest
from training.asks.fatigue import Step
from training.asks.weights import Overlap
from training.metrics import Estimate

ASSUMED = (
    "weighted: whoever would say yes is taken to be asked equally often, whatever it looks like on record; that cannot be "
    "tested here, and where asking went by the records alone it makes too little of those who are seldom asked"
)


def show_backtest(found: AsksBacktest) -> None:
    """Every origin, then all together: among those asked, and as of all eligible; then how far that can be trusted."""
    origins = _table("learnt by", "from", "rung", "later asks", "yes", "log loss", "share per kind's")
    for one in found.origins:
        cells = (f"{one.learnt_from:,}", one.rung, f"{one.n:,}", f"{one.yes:,}", f"{one.log_loss.value:.3f}")
        origins.add_row(str(one.day), *cells, f"{one.per_kind.value:.3f}")
    out.print(f"[bold]asks[/]: {len(found.origins)} origins, {found.n:,} later asks, {found.yes:,} yes")
    out.print(origins)
    for title, part in (("among those asked", "asked"), ("as of all eligible, weighted", "eligible")):
        table = _table(title, "log loss", "AUC", "calibration error")
        for name, judged in found.judged.items():
            metrics = getattr(judged, part)
            table.add_row(name, *(_told(metrics[each]) for each in ("log_loss", "auc", "ece")))
        out.print(table)
    out.print(verdict(found))
    for reason in found.skipped:
        out.print(f"[yellow]left out[/] {escape(reason)}")
    out.print(f"[dim]{reach(found.overlap)}; intervals: 95%, by account[/]")
    out.print(f"[dim]{ASSUMED}[/]")


def verdict(found: AsksBacktest) -> str:
    """In a sentence: is who says yes foretold better than by the share per kind, and does the correction matter?"""
    gain = found.judged[CORRECTED].gain_eligible
    if gain.high < 0:
        said = f"foretold better than by the {PER_KIND}: log loss {_told(gain, sign=True)} as of all eligible"
    elif gain.low > 0:
        said = f"foretold worse than by the {PER_KIND}: log loss {_told(gain, sign=True)} as of all eligible"
    else:
        said = f"not shown to be foretold better than by the {PER_KIND}: log loss {_told(gain, sign=True)}"
    with_it, without = (found.judged[name].eligible["log_loss"].value for name in (CORRECTED, UNCORRECTED))
    return f"{said}; {CORRECTED} {with_it:.4f}, {UNCORRECTED} {without:.4f}"


def reach(over: Overlap) -> str:
    """How far those who were asked speak for those who were not."""
    return (
        f"{over.asked:,} of {over.cells:,} eligible account-months were asked, which can be foretold with an AUC of "
        f"{over.selection:.2f} (0.5: as if drawn at random); {over.unlike:.0%} of them are like hardly any that was asked; "
        f"{over.asks:,} asks tell as much as {over.effective:.0f} at random, {over.clipped} weigh as much as they may"
    )


def show_fatigue(steps: list[Step]) -> None:
    table = _table("", "", "asks", "yes", "accepted")
    last = ""
    for one in steps:
        accepted = f"{one.accepted.value:.0%} ({one.accepted.low:.0%}–{one.accepted.high:.0%})" if one.asks else "–"
        table.add_row("" if one.by == last else one.by, one.name, f"{one.asks:,}", f"{one.yes:,}", accepted)
        last = one.by
    out.print(table)
    out.print(
        "[dim]of all asks with an answer; intervals: 95%, by account. Who is asked often is not like who is asked "
        "seldom: a difference need not come from the asking[/]"
    )


def show_stories(found: Stories) -> None:
    """The dearest gaps, with whom to recruit."""
    out.print(
        f"[bold]stories[/] as of {found.as_of}: {found.deals:,} open deals worth {number(found.value)}, of which "
        f"{number(found.uncovered)} have nobody to speak for them; {found.advocates:,} advocates"
    )
    table = _table("story", "deals", "worth", "uncovered", "advocates", "recruit")
    for gap in found.gaps:
        recruits = [
            f"{found.names.get(one.account, one.account)} ({one.kind}, says yes {one.accepts.value:.0%}"
            + (f", another {one.misses})" if one.misses else ")")
            for one in gap.candidates
        ]
        table.add_row(
            escape(" · ".join(gap.story)), f"{gap.uncovered_deals} of {gap.deals}", number(gap.value),
            number(gap.uncovered), str(gap.advocates), escape("; ".join(recruits) or "nobody who may be asked"),
        )  # fmt: skip
    out.print(table)
    out.print(
        f"[dim]a story: {' · '.join(found.dimensions) or 'any'}. An advocate has acted before and agreed to tell[/]"
    )
    for name, why in found.left_out.items():
        out.print(f"[dim]left out: {name}, {escape(why)}[/]")


def _told(found: Estimate, sign: bool = False) -> str:
    form = "+.3f" if sign else ".3f"
    return f"{found.value:{form}} ({found.low:{form}}–{found.high:{form}})".replace("–", " to " if sign else "–")


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading)
    return table
