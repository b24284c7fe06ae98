"""Fit the personas: k-means over what people did before ``personas.until``. Once; later data changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import ClusterError, kmeans2

from features import cohort, personas
from features.computing import Partition, behaving
from features.errors import PropensityError
from features.feature import Feature
from features.personas import DAYS, Personas
from features.quality import Report
from features.workspace import Workspace

DATES, LARGEST = 4, 100_000
SEED, STARTS, ROUNDS = 7, 10, 50
THIN = 3
"""Every third row stays where there are too many: no divisor of the dates, so that none of them is preferred."""
STANDS_OUT = 0.5
"""By how many deviations a persona lies above the others, or below everybody, before it is named after that."""
SELDOM, USUAL = "seldom there", "like most"
Matrix = npt.NDArray[np.float64]


def ensure(workspace: Workspace, report: Report, partitions: Iterable[Partition]) -> None:
    """Fit and store the personas that the workspace asks for, unless they are there.

    ``partitions`` are gone through only where it comes to that. Raises PropensityError where nobody can be told from
    anybody.
    """
    config = workspace.config.personas
    if config is None or personas.place(workspace, report).is_file():
        return
    chosen = personas.behaviours(workspace, report)
    if not chosen:
        raise PropensityError(
            "[personas] needs to know who did what, and none of usage, tickets and feedback has contact mapped",
            "Map contact in one of these tables, or take [personas] out of propensity.toml.",
        )
    if report.observed_until is None or config.until > date.fromisoformat(report.observed_until):
        raise PropensityError(
            f"personas.until is {config.until}, and the data ends on {report.observed_until}: "
            "what would be fitted now, later data would change",
            "Name a day before the end of the data; those of the test fold must come after it.",
        )
    rows = sample(partitions, chosen, config.until)
    if not len(rows):
        first = config.until - timedelta(days=DATES * DAYS)
        raise PropensityError(
            f"nobody who is named did anything from {first} to {config.until}, so there are no personas",
            "Move personas.until to where there is data, or take [personas] out of propensity.toml.",
        )
    personas.store(workspace, report, fit(rows, chosen, config.count))


def sample(partitions: Iterable[Partition], chosen: tuple[Feature, ...], until: date) -> Matrix:
    """Rows of active people, a column per behaviour: logarithms of their counts as of ``until`` and before.

    At most ``LARGEST``, evenly spaced; which of them does not depend on how the accounts are partitioned.
    """
    days = [until - timedelta(days=DAYS * back) for back in reversed(range(DATES))]
    kept, apart, seen = np.zeros((0, len(chosen))), 1, 0
    for rows in _active(partitions, chosen, days):
        kept = np.concatenate([kept, rows[-seen % apart :: apart]])
        seen += len(rows)
        while len(kept) > LARGEST:
            kept, apart = kept[::THIN], apart * THIN
    return kept


def _active(partitions: Iterable[Partition], chosen: tuple[Feature, ...], days: list[date]) -> Iterator[Matrix]:
    for partition in partitions:
        everybody = cohort.everybody(len(partition.accounts), days)
        for _, counts in behaving(partition, chosen, everybody, days):
            points = np.stack([personas.logarithms(number) for number in counts], axis=1)
            yield points[personas.active(counts)]


def fit(rows: Matrix, chosen: tuple[Feature, ...], count: int) -> Personas:
    """Fewer personas than asked for where there are fewer different rows. The busiest comes first."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    deviation = np.where(deviation > 1e-9, deviation, 1.0)
    points = (rows - mean) / deviation
    centres = _clustered(points, min(count, len(np.unique(rows, axis=0))))
    order = np.argsort(-(centres * deviation + mean).sum(axis=1), kind="stable")
    centres = centres[order]
    return Personas(
        chosen,
        tuple(mean.tolist()),
        tuple(deviation.tolist()),
        tuple(tuple(centre) for centre in centres.tolist()),
        named(centres, chosen),
    )


def _clustered(points: Matrix, count: int) -> Matrix:
    """The best of several starts; one fewer where every start leaves somebody without a cluster."""
    best, centres = np.inf, points.mean(axis=0, keepdims=True)
    for start in range(STARTS):
        chance = np.random.default_rng(SEED + start)
        try:
            found, _ = kmeans2(points, count, iter=ROUNDS, minit="++", missing="raise", rng=chance)
        except ClusterError:
            continue
        if (inertia := _inertia(points, found)) < best:
            best, centres = inertia, found
    return centres if best < np.inf or count == 1 else _clustered(points, count - 1)


def _inertia(points: Matrix, centres: Matrix) -> float:
    """The sum of squared distances to the nearest centre."""
    each = [((points - centre) ** 2).sum(axis=1) for centre in centres]
    return float(np.min(each, axis=0).sum())


def named(centres: Matrix, chosen: tuple[Feature, ...]) -> tuple[str, ...]:
    """What people of a persona do more than the others, in up to two words for it; the same name twice gets a number."""
    names: list[str] = []
    for number, centre in enumerate(centres):
        others = np.delete(centres, number, axis=0)
        name = _name(centre, centre - others.mean(axis=0), chosen) if len(others) else USUAL
        names.append(name)
    return tuple(
        f"{name} ({names[:number].count(name) + 1})" if names.count(name) > 1 else name
        for number, name in enumerate(names)
    )


def _name(centre: Matrix, ahead: Matrix, chosen: tuple[Feature, ...]) -> str:
    order = np.argsort(-ahead, kind="stable")[:2]
    most = ahead[order[0]]
    if most >= STANDS_OUT:
        return ", ".join(chosen[place].reason for place in order if ahead[place] >= max(STANDS_OUT, 0.6 * most))
    return SELDOM if centre.mean() <= -STANDS_OUT else USUAL
