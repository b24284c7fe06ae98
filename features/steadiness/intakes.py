"""What each intake came to, kept so that the next can be compared with it: history must not disappear.

One small file per intake under ``state/quality/intakes/``, numbered; reading the same data again replaces the last.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.errors import PropensityError
from features.files import replaced
from features.intake import Intake
from features.steadiness import finding, usual
from features.steadiness.finding import Finding, Steadiness
from features.steadiness.tables import Days
from features.workspace import Workspace

KEPT = 100


@dataclass(frozen=True)
class Size:
    """Rows of a table (of facts: those up to the last observed day), and the columns that were mapped."""

    rows: int
    columns: list[str]
    dated: bool


@dataclass(frozen=True)
class Taken:
    """What one intake came to."""

    observed_until: str | None
    tables: dict[str, Size]

    @classmethod
    def of(cls, intake: Intake, days: dict[str, Days]) -> Taken:
        tables = {}
        for name, report in intake.report.tables.items():
            dated = name in days
            tables[name] = Size(sum(days[name].facts) if dated else report.rows, report.columns, dated)
        return cls(intake.report.observed_until, tables)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Taken:
        return cls(raw["observed_until"], {name: Size(**size) for name, size in raw["tables"].items()})


def remember(workspace: Workspace, taken: Taken, found: Steadiness) -> Path:
    """Store an intake and what was found in it; the last ones are kept."""
    files = _files(workspace)
    number = int(files[-1].stem) if files else 0
    if not files or _read(files[-1]) != taken:
        number += 1
    target = _folder(workspace) / f"{number:06}.json"
    with replaced(target) as part:
        part.write_text(json.dumps({**asdict(taken), "steadiness": found.as_dict()}, indent=1), encoding="utf-8")
    for old in _files(workspace)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target


def previous(workspace: Workspace, taken: Taken) -> Taken | None:
    """The last intake of other data than this one."""
    for file in reversed(_files(workspace)):
        if (before := _read(file)) != taken:
            return before
    return None


def found(workspace: Workspace) -> Steadiness:
    """What was found at the last intake; nothing where there was none."""
    files = _files(workspace)
    return Steadiness.from_dict(_raw(files[-1])["steadiness"]) if files else Steadiness()


def judge(before: Taken | None, taken: Taken, days: dict[str, Days]) -> Steadiness:
    """What is no longer there of what the intake before had."""
    if before is None:
        return Steadiness()
    since = date.fromisoformat(before.observed_until) if before.observed_until else None
    findings: list[Finding] = []
    for name, was in before.tables.items():
        if name not in taken.tables:
            findings.append(finding.vanished(name, since))
            continue
        gone = [column for column in was.columns if column not in taken.tables[name].columns]
        findings += [finding.vanished(f"{name}.{column}", since) for column in gone]
        then = since if was.dated else None
        now = _rows(name, taken, days, then)
        if usual.shrunk(was.rows, now):
            findings.append(finding.shrunk(name, was.rows, now, then))
    return Steadiness(findings)


def _rows(name: str, taken: Taken, days: dict[str, Days], until: date | None) -> int:
    """How many rows there are now, of the time until then."""
    if until is None:
        return taken.tables[name].rows
    return days[name].to(until) if name in days else 0


def _folder(workspace: Workspace) -> Path:
    return workspace.state / "quality" / "intakes"


def _files(workspace: Workspace) -> list[Path]:
    return sorted(_folder(workspace).glob("[0-9]*.json"))


def _raw(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def _read(file: Path) -> Taken:
    try:
        return Taken.from_dict(_raw(file))
    except (ValueError, KeyError, TypeError) as error:
        raise PropensityError(
            f"{file} is not what an intake wrote: {error}", "Remove it; the next intake is compared with those left."
        ) from error
