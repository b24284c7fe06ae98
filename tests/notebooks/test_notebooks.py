"""The notebooks run from top to bottom, on small companies; they tell in words what they do, and hold no logic."""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from features.sources.simulated import World
from features.workspace import Workspace
from serving import demo, notebook
from training.registry import Registry

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
SMALL = {
    "ordinary": World(accounts=360, months=22),
    "no signal": World(accounts=240, months=20, seed=1, signal=False),
}
QUICK = {"folds": 1, "bags": 2, "bootstraps": 50, "minimum_positives": 5}
MARKDOWN, CODE = "# %% [markdown]", "# %%"

each = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Workspace]]:
    """Small companies as the notebooks would have made them, with the empty registry that takes MLflow long."""
    assert SMALL.keys() == demo.COMPANIES.keys()
    with pytest.MonkeyPatch.context() as small, threadpool_limits(1, "blas"):
        small.setattr(demo, "COMPANIES", SMALL)
        small.setattr(demo, "TRAINING", QUICK)
        made = {which: demo.company(tmp_path_factory.mktemp("company") / "here", which) for which in SMALL}
        for workspace in made.values():
            Registry(workspace).champion("churn")
        yield made


@each
def test_it_runs_and_shows(
    file: Path,
    companies: dict[str, Workspace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def copied(root: Path, which: str = "ordinary") -> Workspace:
        ready = companies[which]
        return Workspace(Path(shutil.copytree(ready.root, root, dirs_exist_ok=True)), ready.config)

    monkeypatch.setattr(demo, "company", copied)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    notebook._folder.cache_clear()
    runpy.run_path(str(file), run_name="__main__")
    figures = [picture for picture in tmp_path.glob("propensity-figures-*/*.png") if picture.stat().st_size > 5_000]
    shown = capsys.readouterr().out
    assert len(figures) >= 2
    assert all(str(picture) in shown for picture in figures)
    assert len(shown.splitlines()) > 20


@each
def test_it_is_in_percent_format_and_says_what_it_does(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    cells = re.split(r"^(?=# %%)", text, flags=re.MULTILINE)
    assert cells.pop(0) == ""
    kinds, bodies = zip(*(cell.split("\n", 1) for cell in cells), strict=True)
    assert set(kinds) == {MARKDOWN, CODE}
    assert bodies[0].startswith("# # ")
    assert kinds[0] == kinds[-1] == MARKDOWN
    for position, (kind, body) in enumerate(zip(kinds, bodies, strict=True)):
        if kind == MARKDOWN:
            assert all(line.startswith("#") for line in body.strip().splitlines()), body
            assert len(body.split()) > 5 or body.startswith("# Next"), body
        else:
            assert kinds[position - 1] == MARKDOWN, body
            assert ast.parse(body).body, body


@each
def test_it_has_no_logic_of_its_own(file: Path) -> None:
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    logic = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.While)
    assert [node for node in tree if isinstance(node, logic)] == []


@each
def test_it_draws_by_the_charts_of_the_pages_alone(file: Path) -> None:
    tree = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    named = [one.module or "" for one in tree if isinstance(one, ast.ImportFrom)]
    named += [alias.name for one in tree if isinstance(one, ast.Import) for alias in one.names]
    assert not {name.split(".")[0] for name in named} & {"altair", "matplotlib", "plotly", "seaborn", "vl_convert"}
    assert [name for name in named if name.startswith("training.charts")]


@each
def test_its_links_lead_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", file.read_text(encoding="utf-8"))
    assert all((file.parent / link).is_file() for link in links), links


def test_all_of_them_are_here() -> None:
    assert [file.stem[:2] for file in NOTEBOOKS] == ["01", "02", "03", "04", "05"]
