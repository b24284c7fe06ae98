"""Benchmarks are run by hand and seldom; that they still begin is checked every time."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import benchmarks

PEERS = {"autogluon", "catboost", "featuretools", "getml", "polars", "woodelf", "xgboost"}
"""What is installed in environments of their own, or nowhere."""
MODULES = sorted(
    found.name for found in pkgutil.walk_packages(benchmarks.__path__, "benchmarks.") if ".envs" not in found.name
)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_lacks_nothing_but_its_peer(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert str(error.name).split(".")[0] in PEERS


def test_there_are_some() -> None:
    assert {"benchmarks.verify", "benchmarks.models.__main__", "benchmarks.scoring.__main__"} <= set(MODULES)
