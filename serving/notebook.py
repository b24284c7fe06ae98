"""What a notebook shows: as it is in Jupyter and VS Code, and in the terminal where it is run as a script."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pandas as pd

from training.charts import Chart, png

WIDTH = 160


def show(*things: Any) -> None:
    """Show tables, charts and whatever else can be said in a line.

    In a notebook tables are formatted, and charts tell their numbers to whoever points at them. Elsewhere tables are
    printed, and a chart is written as PNG into a temporary folder of this process, whose path is printed.
    """
    display = _display()
    for thing in things:
        if display is not None:
            display(thing)
        else:
            print(_written(thing) if isinstance(thing, Chart) else _text(thing))  # noqa: T201


def _display() -> Any:
    """The notebook's own door; None where there is no notebook, in which case IPython need not be installed."""
    if "IPython" not in sys.modules or import_module("IPython").get_ipython() is None:
        return None
    return import_module("IPython.display").display


def _written(chart: Chart) -> Path:
    folder = _folder()
    file = folder / f"{len(list(folder.iterdir())) + 1:02}.png"
    file.write_bytes(png(chart))
    return file


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="propensity-figures-"))


def _text(thing: Any) -> str:
    if isinstance(thing, pd.DataFrame):
        return f"{thing.to_string(max_rows=40, line_width=WIDTH)}\n"
    return str(thing)
