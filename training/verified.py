"""Files of a model, read only if they are what was registered: a damaged booster kills the process that parses it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from features.errors import PropensityError

HINT = "Restore the model's files, or train again with `propensity train`."


def verified(file: Path, sha256: str) -> bytes:
    """The content of a file with this SHA-256; any other is refused."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PropensityError(f"the model's {file.name} cannot be read: {error}", HINT, status=503) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PropensityError(
            f"the model's {file.name} is not what was registered: its SHA-256 differs", HINT, status=503
        )
    return content
