"""What was found when the data was read: rows, problems with counts and examples, quarantine."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Problem:
    """One kind of problem: how many rows have it, some of them, and whether those rows were set aside."""

    problem: str
    count: int
    share: float
    examples: list[str]
    quarantined: bool = True


@dataclass
class TableReport:
    """What one canonical table came to."""

    table: str
    read: int = 0
    rows: int = 0
    quarantined: int = 0
    repeated: int = 0
    first: str | None = None
    last: str | None = None
    problems: list[Problem] = field(default_factory=list)
    handled: list[str] = field(default_factory=list)
    quarantine_file: str | None = None
    columns: list[str] = field(default_factory=list)
    date_only: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Report:
    """What the whole workspace came to. ``observed_until`` is the last local day with a fact."""

    tables: dict[str, TableReport]
    checks: list[Problem] = field(default_factory=list)
    observed_until: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "tables": {name: report.as_dict() for name, report in self.tables.items()},
            "checks": [asdict(check) for check in self.checks],
            "observed_until": self.observed_until,
        }

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Report:
        tables = {}
        for name, table in raw["tables"].items():
            problems = [Problem(**problem) for problem in table["problems"]]
            tables[name] = TableReport(**{**table, "problems": problems})
        return cls(tables, [Problem(**check) for check in raw["checks"]], raw["observed_until"])
