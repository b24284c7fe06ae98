"""Scores by page: sorted by one thing, filtered, each page beginning after the last line of the one before."""

from __future__ import annotations

import base64
import binascii
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import pandas as pd
import pyarrow.parquet as pq

from features import intake
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores import lists
from serving.scores.score import Score
from serving.web.live import Shown

SORTS = ("rank", "account", "arr", "-arr", "days_to_renewal", "-days_to_renewal")
"""What a page may be sorted by; ``-`` the highest first, and what is not known last. ``rank`` is the likeliest first."""
Place = tuple[bool, float, str]
"""Where a line stands: what is not known comes last, then by the number, then by the account."""


@dataclass(frozen=True)
class Cursor:
    """After which line a page begins, in which batch and order."""

    batch: str
    sort: str
    after: Place

    def __str__(self) -> str:
        told = json.dumps([self.batch, self.sort, *self.after], separators=(",", ":"))
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, text: str, batch: str, sort: str) -> Cursor:
        """Raises PropensityError where it is none of ours (400), or of a batch that is not served any more (409)."""
        try:
            told = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            match told:
                case [str(of), str(by), bool(unknown), float(number) | int(number), str(account)]:
                    found = cls(of, by, (unknown, float(number), account))
                case _:
                    raise ValueError(text)
        except (ValueError, binascii.Error, RecursionError, OverflowError) as error:
            raise PropensityError("cursor is none that a page gave", "Take `next` of the page before.") from error
        if math.isnan(found.after[1]) or found.sort != sort:
            raise PropensityError("cursor is that of another sort", f"Go on with sort={found.sort[:20]}.")
        if found.batch != batch:
            raise PropensityError(
                "other scores are served by now than those of the page before",
                "Begin again without cursor.",
                status=409,
            )
        return found


def page(
    order: Sequence[int],
    place: Callable[[int], Place],
    keep: Callable[[int], bool],
    size: int,
    after: Place | None = None,
) -> tuple[list[int], bool]:
    """Up to ``size`` of the rows in ``order`` that stand after a place and are to be kept, and whether more follow."""
    begin = 0 if after is None else bisect_right(order, after, key=place)
    found: list[int] = []
    for row in islice(order, begin, None):
        if keep(row):
            if len(found) == size:
                return found, True
            found.append(row)
    return found, False


@dataclass(frozen=True)
class Book:
    """The scores of a batch with what they can be sorted and filtered by; rows by rank."""

    name: str
    scores: list[Score]
    owners: list[str | None]
    segments: list[str | None]
    shown: dict[str, list[float]]

    @classmethod
    def of(cls, workspace: Workspace, shown: Shown) -> Book:
        folder, _ = intake.current(workspace)
        table = pq.read_table(folder / "accounts.parquet", columns=["account", "owner", "segment"]).to_pandas()
        of = {account: (owner, segment) for account, owner, segment in table.itertuples(index=False)}
        scores = list(shown.scores.values())
        rows = shown.rows.iloc[[shown.place[score.account] for score in scores]]
        about = [of.get(score.account, (None, None)) for score in scores]
        unknown = [math.nan] * len(scores)
        return cls(
            f"{scores[0].model_version} {shown.frame_hash}" if scores else shown.frame_hash,
            scores,
            [_known(owner) for owner, _ in about],
            [_known(segment) for _, segment in about],
            {name: rows[name].tolist() if name in rows else unknown for name in lists.SHOWN},
        )

    def place(self, sort: str) -> Callable[[int], Place]:
        """How a row stands in an order."""
        scores = self.scores
        if sort == "rank":
            return lambda row: (False, scores[row].rank, scores[row].account)
        if sort == "account":
            return lambda row: (False, 0.0, scores[row].account)
        numbers, sign = self.shown[sort.removeprefix("-")], -1.0 if sort.startswith("-") else 1.0
        return lambda row: (True, 0.0, scores[row].account) if math.isnan(numbers[row]) else (
            False, sign * numbers[row], scores[row].account,
        )  # fmt: skip

    @cached_property
    def orders(self) -> dict[str, list[int]]:
        return {sort: sorted(range(len(self.scores)), key=self.place(sort)) for sort in SORTS}

    def page(
        self, sort: str, size: int, cursor: str | None, owner: str | None, segment: str | None
    ) -> tuple[list[int], str | None, int]:
        """The rows of a page, the cursor of the next (None on the last), and how many rows all pages have.

        Raises PropensityError (404) where there is no such owner or segment.
        """
        for what, wanted, there in (("owner", owner, self.owners), ("segment", segment, self.segments)):
            if wanted is not None and wanted not in there:
                raise PropensityError(
                    f"no account that is scored has the {what} {wanted[:80]!r}",
                    "Names are compared exactly.",
                    status=404,
                )

        def keep(row: int) -> bool:
            return (owner is None or self.owners[row] == owner) and (segment is None or self.segments[row] == segment)

        place = self.place(sort)
        after = None if cursor is None else Cursor.of(cursor, self.name, sort).after
        rows, more = page(self.orders[sort], place, keep, size, after)
        following = str(Cursor(self.name, sort, place(rows[-1]))) if more else None
        everybody = owner is None and segment is None
        count = len(self.scores) if everybody else sum(map(keep, range(len(self.scores))))
        return rows, following, count


def _known(value: str | float | None) -> str | None:
    return None if pd.isna(value) else str(value)
