"""The workspace: one folder, one ``propensity.toml``, typed and checked.

Every error names the key, the value and what is allowed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from features.errors import PropensityError, one_of
from features.settings.alerts import Alerts
from features.settings.base import Strict, time_zone
from features.settings.beacon import Beacon
from features.settings.data import Check, Cohort, Grid, Mapping, Personas, Signals, Source, Text
from features.settings.decisions import Asks, Calls, Economics
from features.settings.freshness import Freshness
from features.settings.login import Login
from features.settings.outcomes import Outcomes
from features.settings.programme import Programme
from features.settings.service import Service
from features.settings.states import States
from features.settings.training import Training
from features.tables import TABLES

FILE = "propensity.toml"
LEAST_MEMORY = 10**9


class Config(Strict):
    """``propensity.toml``."""

    name: str
    timezone: str = "UTC"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    sources: dict[str, Source] = Field(default_factory=dict)
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
    states: States = States()
    programme: Programme = Programme()
    alerts: Alerts = Alerts()
    beacon: Beacon = Beacon()
    freshness: Freshness = Freshness()
    service: Service = Service()
    login: Login = Login()
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
        return time_zone(zone)

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


class Workspace:
    """A folder with its configuration and everything the product writes, below ``state/`` and ``out/``."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root = root
        self.config = config
        self.store_seconds = 600.0
        """How long PostgreSQL may be silent before it counts as down: long, as commands write much at once."""

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
