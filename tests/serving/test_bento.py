"""The bento: `bentoml build` is run, and what it has built is a service without anything else of the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from serving import __version__

ROOT = Path(__file__).parents[2]
PACKAGES = ("features", "training", "serving")
ALONE = """
import importlib.metadata as metadata, json
found = metadata.distribution
def absent(name):
    if name == "propensity":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.distribution = absent
from serving import service
from serving.web import canary
document = service.application().openapi()
print(json.dumps([service.__file__, str(canary.HERE), document["info"]["version"], len(document["paths"])]))
"""


def ours() -> set[str]:
    """Every file of the packages."""
    files = (file for name in PACKAGES for file in (ROOT / name).rglob("*") if file.is_file())
    return {str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a bento, built in a home of its own; what BentoML would download is refused."""
    home = tmp_path_factory.mktemp("bento")
    uv = home / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho nothing is to be locked or installed >&2\nexit 1\n", encoding="utf-8")
    uv.chmod(0o755)
    alone = os.environ | {
        "BENTOML_HOME": str(home / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-W", "ignore", "-m", "bentoml", "build", "--output", "tag", "."]
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (bento,) = [file.parent for file in (home / "bentoml" / "bentos" / "propensity").glob("*/bento.yaml")]
    return bento


def test_it_holds_every_file_of_the_packages_and_nothing_else_of_ours(built: Path) -> None:
    there = {str(file.relative_to(built / "src")) for file in (built / "src").rglob("*") if file.is_file()}
    assert {"pyproject.toml", "requirements.lock", "bentofile.yaml"} == there - ours()
    assert ours() <= there


def test_it_is_a_service_by_itself(built: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", ALONE]
    told = subprocess.run(command, cwd=built / "src", capture_output=True, text=True, check=True).stdout
    where, tried_by, release, paths = json.loads(told.splitlines()[-1])
    assert Path(where).is_relative_to(built)
    assert Path(tried_by) == built / "src", "a new model is tried by the bento's own code"
    assert release == __version__
    assert paths > 30


def test_its_requirements_are_those_of_the_lock(built: Path) -> None:
    def pinned(file: Path) -> set[str]:
        lines = (line.partition(" ")[0].partition(";")[0] for line in file.read_text(encoding="utf-8").splitlines())
        return {line for line in lines if "==" in line and not line.startswith("#")}

    assert pinned(built / "env" / "python" / "requirements.txt") == pinned(ROOT / "requirements.lock")


def test_a_distribution_holds_what_is_no_python_too() -> None:
    """What setuptools is told to take along, beside the modules that it finds itself."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    patterns = [f"{package}/{pattern}" for package, some in told.items() for pattern in some]
    others = {file for file in ours() if not file.endswith((".py", ".mako"))}
    assert others
    assert {file for file in others if not any(fnmatch(file, pattern) for pattern in patterns)} == set()
