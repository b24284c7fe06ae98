"""What DuckDB says when memory or disk runs out, in plain words; however it is raised."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from features.database import connected
from features.errors import PropensityError
from tests import worlds

TOO_LITTLE = "Out of Memory Error: could not allocate block of size 256.0 KiB"
NO_ROOM = 'Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used) to "spill"'


@pytest.mark.parametrize("kind", [duckdb.OutOfMemoryException, OSError])  # OSError where rows are streamed
@pytest.mark.parametrize(("told", "says"), [(TOO_LITTLE, "memory of 3GB is too little"), (NO_ROOM, "no room left in")])
def test_what_ran_out_is_said(kind: type[Exception], told: str, says: str, tmp_path: Path) -> None:
    workspace = worlds.write(tmp_path, {"accounts": [{"account": "a"}], "usage": []}, memory="3GB")
    with pytest.raises(PropensityError, match=says), connected(workspace, tmp_path):
        raise kind(told)


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    workspace = worlds.write(tmp_path, {"accounts": [{"account": "a"}], "usage": []})
    with pytest.raises(OSError, match="elsewhere"), connected(workspace, tmp_path):
        raise OSError("elsewhere")
