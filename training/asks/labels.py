"""What came of asks as it was known by a day: yes, no, or unknown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

LEAST_PATIENCE = 30
"""Nobody is taken to have said no by silence within so many days."""


def patience(rest_days: int) -> int:
    """Days in which an ask can be answered; silence is a no once they are over."""
    return max(rest_days, LEAST_PATIENCE)


def made(asks: pd.DataFrame, by: float) -> npt.NDArray[np.bool_]:
    """Which asks were made, and on record, by the end of a day.

    ``asks`` has a row for each, in days since 1970, null where that has not happened: ``asked``, ``yes`` (accepted or
    done, whichever came first), ``no`` (declined), and ``recorded``, before which nothing of it was known.
    """
    return _known(asks["asked"], asks) <= by


def answers(asks: pd.DataFrame, by: float, days: int) -> npt.NDArray[np.float64]:
    """1, 0, or null where it is not known by the end of the day ``by``.

    The first answer within ``days`` counts; a yes that comes later is not a yes to that ask. Silence is a no once the
    time is over; until then nobody knows.
    """
    asked, yes, no = (asks[name].to_numpy(dtype=float) for name in ("asked", "yes", "no"))
    with np.errstate(invalid="ignore"):
        in_time, first = yes < asked + days, ~(no < yes)
        said_yes = in_time & first & (_known(asks["yes"], asks) <= by)
        said_no = (no < asked + days) & ~(in_time & first) & (_known(asks["no"], asks) <= by)
        silent = ~said_yes & (asked + days <= by)
    found = np.full(len(asks), np.nan)
    found[said_no | silent] = 0.0
    found[said_yes] = 1.0
    found[~made(asks, by)] = np.nan
    return found


def _known(day: pd.Series, asks: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The later of the day itself and the one on which the row was recorded; null where it has not happened."""
    at = day.to_numpy(dtype=float)
    recorded = asks["recorded"].to_numpy(dtype=float)
    return np.where(np.isnan(recorded), at, np.maximum(at, recorded))
