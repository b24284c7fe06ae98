"""What a key of one owner sees: the workspace as if there were no other accounts."""

from __future__ import annotations

from dataclasses import replace

from features.errors import PropensityError
from serving import lists
from serving.live import Live, Served, Shown


def only(live: Live, owner: str) -> Live:
    """The same workspace with this owner's accounts alone; none where nobody is called that any more."""
    try:
        accounts = live.accounts.intersection(lists.of_owner(live.workspace, owner))
    except PropensityError:
        accounts = frozenset()
    served = {outcome: Served(one.scorer, _only(one.batch, accounts)) for outcome, one in live.served.items()}
    return replace(live, accounts=accounts, served=served, owner=owner, whole=live)


def _only(batch: Shown | PropensityError, accounts: frozenset[str]) -> Shown | PropensityError:
    """Rank and percentile stay those among everybody."""
    if isinstance(batch, PropensityError):
        return batch
    place = {account: position for account, position in batch.place.items() if account in accounts}
    scores = {account: score for account, score in batch.scores.items() if account in accounts}
    return replace(batch, place=place, scores=scores)
