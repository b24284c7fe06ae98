"""Alerts in the terminal."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.padding import Padding

from serving.amounts import number
from serving.terminal import out
from serving.work.alerts import Alerted

COLOURS = {"high": "red", "medium": "yellow", "low": "dim", "unknown": "dim"}


def show_counts(found: Alerted) -> None:
    word = "would be open" if not found.written else f"open, {found.new} of them new"
    out.print(f"[bold]{len(found.open)} alerts {word}, as of {found.as_of}[/]")


def show_alerts(found: Alerted, currency: str, top: int) -> None:
    """The open ones, most ARR first: what, whose, by when, and why."""
    show_counts(found)
    for one in found.open[:top]:
        mark = "[bold green]new[/] " if one.new and found.written else ""
        due = f"[red]was due {one.deadline}[/]" if one.overdue else f"by {one.deadline}"
        out.print(
            f"{mark}[{COLOURS[one.severity]}]{one.severity}[/]  [bold]{escape(one.name)}[/]  {escape(one.rule)}  "
            f"{escape(one.owner or 'nobody’s')}  ARR {number(one.arr)} {currency}  {due}"
        )
        out.print(Padding(f"{escape(one.words)} [dim]{one.alert}[/]", (0, 0, 0, 4)))
    if len(found.open) > top:
        out.print(f"[dim]and {len(found.open) - top} more; --top shows them[/]")
    rules = Counter(one.rule for one in found.open)
    if rules:
        out.print(f"[dim]{', '.join(f'{rule} {many}' for rule, many in rules.most_common())}[/]")
    for why, many in Counter(one.why for one in found.closed).most_common():
        out.print(
            f"{many} closed by itself: {escape(why)}" if many == 1 else f"{many} closed by themselves: {escape(why)}"
        )
    if found.snoozed:
        out.print(f"[dim]{found.snoozed} snoozed[/]")
    for rule, why in found.not_judged.items():
        out.print(f"[yellow]{escape(rule)} cannot be judged[/]: {escape(why)}")
    if not found.written:
        out.print("[dim]looking back writes nothing[/]")
