"""Pages that name commands, features and tests name those that are there."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from features.definitions import FEATURES
from serving import cli

ROOT = Path(__file__).parents[1]
TESTS = {
    name
    for file in ROOT.glob("tests/**/test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
}
COMMANDS = set(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def rows(page: str) -> list[list[str]]:
    """The cells of a page's tables, without their heads."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    told = [
        line
        for line, after in pairwise([*lines, ""])
        if line.startswith("| ") and not after.startswith(("| ---", "|---"))
    ]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in told if not line.startswith("| ---")]


def named(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.mark.parametrize(("page", "column", "least"), [("security.md", -1, 25), ("concepts.md", 2, 25)])
def test_the_tests_that_a_page_names_are_there(page: str, column: int, least: int) -> None:
    told = rows(page)
    assert len(told) >= least
    for row in told:
        assert named(row[column]), row
        assert named(row[column]) <= TESTS, row


def test_ideas_are_where_the_page_says() -> None:
    features = {declaration.name for declaration in FEATURES}
    for _, where, _ in rows("concepts.md"):
        for name in named(where):
            known = COMMANDS if name.startswith("propensity ") else features
            assert name.removeprefix("propensity ") in known, name


def test_the_commands_of_readme_are_there() -> None:
    told = re.findall(r"\.venv/bin/propensity ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert set(told) <= COMMANDS
    assert len(set(told)) > 25
