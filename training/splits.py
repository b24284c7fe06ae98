"""Rolling folds over as_of dates: learn from the past, leave an embargo, judge on what came later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from features.errors import PropensityError


@dataclass(frozen=True)
class Fold:
    """Dates to learn from and dates to judge on; every learnt outcome was known before the first of these."""

    fit: tuple[date, ...]
    test: tuple[date, ...]


def rolling(days: list[date], span: int, test_dates: int, folds: int) -> list[Fold]:
    """Folds, oldest first; the last one is the test fold that decides.

    ``span`` is lead + horizon + grace + source delay in days: an as_of date may be learnt from only if it is at least
    that much earlier than the first date of the fold's test block. The block of an earlier fold ends where its
    outcomes were known before the next fold's block begins, so it may serve to calibrate.
    """
    found: list[Fold] = []
    end = len(days)
    while len(found) < folds and end >= test_dates:
        test = days[end - test_dates : end]
        fit = [day for day in days if known_by(day, span, test[0])]
        if not fit:
            break
        found.append(Fold(tuple(fit), tuple(test)))
        end = len(fit)
    if not found:
        need = timedelta(days=span)
        raise PropensityError(
            f"{len(days)} as_of dates from {days[0] if days else '?'} to {days[-1] if days else '?'} leave none to learn "
            f"from: outcomes take {need.days} days to be known, and the last {test_dates} dates are the test",
            "Start as_of.since earlier, shorten the outcome's horizon, or lower training.test_dates.",
        )
    return found[::-1]


def blocks(days: list[date], span: int, size: int) -> list[Fold]:
    """Every block of ``size`` dates, laid end to end from the last date backwards, oldest first, with the dates whose
    outcomes were known before it.
    """
    found: list[Fold] = []
    end = len(days)
    while end >= size:
        test = days[end - size : end]
        fit = [day for day in days if known_by(day, span, test[0])]
        if not fit:
            break
        found.append(Fold(tuple(fit), tuple(test)))
        end -= size
    return found[::-1]


def known_by(day: date, span: int, then: date) -> bool:
    """Was the outcome of ``day`` known at the as_of ``then``?"""
    return day + timedelta(days=span) <= then
