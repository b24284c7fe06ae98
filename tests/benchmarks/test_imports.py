"""Benchmarks are run by hand and seldom; that they still begin is checked every time."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import benchmarks

PEERS = {"autogluon", "catboost", "featuretools", "getml", "polars", "woodelf", "xgboost"}
"""What is installed in environments of their own, or nowhere."""
APART = "benchmarks.serving.ours"
"""Adds routes to the service where it is imported: in a process of its own."""
MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(benchmarks.__path__, "benchmarks.")
    if ".envs" not in found.name and found.name != APART
)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_lacks_nothing_but_its_peer(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert str(error.name).split(".")[0] in PEERS


def test_what_adds_to_the_service_lacks_nothing() -> None:
    subprocess.run([sys.executable, "-c", f"import {APART}"], check=True)


def test_there_are_some() -> None:
    assert {"benchmarks.verify", "benchmarks.models.__main__", "benchmarks.scoring.__main__"} <= set(MODULES)
