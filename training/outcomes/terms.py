"""What contracts say of the time after as_of: who is still under contract, and at which ARR."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features import facts
from features.database import literal
from features.errors import PropensityError
from features.facts import FACTS, TERM_ENDS, UNIT
from features.settings.outcomes import Growth
from training.outcomes.future import Future

VERSION = 1
Mask = npt.NDArray[np.bool_]
STREAMS = tuple(dict.fromkeys(fact.kind for fact in FACTS if fact.table == "contracts"))
"""Everything that contracts tell."""
MILLION = 1_000_000
NEVER = np.int64(np.iinfo(np.int64).max)


def any_live(future: Future) -> Mask:
    """Rows with a contract live at the end of the horizon, or one that starts within the grace after it."""
    return future.rows_with(
        f"SELECT account_code, starts AS occurred, stops AS until FROM ({_terms(future)})", "ends", "grace_ends"
    )


def arr_moved(future: Future, outcome: Growth) -> tuple[Mask, Mask]:
    """Rows whose ARR is lower, and rows whose ARR is higher, by at least the share, at the end of the horizon.

    The ARR at the end is the highest from there through the grace, so that a late renewal counts. Both ARRs are taken
    as they are known today, however late they arrived. Without any contract the account has left: it is in neither.
    Where the ARR of a contract that counts is unknown, or there was none at as_of, nobody can tell: unclear.
    """
    if "contract.arr" not in facts.valued(future.report):
        raise PropensityError(
            "contracts has no arr, and growth is told by it",
            "Map the column arr of the table contracts, or take the outcome out of propensity.toml.",
        )
    share = round(outcome.share * MILLION)
    found = future.connection.execute(
        f"{_levels(future)} SELECT l.row, coalesce(l.unpriced OR t.unpriced OR t.arr <= 0, true) AS unclear, "
        f"(t.arr - l.arr) * {MILLION} >= {share} * t.arr AS lower, (l.arr - t.arr) * {MILLION} >= {share} * t.arr AS higher "
        "FROM later l LEFT JOIN before t USING (row)"
    ).fetchnumpy()
    row, unclear = found["row"].astype(np.int64), _flags(found["unclear"])
    future.clear[row[unclear]] = False
    lower, higher = np.zeros((2, len(future.clear)), dtype=bool)
    lower[row] = _flags(found["lower"]) & ~unclear
    higher[row] = _flags(found["higher"]) & ~unclear
    return lower, higher


def arr_kept(future: Future) -> npt.NDArray[np.float64]:
    """ARR at the end of the horizon per ARR at as_of, told as in ``arr_moved``: 0 where no contract is left, null where
    there was none at as_of or an ARR that counts is unknown.
    """
    found = future.connection.execute(
        f"{_levels(future)} SELECT t.row, CASE WHEN t.unpriced OR t.arr <= 0 OR coalesce(l.unpriced, false) THEN NULL "
        "ELSE CAST(coalesce(l.arr, 0) AS DOUBLE) / CAST(t.arr AS DOUBLE) END AS kept "
        "FROM before t LEFT JOIN later l USING (row)"
    ).fetchnumpy()
    kept = np.full(len(future.clear), np.nan)
    kept[np.asarray(found["row"], dtype=np.int64)] = np.ma.filled(np.ma.asarray(found["kept"], dtype=float), np.nan)
    return kept


def first_loss(future: Future, grace: int) -> tuple[npt.NDArray[np.int64], Mask]:
    """The first instant from as_of on without a live contract that no other follows within the grace (local days).

    ``NEVER`` where that lies beyond every contract's end; as_of itself where it had come before and was not known yet.
    The mask has the rows with any contract before as_of: of the others there is nothing to lose.
    """
    zone = literal(future.workspace.config.timezone)
    later = f"timezone({zone}, timezone({zone}, make_timestamptz(held)) + INTERVAL {grace} DAY)"
    found = future.connection.execute(
        f"WITH terms AS (SELECT *, max(stops) OVER (PARTITION BY account_code ORDER BY starts, stops "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS held FROM ({_terms(future)})), "
        f"marked AS (SELECT *, CASE WHEN held IS NULL THEN true WHEN held = {NEVER} THEN false "
        f"ELSE starts >= greatest(epoch_us({later}), held + 1) END AS anew FROM terms), "
        "numbered AS (SELECT *, sum(CAST(anew AS INTEGER)) OVER (PARTITION BY account_code ORDER BY starts, stops "
        "ROWS UNBOUNDED PRECEDING) AS spell FROM marked), "
        "spells AS (SELECT account_code, spell, min(starts) AS starts, max(stops) AS stops FROM numbered GROUP BY ALL) "
        "SELECT h.row, max(greatest(s.stops, h.as_of)) AS loss FROM horizon h JOIN spells s "
        "ON s.account_code = h.account_code AND s.starts < h.as_of GROUP BY h.row"
    ).fetchnumpy()
    row = np.asarray(found["row"], dtype=np.int64)
    loss, there = np.full(len(future.clear), NEVER), np.zeros(len(future.clear), dtype=bool)
    loss[row], there[row] = np.asarray(found["loss"], dtype=np.int64), True
    return loss, there


def _levels(future: Future) -> str:
    """SQL for the ARR of each row at as_of (``before``) and the highest from the end of its horizon through the grace
    (``later``), each with whether a contract without ARR counts.
    """
    return (
        f"WITH near AS (SELECT h.row, h.as_of, h.ends, h.grace_ends, t.* FROM horizon h "
        f"JOIN ({_terms(future)}) t USING (account_code) WHERE t.starts < h.grace_ends AND t.stops >= h.as_of), "
        "before AS (SELECT row, sum(arr) AS arr, count(*) > count(arr) AS unpriced FROM near "
        "WHERE starts < as_of GROUP BY row), "
        "instants AS (SELECT DISTINCT row, ends AS instant FROM near UNION "
        "SELECT row, starts FROM near WHERE starts > ends), "
        "levels AS (SELECT i.row, sum(n.arr) AS arr, count(*) > count(n.arr) AS unpriced FROM instants i "
        "JOIN near n ON n.row = i.row AND n.starts <= i.instant AND n.stops > i.instant GROUP BY i.row, i.instant), "
        "later AS (SELECT row, max(arr) AS arr, bool_or(unpriced) AS unpriced FROM levels GROUP BY row)"
    )


def _terms(future: Future) -> str:
    """SQL for the contracts that were ever live, half-open: account_code, starts, stops, arr (millionths)."""
    contracts = literal(str(future.folder / "contracts.parquet"))
    return (
        f"SELECT account_code, epoch_us(starts) AS starts, coalesce(epoch_us({TERM_ENDS}), {NEVER}) "
        f"AS stops, CAST(round(arr * {UNIT}) AS BIGINT) AS arr FROM {contracts} "
        f"WHERE account_code IS NOT NULL AND coalesce({TERM_ENDS} > starts, true)"
    )


def _flags(column: npt.NDArray[np.generic]) -> Mask:
    return np.asarray(np.ma.filled(np.ma.asarray(column), False), dtype=bool)
