"""What training came to, as it is shown, written down and compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from training import gate
from training.alarm import Alarm
from training.judge import Judged
from training.learn import Learned
from training.metrics import Estimate
from training.slices import Slice
from training.value import Value


@dataclass
class Result:
    """What training one outcome came to; ``metrics``, ``baselines``, ``slices`` and ``value`` are of the test fold."""

    outcome: str
    verdict: str
    reasons: list[str]
    version: int | None = None
    run: str | None = None
    test: list[date] = field(default_factory=list)
    n: int = 0
    positives: int = 0
    rung: str = ""
    ladder: list[str] = field(default_factory=list)
    metrics: dict[str, Estimate] = field(default_factory=dict)
    baselines: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    coverage: list[dict[str, float]] = field(default_factory=list)
    value: Value | None = None
    empc: float | None = None
    calibration: str = ""
    earlier: list[dict[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def promoted(self) -> bool:
        return self.verdict == gate.PROMOTED

    def as_dict(self) -> dict[str, Any]:
        def told(found: dict[str, Estimate]) -> dict[str, Any]:
            counts = {"n": self.n, "positives": self.positives}
            return {name: estimate.as_dict() for name, estimate in found.items()} | counts

        return {
            "verdict": self.verdict,
            "version": self.version,
            "promoted": self.promoted,
            "reasons": self.reasons,
            "rung": self.rung or None,
            "ladder": self.ladder,
            "test": [str(day) for day in self.test],
            "metrics": told(self.metrics) if self.metrics else None,
            "baselines": {name: told(found) for name, found in self.baselines.items()},
            "slices": [one.as_dict() for one in self.slices],
            "interval_coverage": self.coverage,
            "value": self.value.as_dict() if self.value else None,
            "empc": self.empc,
            "alarms": [ringing.as_dict() for ringing in self.alarms],
            "calibration": self.calibration,
            "earlier_folds": self.earlier,
            "windows": self.windows,
            "run": self.run,
        }


def told(blank: Result, found: Learned, judged: Judged) -> Result:
    """The same with what a model and its judgement came to."""
    return replace(
        blank,
        verdict=judged.verdict.verdict,
        reasons=judged.verdict.reasons,
        rung=found.model.rung,
        ladder=[str(step) for step in found.choice.steps],
        metrics=judged.metrics,
        baselines=judged.baselines,
        slices=judged.slices,
        coverage=judged.coverage,
        value=judged.value,
        empc=judged.empc,
        calibration=found.calibration,
        earlier=found.earlier,
        alarms=judged.alarms,
    )
