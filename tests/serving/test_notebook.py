"""Tables and charts are shown in a notebook as it shows them, and elsewhere in the terminal."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from serving import notebook
from training.charts import backtest
from training.charts.bars import bars

TABLE = pd.DataFrame({"account": ["a"], "probability": [0.5]})


def test_in_a_terminal_tables_are_printed_and_figures_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    notebook._folder.cache_clear()
    notebook.show("a line", TABLE, *(bars({"one": 1.0}, "about", "title") for _ in range(2)))
    said = capsys.readouterr().out
    files = sorted(tmp_path.rglob("*.png"))
    assert [file.name for file in files] == ["01.png", "02.png"]
    assert all(str(file) in said for file in files)
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    assert said.startswith("a line\n")
    assert "probability" in said


def test_in_a_notebook_its_own_door_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Any] = []
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    vars(ipython).update(get_ipython=object)
    vars(display).update(display=shown.append)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    chart = bars({"one": 1.0}, "about", "title")
    notebook.show(TABLE, chart)
    assert shown[0] is TABLE
    assert shown[1] is chart
    assert capsys.readouterr().out == ""


def test_a_chart_in_a_notebook_is_drawn_where_one_looks_at_it_and_tells_its_numbers() -> None:
    ages = [{"days": 30, "origins": 2, "log_loss": 0.25}]
    [*_, made] = backtest.ages(ages)._repr_mimebundle_().values()
    assert "tooltip" in str(made)
    assert "0.25" in str(made)
