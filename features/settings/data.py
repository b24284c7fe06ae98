"""Sections about the data: where it lies, what it means, when it is looked at and who is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from features import windows
from features.errors import PropensityError
from features.settings.base import Strict, time_zone


class Source(Strict):
    """Raw files that SQL can name: CSV (also .gz), Parquet or JSON, told apart by ending."""

    path: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "latin-1", "utf-16", "windows-1252"] = "utf-8"


class Mapping(Strict):
    """How a canonical table comes from the sources: one SQL query, or a source and its columns."""

    source: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    sql: str | None = None
    dates: str | None = None
    timezone: str | None = None
    decimal: Literal[".", ","] = "."
    delay_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 0

    @model_validator(mode="after")
    def _one_way(self) -> Mapping:
        if (self.sql is None) == (self.source is None):
            raise ValueError("give either sql, or source (with columns where names differ)")
        if self.sql is not None and self.columns:
            raise ValueError("columns goes with source; in sql rename with AS")
        return self

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return None if zone is None else time_zone(zone)


class Grid(Strict):
    """The as_of dates: from ``until`` backwards; without ``until``, the last ones whose outcomes are known.

    ``exported`` is the day on which the exports were taken; without it, the last day with a fact.
    """

    since: date
    until: date | None = None
    exported: date | None = None
    every: str = "month"

    @field_validator("every")
    @classmethod
    def _known_step(cls, every: str) -> str:
        try:
            windows.parse_every(every)
        except PropensityError as error:
            raise ValueError(error.hint) from error
        return every


class Cohort(Strict):
    """Who may be scored: accounts with a live contract, or accounts active in the last ``days``."""

    kind: Literal["contract", "activity"] = "contract"
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    activity: tuple[str, ...] = ("usage",)


class Signals(Strict):
    """What the features are told about the data, since names found in it would look ahead."""

    events: tuple[str, ...] = ()
    windows: tuple[Annotated[int, Field(ge=1, le=3650)], ...] = (7, 30, 90, 180, 365)

    @field_validator("windows")
    @classmethod
    def _ascending(cls, windows: tuple[int, ...]) -> tuple[int, ...]:
        if not windows or list(windows) != sorted(set(windows)):
            raise ValueError("list each window once, shortest first")
        return windows


class Text(Strict):
    """What is told from text: its sentiment, and the topics that are declared here, each by its words."""

    sentiment: bool = True
    topics: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("topics")
    @classmethod
    def _have_words(cls, topics: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for topic, words in topics.items():
            if not topic.strip() or not words or not all(word.strip() for word in words):
                raise ValueError(f'topic {topic!r} has a blank name or word; list its words: price = ["price", "cost"]')
        return topics


class Personas(Strict):
    """Kinds of people by what they do: ``count`` of them, fitted on what was known by the as_of date ``until``."""

    until: date
    count: Annotated[int, Field(ge=2, le=12)] = 4


class Check(Strict):
    """A check of the user's own: every row that ``sql`` returns is a problem; ``of`` is what it is a share of."""

    name: str
    sql: str
    of: str | None = None
