"""The sections of ``docs/decisions.md`` about what calls do and what lists are worth, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import asks_page, decision_companies, decision_worlds, decisions, results
from features.catalog import grid
from serving.decisions.save_rate import WIDEST
from serving.decisions.uplift import ERROR_RATE, LEAST

RULES = (
    "A tenth of a list (`[calls] holdout`) is drawn at random and not called. Who was held out stays so until it is known "
    "what came of it (lead, horizon and grace of churn); who was called meanwhile may be called again, and counts once, as "
    "drawn first. Who would not have been called, for lack of room, is not held out. Whoever was to be called counts as "
    "called, reached or not.",
    f"Lists go by the *assumed* save rate (`[value] save_rate`) until the 95% interval of the measured one is at most "
    f"{WIDEST} wide, or lies wholly below the assumed one: what speaks against calling counts as soon as it is shown. A "
    "measured rate below zero is taken as zero, at which nobody is worth a call; an effect that is not shown is taken at what "
    "was measured, and said not to be shown. `measured = false` keeps to the assumed one. Models are judged by the assumed "
    "rate throughout.",
    f"Uplift (`propensity effect`) is learnt once {LEAST} have left and {LEAST} have stayed, of the called and of the held "
    "out. Small trees (LightGBM) learn what departs from the same share of everybody's risk, on the transformed outcome. "
    "Across accounts, ranking by it must keep more accounts than ranking by plain risk, on average over every capacity "
    f"(one-sided, {ERROR_RATE:.0%}), and not come to less money; else lists go by plain risk.",
)


def page() -> str:
    parts = [
        "# Decisions",
        "Made by `python -m benchmarks.uplift --data FOLDER`, `python -m benchmarks.decisions` (measure) and `make docs` "
        "(this page) from `benchmarks/results/`.",
        *uplift_parts(results.load("uplift")),
        *list_parts(results.load("decisions")),
        *asks_page.parts(results.load("asks")),
    ]
    return "\n\n".join(parts) + "\n"


def uplift_parts(rows: list[dict[str, Any]]) -> list[str]:
    """What calls do: the rules, worlds of which it is known, and a real experiment."""
    parts = ["## What outreach does", *RULES]
    worlds = [row for row in rows if row["what"] == "worlds"]
    if worlds:
        lines = [
            (row["kind"], str(row["worlds"]), f"{row['accounts']:,}", f"{row['kept']:.1%}", f"{row['covered']}", f"{row['covered_rate']}", str(row["used"]), "yes" if row["as_expected"] else "**no**")
            for row in worlds
        ]  # fmt: skip
        parts += [
            "### Where it is known",
            "Worlds of which a fifth was held out, seeds fixed beforehand. *kept*: by how much calls lower the share that "
            "leaves; in how many worlds the 95% intervals cover it, and the save rate; in how many lists would go by uplift, "
            f"which may be {ERROR_RATE:.0%} where a call helps all alike. *as expected*: binomial tests at 1%.",
            grid(("world", "worlds", "accounts", "kept", "covered", "save rate covered", "uplift used", "as expected"), lines),
        ]  # fmt: skip
    if any(row["what"] == "rate" for row in rows):
        parts += campaign_parts(rows)
    return parts


def campaign_parts(rows: list[dict[str, Any]]) -> list[str]:
    """The randomised e-mail campaign."""
    differences = {row["mail"]: row["kept"] for row in rows if row["what"] == "difference"}
    lines = [
        (row["mail"], f"{row['accounts']:,}", shares(row["rate"]), shares(differences[row["mail"]]) if row["mail"] in differences else "–")
        for row in rows if row["what"] == "rate"
    ]  # fmt: skip
    judged = [
        (row["mail"], f"{row['accounts']:,}", thousand(row["qini"]), thousand(row["qini_risk"]), thousand(row["gain"]), "yes" if row["used"] else "no")
        for row in rows if row["what"] == "uplift"
    ]  # fmt: skip
    return [
        "### A real experiment",
        "Hillstrom's e-mail campaign of 2008, 64,000 customers, a third each drawn for either e-mail or none; an e-mail stands "
        "for a call, a visit within two weeks for staying.",
        grid(("e-mail", "customers", "visited", "more than without"), lines),
        "*Qini*: visits that e-mails bring beyond as many e-mails at random, of 1,000 customers, on average over every "
        "capacity, with 95% intervals; each customer foretold by what had not met it. *plain risk*: those least likely to "
        "visit by themselves first.",
        grid(("e-mail", "customers", "Qini of uplift", "Qini of plain risk", "the difference", "uplift used"), judged),
    ]


def list_parts(rows: list[dict[str, Any]]) -> list[str]:
    """What lists are worth, ours beside the others, and where we lose."""
    parts = ["## What a list is worth"]
    if not rows:
        return [*parts, "Not measured yet."]
    what = {setting.name: setting.what for setting in decision_worlds.SETTINGS}
    worth = [
        (row["world"], what.get(row["world"], "see below"), *(money(row["worth"][name]) for name in names()))
        for row in rows
    ]
    ahead = [
        (row["world"], str(row["seeds"]), *(f"{bold(row['ahead'][name])}, {row['won'][name]}" for name in decisions.BESIDE), str(row["uplift"]), f"{row['save_rate']:.2f}")
        for row in rows
    ]  # fmt: skip
    lost = list(decisions.losses(rows))
    fewest = min(row["seeds"] for row in rows if row["world"] in what)
    short = (
        ""
        if fewest >= decision_worlds.SEEDS
        else f" This run took the first {fewest} of the {decision_worlds.SEEDS} declared."
    )
    measured = {row["world"] for row in rows} & set(decision_companies.TRUTHS)
    told = "; ".join(lost) if lost else "nowhere: in every world ours is shown to be worth more than each of the others"
    return [
        *parts,
        "True expected profit of calling the accounts of a list, in thousands: what a call takes from the true chance of leaving, "
        "times ARR and margin, less the cost of the call. The worlds and their seeds were declared in "
        "`benchmarks/decision_worlds.py` before any list was judged."
        + short
        + " The simulated companies are trained on by the whole "
        "pipeline and judged by the truth that nobody mapped, at three dates each. *ours*: the product's list with the "
        "probabilities of a model learnt from what such a company has on record. *plain risk*: the same model, highest "
        "first. *score by hand*: trend of use (40%), NPS (30%), tickets (30%). All call as many as there is room for; ours "
        "leaves out who is expected to cost more than it brings.",
        grid(("world", "what is wrong in it", *names()), worth),
        "Ours minus each of the others, paired, with 95% intervals over the seeds (of the companies: over their lists, "
        "which are few), and in how many of the seeds ours is worth more; **bold** where ours is not shown to be worth more. "
        "In how many seeds uplift was used, and the mean save rate that ours went by.",
        grid(("world", "seeds", *decisions.BESIDE, "uplift used", "save rate"), ahead),
        f"**Where we do not win**: {told}.",
        ("" if measured else "The simulated companies are not measured yet. ")
        + "In the simulated companies an account makes up its mind 60 days before its term ends, and a call after that does "
        "nothing: a list that is to act before it takes a `lead` of 60 days, and theirs has 14.",
    ]


def names() -> Sequence[str]:
    return (decisions.OURS, *decisions.BESIDE, decisions.LIMIT)


def money(found: dict[str, float]) -> str:
    return f"{found['value'] / 1000:,.1f}"


def bold(found: dict[str, float]) -> str:
    text = f"{found['value'] / 1000:+,.1f} ({found['low'] / 1000:+,.1f} to {found['high'] / 1000:+,.1f})"
    return text if found["low"] > 0 else f"**{text}**"


def shares(found: dict[str, float]) -> str:
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"


def thousand(found: dict[str, float]) -> str:
    return f"{1000 * found['value']:+.1f} ({1000 * found['low']:+.1f} to {1000 * found['high']:+.1f})"
