"""The service's log: one JSON object per line on standard error, without ids of accounts and without names."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from traceback import extract_tb


class Lines(logging.Formatter):
    """What was said, and of an exception its kind and where it came from: its message may hold what it was about."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname, "message": record.getMessage(), **getattr(record, "told", {})}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["exception"] = type(error).__name__
            line["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)
            ]
        return json.dumps(line)


def log_to_stderr() -> None:
    log = logging.getLogger("propensity")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
