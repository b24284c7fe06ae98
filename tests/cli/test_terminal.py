"""What people read of the windows: the sums of all dates, and why and when something was unknown."""

from __future__ import annotations

import pytest

from serving import terminal

NONE = {"treated": 0, "outside": 0, "unknown": 0, "immature": 0, "unrecorded": 0, "ambiguous": 0}


def test_windows_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        NONE | {"as_of": "2026-01-31", "rows": 1200, "used": 1000, "yes": 40, "treated": 7, "dropped": 200}
        | {"outside": 150, "unknown": 50, "ambiguous": 50},
        NONE | {"as_of": "2026-02-28", "rows": 100, "used": 0, "yes": 0, "dropped": 100}
        | {"unknown": 100, "immature": 90, "ambiguous": 10},
    ]  # fmt: skip
    terminal.show_windows(lines)
    said = " ".join(capsys.readouterr().out.split())
    assert "windows: 2 dates, 1,300 rows; 1,000 used (40 yes, 7 reached out to)" in said
    assert "300 dropped: 150 outside, 150 unknown" in said
    assert "90 not observed to their end, as of 2026-02-28" in said
    assert "60 ambiguous, as of 2026-01-31 to 2026-02-28" in said
    assert "recorded" not in said


def test_without_windows_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_windows([])
    assert not capsys.readouterr().out
