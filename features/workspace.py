"""The workspace: one folder, one ``propensity.toml``, typed and checked.

Every error names the key, the value and what is allowed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features import windows
from features.errors import PropensityError, one_of
from features.tables import ADVOCACY_KINDS, TABLES

FILE = "propensity.toml"
LEAST_MEMORY = 10**9


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
    """Raw files that SQL can name: CSV (also .gz), Parquet or JSON, told apart by ending."""

    path: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "latin-1", "utf-16", "windows-1252"] = "utf-8"


class Mapping(Strict):
    """How a canonical table comes from the sources: one SQL query, or a source and its columns."""

    source: str | None = None
    columns: dict[str, str] = {}
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
        return None if zone is None else _zone(zone)


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


class Outcome(Strict):
    """What every outcome states: lead, horizon, source delay, and its own as_of grid where it differs.

    ``given_level`` names a level of facts that must be above zero at as_of, or the question makes no sense; ``table``
    the table without which there is no answer.
    """

    given_level: ClassVar[str] = ""
    table: ClassVar[str] = ""
    lead: Annotated[int, Field(ge=0, le=3650)] = 0
    horizon: Annotated[int, Field(ge=1, le=3650)] = 90
    grace: Annotated[int, Field(ge=0, le=365)] = 0
    delay: Annotated[int, Field(ge=0, le=365)] = 0
    given_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    until: date | None = None
    capacity: Annotated[int, Field(ge=1)] = 25
    directions: dict[str, Literal["raises", "lowers"]] = {}
    """Columns or features that can only raise, or only lower, the probability, because people know so."""
    season: Literal["none", "year"] = "none"
    """``year`` where the business knows that the time of the year matters: see ``training.season``."""

    @property
    def span(self) -> int:
        """Days after as_of until the outcome is known: lead + horizon + grace + source delay."""
        return self.lead + self.horizon + self.grace + self.delay


class Churn(Outcome):
    """No live contract at the end of the horizon, or no activity in it."""

    kind: Literal["contract", "inactivity"] = "contract"
    grace: Annotated[int, Field(ge=0, le=365)] = 30


class Advocacy(Outcome):
    """A completed act, or the feedback the user names as one, within the horizon."""

    kind: Literal["act", "feedback"] = "act"
    acts: tuple[Literal[ADVOCACY_KINDS], ...] = ADVOCACY_KINDS  # type: ignore[valid-type]
    instrument: Literal["NPS", "CSAT", "CES", "rating"] = "rating"
    at_least: float = 4


class Growth(Outcome):
    """ARR at the end of the horizon against ARR at as_of, for accounts that have any at as_of."""

    given_level: ClassVar[str] = "contract.arr"
    table: ClassVar[str] = "contracts"
    grace: Annotated[int, Field(ge=0, le=365)] = 30
    share: Annotated[float, Field(ge=0.001, le=10)] = 0.05


class Contraction(Growth):
    """ARR lower by at least ``share``, of an account that stays: one that leaves is a churn."""

    share: Annotated[float, Field(ge=0.001, le=1)] = 0.05


class Expansion(Growth):
    """ARR higher by at least ``share``."""


class Promoter(Outcome):
    """The last answer within the horizon is at the threshold or above; unknown without an answer."""

    table: ClassVar[str] = "feedback"
    instrument: Literal["NPS", "CSAT", "CES", "rating"] = "NPS"
    at_least: float = 9

    @model_validator(mode="after")
    def _own_threshold(self) -> Promoter:
        if self.instrument != "NPS" and "at_least" not in self.model_fields_set:
            raise ValueError(f"9 is the threshold of NPS; state at_least for {self.instrument}")
        return self


class Outcomes(Strict):
    churn: Churn | None = None
    contraction: Contraction | None = None
    expansion: Expansion | None = None
    advocacy: Advocacy | None = None
    promoter: Promoter | None = None

    def of(self, name: str) -> Outcome:
        """The settings of an outcome that is configured."""
        return dict(self)[name]

    def __iter__(self) -> Iterator[tuple[str, Outcome]]:  # type: ignore[override]
        for name in type(self).model_fields:
            if (outcome := getattr(self, name)) is not None:
                yield name, outcome


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
    topics: dict[str, tuple[str, ...]] = {}

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


class Training(Strict):
    """How models are judged: the last ``test_dates`` as_of dates are the test fold, fixed beforehand.

    ``trusted`` are columns or features that may foretell ever so well: the leakage alarm names them, and lets them pass.
    """

    test_dates: Annotated[int, Field(ge=1)] = 3
    folds: Annotated[int, Field(ge=1, le=12)] = 2
    minimum_positives: Annotated[int, Field(ge=5)] = 30
    seed: int = 7
    bags: Annotated[int, Field(ge=1, le=20)] = 5
    bootstraps: Annotated[int, Field(ge=50, le=5000)] = 400
    trusted: tuple[str, ...] = ()


class Economics(Strict):
    """What calling an account costs and brings, in the workspace's currency: lists and models are judged by it.

    ``save_rate`` is the share of those who would leave that stay when called: *assumed* until outreach has measured it.
    ``arr`` stands in for an account whose own is not known.
    """

    margin: Annotated[float, Field(ge=0, le=1)] = 0.7
    save_rate: Annotated[float, Field(ge=0, le=1)] = 0.2
    contact_cost: Annotated[float, Field(ge=0)] = 150
    offer: Annotated[float, Field(ge=0)] = 0
    arr: Annotated[float, Field(ge=0)] = 10_000


class Calls(Strict):
    """Who may be called, and how many: the outcome's ``capacity`` in all, ``per_owner`` of one owner.

    An account that was touched, or held out, is left alone for ``quiet_days``. ``holdout`` is the share of the list that
    is drawn by ``seed`` and not called, so that what a call does can be measured; 0: nobody, and it never will be.
    """

    per_owner: Annotated[int, Field(ge=1)] | None = None
    quiet_days: Annotated[int, Field(ge=0, le=365)] = 30
    holdout: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    seed: int = 7


class Asks(Strict):
    """When an account may be asked to speak up for us, and how often; one budget for all teams.

    ``risk`` is the probability of churn from which nobody is asked, ``renewal_days`` how close the end of a term may be.
    ``contact_rest_days`` is how long a person is left alone after an ask, wherever it came from.
    """

    tenure_days: Annotated[int, Field(ge=0, le=3650)] = 180
    risk: Annotated[float, Field(gt=0, le=1)] = 0.2
    renewal_days: Annotated[int, Field(ge=0, le=365)] = 30
    rest_days: Annotated[int, Field(ge=0, le=3650)] = 90
    declined_rest_days: Annotated[int, Field(ge=0, le=3650)] = 180
    contact_rest_days: Annotated[int, Field(ge=0, le=3650)] = 180
    per_year: Annotated[int, Field(ge=1, le=365)] = 3
    consent: Literal["required", "not needed"] = "required"
    consent_days: Annotated[int, Field(ge=1, le=36500)] | None = None


class Check(Strict):
    """A check of the user's own: every row that ``sql`` returns is a problem; ``of`` is what it is a share of."""

    name: str
    sql: str
    of: str | None = None


class Config(Strict):
    """``propensity.toml``."""

    name: str
    timezone: str = "UTC"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    sources: dict[str, Source] = {}
    tables: dict[str, Mapping]
    checks: tuple[Check, ...] = ()
    impossible: Literal["quarantine", "keep"] = "quarantine"
    memory: Annotated[str, Field(pattern=r"^\d+ ?(MB|GB|MiB|GiB)$")] = "4GB"
    signals: Signals = Signals()
    text: Text = Text()
    as_of: Grid
    cohort: Cohort = Cohort()
    outcomes: Outcomes = Outcomes()
    personas: Personas | None = None
    training: Training = Training()
    value: Economics = Economics()
    calls: Calls = Calls()
    asks: Asks = Asks()
    store: str | None = None

    def delay_hours(self, table: str) -> float:
        """The usual delay of a table; none where all of its rows are our own."""
        return self.tables[table].delay_hours if table in self.tables else 0.0

    @property
    def memory_bytes(self) -> int:
        """``memory`` as a number."""
        return _bytes(self.memory)

    @property
    def database_bytes(self) -> int:
        """What DuckDB may take of it: the process has needs of its own, and DuckDB goes a little beyond its limit."""
        return max(self.memory_bytes - 1_000_000_000, self.memory_bytes // 4)

    @field_validator("memory")
    @classmethod
    def _enough_memory(cls, memory: str) -> str:
        if _bytes(memory) < LEAST_MEMORY:
            raise ValueError(f"memory is {memory}; Python and its libraries take most of a GB: state 1GB or more")
        return memory

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return _zone(zone)

    @field_validator("sources")
    @classmethod
    def _plain_names(cls, sources: dict[str, Source]) -> dict[str, Source]:
        for name in sources:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"source name {name!r}: use lower-case letters, digits and _")
        return sources

    @field_validator("tables")
    @classmethod
    def _canonical(cls, tables: dict[str, Mapping]) -> dict[str, Mapping]:
        for name in tables:
            if name not in TABLES:
                raise ValueError(f"no table is called {name!r}; there are {one_of(TABLES)}")
        if "accounts" not in tables:
            raise ValueError("accounts is required")
        if not any(TABLES[name].facts for name in tables):
            raise ValueError("at least one table of facts is required, for example usage")
        return tables

    @model_validator(mode="after")
    def _sources_exist(self) -> Config:
        for name, mapping in self.tables.items():
            if mapping.source is not None and mapping.source not in self.sources:
                raise ValueError(f"tables.{name}.source is {mapping.source!r}; there are {one_of(self.sources)}")
        return self

    @model_validator(mode="after")
    def _outcomes_have_tables(self) -> Config:
        for name, outcome in self.outcomes:
            if outcome.table and outcome.table not in self.tables:
                raise ValueError(
                    f"outcomes.{name} needs the table {outcome.table}; map it under [tables.{outcome.table}]"
                )
        return self


def _bytes(memory: str) -> int:
    """``2GiB`` as a number."""
    number, unit = re.fullmatch(r"(\d+) ?(\w+)", memory).groups()  # type: ignore[union-attr]
    return int(number) * {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}[unit]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone; use a name such as Europe/Berlin or UTC") from error
    return name


class Workspace:
    """A folder with its configuration and everything the product writes, below ``state/`` and ``out/``."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root = root
        self.config = config

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def tables(self) -> Path:
        return self.state / "tables"

    @property
    def frames(self) -> Path:
        return self.state / "frames"

    @property
    def out(self) -> Path:
        return self.root / "out"

    def own(self, table: str) -> Path:
        """Rows of a canonical table that were written down here rather than exported from elsewhere; may not be there."""
        return self.state / "own" / f"{table}.parquet"

    @property
    def quarantine(self) -> Path:
        return self.out / "quarantine"

    @property
    def store_url(self) -> str:
        return self.config.store or f"sqlite:///{self.state / 'propensity.db'}"


def load(root: Path) -> Workspace:
    """Read ``propensity.toml``; errors name the key, the value and what is allowed."""
    file = root / FILE
    if not file.is_file():
        raise PropensityError(
            f"{root} is no workspace: it has no {FILE}",
            f"Run `propensity init {root}`, or name another folder with --workspace.",
        )
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PropensityError(f"{file} is not TOML: {error}", "Mend the line it names.") from error
    return Workspace(root.resolve(), parse(raw, str(file)))


def parse(raw: dict[str, Any], origin: str = FILE) -> Config:
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        raise PropensityError(
            f"{origin} has {error.error_count()} problem(s):\n"
            + "\n".join(_problem(found) for found in error.errors()),
            f"Change the named keys in {origin}.",
        ) from error


def _problem(found: Any) -> str:
    key = ".".join(str(part) for part in found["loc"]) or "(file)"
    if found["type"] == "missing":
        return f"  {key} is missing"
    if found["type"] == "extra_forbidden":
        return f"  {key} is not a key that exists here; there are {one_of(_keys_beside(found['loc']))}"
    value = found["input"]
    shown = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return f"  {key} = {shown}: {found['msg'].removeprefix('Value error, ')}"


def _keys_beside(location: tuple[Any, ...]) -> list[str]:
    """Names of the keys allowed where an unknown one was found."""
    model: Any = Config
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue
        model = next((option for option in _models(field.annotation)), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)
