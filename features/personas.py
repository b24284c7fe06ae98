"""Personas: a few kinds of people, told apart by what they do. Their numbers, their file, and the features of them.

They are fitted once (``features.clusters``) on what was known by ``personas.until``, stored as JSON, and never fitted
again by later data: what a person does is held against the same numbers each month.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from features import facts
from features.aggregations import active_days, count
from features.feature import Column, Family, Feature, Meant, Numbers
from features.files import replaced
from features.quality import Report
from features.workspace import Workspace

FORMAT = "1"
DAYS = 90
MOST = 2**16
"""A count from here on is as good as endless."""
_LOGS = np.array([math.log1p(number) for number in range(MOST)])
"""From a table, since a processor's own vectors may differ in the last bit."""
BEHAVIOURS = (
    Feature("usage", "usage", count, "stakeholders", "things done", "does much", over=(DAYS,)),
    Feature("days", "usage", active_days, "stakeholders", "days with any usage", "often there", over=(DAYS,)),
    Feature("does_{event}", "usage", count, "stakeholders", "times of {event}", "much {event}", over=(DAYS,), per_event=True),
    Feature("tickets", "ticket.opened", count, "stakeholders", "tickets opened", "opens tickets", over=(DAYS,)),
    Feature("feedback", "feedback", count, "stakeholders", "questions answered", "answers surveys", over=(DAYS,)),
)  # fmt: skip
"""What people do; ``reason`` is what one is called who does much of it."""


@dataclass(frozen=True)
class Personas:
    """Where each persona lies: ``centres`` of logarithms of counts, in deviations from their mean."""

    behaviours: tuple[Feature, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    centres: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of all that decides who is of which persona; names are free."""
        meant = [behaviour.meaning for behaviour in self.behaviours]
        return _hash(json.dumps([FORMAT, DAYS, MOST, meant, self.mean, self.deviation, self.centres]))

    def nearest(self, counts: Sequence[Numbers]) -> npt.NDArray[np.int64]:
        """The persona of each person (0: the first) from the counts of each behaviour; -1 who did nothing.

        Sums are taken behaviour by behaviour, so that one person alone gets what they get among a million.
        """
        mean, deviation = np.array([self.mean, self.deviation])[:, :, np.newaxis]
        points = (logarithms(np.array(counts)) - mean) / deviation
        distance = np.zeros((len(self.centres), len(counts[0])))
        for point, places in zip(points, np.array(self.centres).T, strict=True):
            distance += (point - places[:, np.newaxis]) ** 2
        return np.where(active(counts), distance.argmin(axis=0), -1)


def logarithms(counts: Numbers) -> Numbers:
    """log(1 + n) of counts."""
    return _LOGS[np.minimum(counts, MOST - 1).astype(np.int64)]


def active(counts: Sequence[Numbers]) -> npt.NDArray[np.bool_]:
    """Who did anything at all."""
    return np.any([number > 0 for number in counts], axis=0)


def behaviours(workspace: Workspace, report: Report) -> tuple[Feature, ...]:
    """What can be told of single people: those behaviours whose tables are mapped and name a contact."""
    tables = {fact.kind: fact.table for fact in facts.FACTS}
    there = facts.available(report)
    return tuple(
        one
        for behaviour in BEHAVIOURS
        if behaviour.of in there and "contact" in report.tables[tables[behaviour.of]].columns
        for one in _each(behaviour, workspace.config.signals.events)
    )


def _each(behaviour: Feature, events: tuple[str, ...]) -> list[Feature]:
    return [behaviour.for_event(event) for event in events] if behaviour.per_event else [behaviour]


def place(workspace: Workspace, report: Report) -> Path:
    """Where the personas of this configuration and these definitions are, or will be."""
    chosen, config = behaviours(workspace, report), workspace.config
    assert config.personas is not None
    used = [fact for fact in facts.FACTS if fact.kind in {behaviour.of for behaviour in chosen}]
    delays = {fact.table: config.delay_hours(fact.table) for fact in used}
    meaning = [FORMAT, config.personas.model_dump_json(), config.timezone, repr(used), str(delays)]
    key = _hash("\n".join([*meaning, *(behaviour.meaning for behaviour in chosen)]))
    return workspace.state / "personas" / f"{key}.json"


def stored(workspace: Workspace, report: Report) -> Personas | None:
    """The personas as they were fitted; None where there are none, or not yet."""
    if workspace.config.personas is None or not (file := place(workspace, report)).is_file():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    return Personas(
        behaviours(workspace, report),
        tuple(told["mean"]),
        tuple(told["deviation"]),
        tuple(tuple(centre) for centre in told["centres"]),
        tuple(told["names"]),
    )


def store(workspace: Workspace, report: Report, fitted: Personas) -> None:
    """Numbers as JSON gives them back, to the bit."""
    told = {
        "behaviours": [behaviour.name for behaviour in fitted.behaviours],
        "names": fitted.names,
        "mean": fitted.mean,
        "deviation": fitted.deviation,
        "centres": fitted.centres,
    }
    with replaced(place(workspace, report)) as part:
        part.write_text(json.dumps(told, indent=1), encoding="utf-8")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Crowd(Meant):
    """How the active people of an account spread over the personas.

    ``of`` is the ``share`` of one persona or how many ``different`` ones there are. A share is declared once, with
    ``{n}`` and ``{persona}`` in its texts, and stands for one feature of each persona.
    """

    name: str
    of: Literal["share", "different"]
    family: Family
    doc: str
    reason: str
    unit: str = ""
    spec: str = ""
    number_of: int = 0
    among: Personas | None = None

    @property
    def meaning(self) -> str:
        return f"Crowd {self.of} {self.number_of} {self.among.digest if self.among else ''}"

    @property
    def behaviours(self) -> tuple[Feature, ...]:
        return self.among.behaviours if self.among else ()

    @property
    def parts(self) -> tuple[str, ...]:
        """It is made of what people do, not of other features."""
        return ()

    @property
    def formula(self) -> str:
        return "share of a persona among the active" if self.of == "share" else "personas among the active"

    @property
    def null(self) -> str:
        return "nobody did anything" if self.of == "share" else "never null (0 of nothing)"

    @property
    def lacking(self) -> str:
        """Why it cannot be computed, if it cannot."""
        if self.among is None:
            return "needs [personas] in propensity.toml, fitted when features are built"
        there = len(self.among.names)
        return f"only {there} kinds of people could be told apart" if self.number_of > there else ""

    def each(self, fitted: Personas, wanted: int) -> list[Crowd]:
        """One for each persona that is wanted; all of them where it is about no single one."""
        if self.of == "different":
            return [replace(self, among=fitted)]
        names = [*fitted.names, *[""] * (wanted - len(fitted.names))]
        return [self._of_persona(number, name, fitted) for number, name in enumerate(names, 1)]

    def _of_persona(self, number: int, name: str, fitted: Personas) -> Crowd:
        def fill(text: str) -> str:
            return text.replace("{n}", str(number)).replace("{persona}", name)

        words = {"name": fill(self.name), "doc": fill(self.doc), "reason": fill(self.reason)}
        return replace(self, **words, number_of=number, among=fitted)  # type: ignore[arg-type]

    def columns(self, over: dict[str, tuple[int, ...]]) -> Iterator[Column]:
        yield Column(self.name, self)

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        return ()

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        """From how many active people there are of each persona."""
        if self.of == "different":
            return np.sum([people > 0 for people in inputs], axis=0, dtype=np.float64)
        everybody = np.sum(inputs, axis=0, dtype=np.float64)
        return np.where(everybody > 0, inputs[self.number_of - 1] / np.maximum(everybody, 1.0), np.nan)
