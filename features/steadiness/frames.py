"""Feature columns of the newest as_of against the earlier ones: empty values, mean, median.

The summaries lie in ``state/quality/features.json``, one per as_of under the hash of its frame, so that only new
frames are read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features import frame, intake
from features.errors import PropensityError
from features.files import replaced
from features.steadiness import finding, usual
from features.steadiness.finding import Finding, Steadiness
from features.workspace import Workspace

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Summary:
    """One column of one frame; a categorical one, or one without any value, has neither mean nor quantiles."""

    empty: int
    mean: float | None = None
    deviation: float | None = None
    quantiles: list[float] | None = None


@dataclass(frozen=True)
class Frame:
    """One frame: its hash, how many rows it has, and its columns."""

    content: str
    rows: int
    columns: dict[str, Summary]

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Frame:
        columns = {name: Summary(**summary) for name, summary in raw["columns"].items()}
        return cls(raw["content"], raw["rows"], columns)


@dataclass(frozen=True)
class Stored:
    """Summaries of frames of the same tables and definitions (``of``), and what was found in them."""

    of: str
    frames: dict[date, Frame]
    steadiness: Steadiness

    def as_dict(self) -> dict[str, Any]:
        frames = {str(day): asdict(made) for day, made in sorted(self.frames.items())}
        return {"of": self.of, "frames": frames, "steadiness": self.steadiness.as_dict()}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Stored:
        frames = {date.fromisoformat(day): Frame.from_dict(made) for day, made in raw["frames"].items()}
        return cls(raw["of"], frames, Steadiness.from_dict(raw["steadiness"]))


def remember(workspace: Workspace, refs: dict[date, str]) -> Steadiness:
    """Summarise the frames just built and judge the newest of them beside the others."""
    of, before = f"{intake.current(workspace)[0].name} {frame.current_plan(workspace).digest}", _stored(workspace)
    frames = before.frames if before.of == of else {}
    for day, content in refs.items():
        kept = before.frames.get(day)
        frames[day] = kept if kept and kept.content == content else _summary(workspace, day, content)
    now = Stored(of, frames, judge(frames))
    with replaced(_file(workspace)) as part:
        part.write_text(json.dumps(now.as_dict()), encoding="utf-8")
    return now.steadiness


def found(workspace: Workspace) -> Steadiness:
    """What was found when frames were last built; nothing where none have been."""
    return _stored(workspace).steadiness


def judge(frames: dict[date, Frame]) -> Steadiness:
    """The newest frame beside those before it."""
    *before, newest = sorted(frames)
    before = before[-usual.EARLIER :]
    if len(before) < usual.ENOUGH:
        return Steadiness(too_little_past=["features"])
    now, past = frames[newest], [frames[day] for day in before]
    findings = []
    for name, summary in now.columns.items():
        beside = [(made.columns[name], made.rows) for made in past if name in made.columns and made.rows]
        if now.rows and len(beside) >= usual.ENOUGH:
            findings += _empty(name, summary, now.rows, beside, newest) or _jump(name, summary, now, beside, newest)
    return Steadiness(findings)


def _empty(name: str, now: Summary, rows: int, beside: list[tuple[Summary, int]], day: date) -> list[Finding]:
    expected = usual.shares([summary.empty for summary, _ in beside], [of for _, of in beside], rows)
    share = now.empty / rows
    return [] if expected.holds(share) else [finding.null_share(name, share, expected, f"as of {day}")]


def _jump(name: str, now: Summary, made: Frame, beside: list[tuple[Summary, int]], day: date) -> list[Finding]:
    past = [summary for summary, _ in beside if summary.mean is not None]
    if now.mean is None or now.deviation is None or now.quantiles is None or len(past) < usual.ENOUGH:
        return []
    if made.rows - now.empty < usual.FEWEST:
        return []
    deviation = float(np.median([summary.deviation for summary in past if summary.deviation is not None]))
    by_chance = usual.by_chance(deviation, now.deviation, made.rows - now.empty)
    expected = usual.means([summary.mean for summary in past if summary.mean is not None], by_chance)
    if not expected.holds(now.mean):
        return [finding.level(name, "mean", now.mean, expected, day)]
    quartiles = [summary.quantiles[1:4] for summary in past if summary.quantiles is not None]
    lower, middle, upper = zip(*quartiles, strict=True)
    width = float(np.median(np.array(upper) - np.array(lower)))
    low, median, high = now.quantiles[1:4]
    # Where most accounts have the same value the quartiles have no width, and the deviation stands in for it.
    by_chance = usual.by_chance(max(width, deviation), max(high - low, now.deviation), made.rows - now.empty)
    expected = usual.medians(middle, lower, upper, by_chance)
    return [] if expected.holds(median) else [finding.level(name, "median", median, expected, day)]


def _summary(workspace: Workspace, day: date, content: str) -> Frame:
    """Read column by column, so that memory is bounded by one."""
    file = pq.ParquetFile(frame.path(workspace, day, content))
    with file:
        names = [
            name for name in file.schema_arrow.names if name not in frame.INDEX and not name.startswith(frame.APPLIES)
        ]
        columns = {name: _column(file.read(columns=[name]).column(0)) for name in names}
        return Frame(content, file.metadata.num_rows, columns)


def _column(values: pa.ChunkedArray) -> Summary:
    if not pa.types.is_floating(values.type):
        return Summary(values.null_count)
    numbers = values.to_numpy()
    there = np.sort(numbers[~np.isnan(numbers)])
    empty = len(numbers) - len(there)
    if not len(there):
        return Summary(empty)
    quantiles = [float(there[round(quantile * (len(there) - 1))]) for quantile in QUANTILES]
    return Summary(empty, float(there.mean()), float(there.std()), quantiles)


def _file(workspace: Workspace) -> Path:
    return workspace.state / "quality" / "features.json"


def _stored(workspace: Workspace) -> Stored:
    file = _file(workspace)
    if not file.is_file():
        return Stored("", {}, Steadiness())
    try:
        return Stored.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise PropensityError(
            f"{file} is not what `propensity features` wrote: {error}", "Remove it, then run `propensity features`."
        ) from error
