"""docs/security.md names tests that are there, and every attack it lists has one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_attack_list_names_exists() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    attacks = [row.rsplit("|", 2)[1] for row in rows if "| test |" not in row]
    assert len(attacks) > 25
    there = {
        name
        for file in ROOT.glob("tests/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for attack in attacks:
        named = re.findall(r"`(\w+)`", attack)
        assert named, attack
        assert set(named) <= there, set(named) - there
