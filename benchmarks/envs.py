"""Environments of their own for the peers that are no part of ours: ``benchmarks/.envs/NAME``, made when first asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ENVS = Path(__file__).parent / ".envs"
NEEDS = {
    "polars": ("polars==2.1.*",),
    "getml": ("getml==1.5.*",),
    "woodelf": ("woodelf-explainer==0.4.*", "lightgbm==4.7.*"),
    "featuretools": ("featuretools==1.31.*", "pandas<3", "pyarrow"),
    "boosters": (
        "catboost==1.2.*",
        "xgboost==3.2.*",
        "lightgbm==4.7.*",
        "optuna==5.0.*",
        "scikit-learn==1.9.*",
        "pyarrow",
    ),
    "autogluon": ("autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.*", "pyarrow"),
}


class NotInstalledError(Exception):
    """A peer that cannot be installed here, and why."""


def python(name: str) -> str:
    """The interpreter of an environment; our own for no name."""
    if not name:
        return sys.executable
    home = ENVS / name
    found = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (home / "installed").is_file():
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], name)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([str(found), *install, *NEEDS[name]], name)
        (home / "installed").touch()
    return str(found)


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise NotInstalledError(f"{name} cannot be installed: {told[-1] if told else done.returncode}")
