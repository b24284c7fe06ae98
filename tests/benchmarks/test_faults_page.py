"""The page of fault drills: what was lost, failed or out of bounds stands in it."""

from __future__ import annotations

from benchmarks import faults_page

SWAPS = {"who": "propensity", "store": "sqlite", "what": "swaps under load", "count": 100, "requests": 4321, "failed": 0,
         "seconds_to_swap": {"median": 6.04, "most": 9.5}, "as_expected": True}  # fmt: skip
WORKER = {"who": "propensity", "store": "postgresql", "what": "worker killed while somebody writes", "count": 25,
          "acknowledged": 1200, "lost": 0, "twice": 1, "seconds_to_ready": {"median": 8.0, "most": 9.0},
          "as_expected": False}  # fmt: skip
WRITER = {"store": "sqlite", "what": "writer killed", "count": 25, "acknowledged": 500, "lost": 2, "as_expected": False}
SOAK = {"store": "sqlite", "what": "soak", "seconds": 601, "requests": 9000, "failed": 3, "memory_mb": 700,
        "more_memory": 0.0123, "more_handles": -1, "as_expected": False}  # fmt: skip


def test_every_drill_says_what_was_done_and_what_went_wrong() -> None:
    _, told, table = faults_page.parts([SWAPS, WORKER, WRITER, SOAK])
    assert told.startswith("1 of 4 as expected")
    lines = table.splitlines()[2:]
    for line, parts in zip(
        lines,
        (
            ("sqlite", "100", "4,321 requests", "0 failed", "6.0 s, at most 9.5 s", "| yes |"),
            ("postgresql", "25", "1,200 entries", "0 lost, 1 twice", "8.0 s, at most 9.0 s", "**no**"),
            ("writer killed", "2 lost", "–"),
            ("10 minutes", "9,000 requests", "3 failed", "memory +1.2% of 700 MB, handles -1"),
        ),
        strict=True,
    ):
        assert all(part in line for part in parts), line


def test_nothing_is_said_of_drills_that_were_not_run() -> None:
    assert faults_page.parts([]) == []
