"""What the service holds in memory: the champions, and the latest batch with the feature rows it was made from.

It never changes: ``serving.web.watch`` makes another beside it once there is something new, and swaps the two.
"""

from __future__ import annotations

import logging
from collections.abc import KeysView, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from features import frame
from features.alone import Alone, Row
from features.errors import PropensityError
from features.feature import Column
from features.peers import Peers
from features.workspace import Workspace
from serving.scores import lists
from serving.scores.families import Named
from serving.scores.score import Score
from serving.scores.scoring import Chance, Scorer
from serving.stores.log import digest
from serving.stores.store import Store
from serving.web.kept import Kept
from serving.web.prepared import Prepared
from training.model import honour
from training.outcomes import configured
from training.registry import Registry, Version

LOG = logging.getLogger("propensity")
PEERS_GONE = PropensityError(
    "what the latest batch ranks accounts among is gone",
    "Build the frame again with `propensity features`, and score again.",
    status=503,
)


@dataclass(frozen=True)
class Shown:
    """The batch that people see: its scores, and the feature rows from which they are computed again. ``agreed`` are the
    accounts of which that was done, and was the same. ``peers`` are what its ranks were made from, None where they are gone.
    """

    as_of: date
    frame_hash: str
    rows: pd.DataFrame
    place: dict[str, int]
    scores: dict[str, Score]
    peers: Peers | None
    agreed: set[str] = field(default_factory=set)

    def row(self, account: str, names: Sequence[str]) -> dict[str, Any]:
        """Some columns of an account's feature row."""
        place = self.place[account]
        return {name: self._columns[name].item(place) for name in names}

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        """Each column by itself: what a frame takes to find a row in all of them, one row is not worth."""
        return {str(name): column.to_numpy() for name, column in self.rows.items()}

    def quantiles(self, which: Sequence[float]) -> dict[float, float]:
        """Of the probabilities; nothing where there are none. Scores come highest first."""
        ranked = [score.probability for score in self.scores.values()][::-1]
        return {one: ranked[round(one * (len(ranked) - 1))] for one in which} if ranked else {}


@dataclass(frozen=True)
class Served:
    """A model, and the batch it has made; in place of the batch, why there is none.

    ``behind``: why this is not what it should be, None where it is. Then it is what was good last.
    """

    scorer: Scorer
    batch: Shown | PropensityError
    behind: PropensityError | None = None

    @classmethod
    def of(cls, workspace: Workspace, registry: Registry, store: Store, champion: Version) -> Served:
        """The champion with the latest batch; while that batch is still another version's, that version with it.

        Raises PropensityError where the model cannot be used.
        """
        latest = store.shown(champion.outcome)
        if latest is not None and latest.model_version != champion.number:
            late = not_scored_yet(champion, latest.model_version)
            try:
                before = Scorer.of(workspace, registry, registry.version(champion.outcome, latest.model_version))
                return cls(before, _shown(store, before, latest), late)
            except PropensityError as error:
                LOG.warning("%s, and what made them cannot be used: %s", late.message, error.message)
                return cls(Scorer.of(workspace, registry, champion), late, late)
        scorer = Scorer.of(workspace, registry, champion)
        return cls(scorer, _shown(store, scorer, latest))

    @property
    def shown(self) -> Shown:
        """Raises PropensityError (503) where there are no scores."""
        if isinstance(self.batch, PropensityError):
            raise self.batch.with_traceback(None)  # kept and raised often: its trace must not grow
        return self.batch

    @cached_property
    def columns(self) -> list[Column]:
        """The features that the model takes, in its order."""
        known = {column.name: column for column in self.scorer.plan.columns}
        return [known[name] for name in self.scorer.model.encoder.columns]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def groups(self) -> Named:
        """The family and the role of each feature."""
        return Named.of(self.scorer.model, self.scorer.plan)

    @property
    def named(self) -> tuple[str, ...]:
        """What the scores depend on, or that there are none."""
        version = str(self.scorer.version.number)
        if isinstance(self.batch, PropensityError):
            return (self.scorer.outcome, version, self.batch.message)
        return (self.scorer.outcome, version, str(self.batch.as_of), self.batch.frame_hash)

    def rows(self, accounts: Sequence[str]) -> pd.DataFrame:
        shown = self.shown
        return shown.rows.iloc[[shown.place[account] for account in accounts]].reset_index(drop=True)

    def scores(self, accounts: Sequence[str]) -> dict[str, Score]:
        """The scores of accounts of the batch; the others are left out.

        The first time that an account is asked for, its score is made anew from its feature row. Raises PropensityError
        where that is not what the batch says, bit for bit; rank and percentile are those among everybody.
        """
        shown = self.shown
        wanted = [account for account in dict.fromkeys(accounts) if account in shown.scores]
        if fresh := [account for account in wanted if account not in shown.agreed]:
            for made in self.scorer.score(self.rows(fresh), shown.as_of, shown.frame_hash):
                _agreed(made, shown.scores[made.account])
                shown.agreed.add(made.account)
        return {account: shown.scores[account] for account in wanted}


@dataclass(frozen=True)
class Live:
    """A workspace as it is served. An outcome without a champion, or whose champion cannot be used, says why.

    ``owners``: every account known, scored or not, and who looks after it; ``facts``: theirs, as they are now, or
    why they cannot be told. ``unreached``: why nobody can know by now
    whether there is something new to serve, None where one can.
    """

    workspace: Workspace
    owners: dict[str, str | None]
    kept: Kept
    facts: Alone | PropensityError
    prepared: Prepared = field(default_factory=Prepared)
    served: dict[str, Served] = field(default_factory=dict)
    refused: dict[str, PropensityError] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()
    unreached: PropensityError | None = None

    @classmethod
    def load(cls, workspace: Workspace) -> Live:
        """Load every champion, each byte checked, and its batch."""
        registry, store = Registry(workspace), Store(workspace)
        live = cls(workspace, lists.owners(workspace), Kept(workspace), facts_now(workspace))
        for outcome, _ in workspace.config.outcomes:
            champion = None
            try:
                champion = registry.require_champion(outcome)
                live = live.serving(outcome, Served.of(workspace, registry, store, champion))
            except PropensityError as error:
                LOG.error("%s is not served: %s %s", outcome, error.message, error.hint)
                live = live.without(outcome, error, damaged=champion is not None)
        return live

    def serving(self, outcome: str, served: Served) -> Live:
        """The same, with an outcome served from something else."""
        refused = {name: why for name, why in self.refused.items() if name != outcome}
        damaged, all_served = self.damaged - {outcome}, self.served | {outcome: served}
        return replace(self, served=all_served, refused=refused, damaged=damaged, prepared=Prepared())

    def without(self, outcome: str, why: PropensityError, damaged: bool) -> Live:
        """The same where an outcome cannot be served as it should: from what was good last, if there is such a thing."""
        if outcome in self.served:
            return self.serving(outcome, replace(self.served[outcome], behind=why))
        return replace(
            self,
            refused=self.refused | {outcome: why},
            damaged=self.damaged | {outcome} if damaged else self.damaged - {outcome},
        )

    @property
    def accounts(self) -> KeysView[str]:
        """Every account known, scored or not."""
        return self.owners.keys()

    @cached_property
    def batches(self) -> str:
        """Which batches are served, of which models: it changes whenever a score does."""
        said = [name for name, _ in self.workspace.config.outcomes if name in self.served]
        return digest(*(part for name in said for part in self.served[name].named))

    @property
    def ready(self) -> bool:
        """At least one champion, and none that is there but cannot be used."""
        return bool(self.served) and not self.damaged

    def of(self, outcome: str) -> Served:
        """An outcome's champion; raises PropensityError where there is no such outcome (404) or no champion (503)."""
        configured(self.workspace, outcome)
        if outcome in self.refused:
            raise self.refused[outcome].with_traceback(None)
        return self.served[outcome]

    def score(self, outcome: str, account: str) -> Score:
        """One account's score; raises PropensityError saying why there is none."""
        found = self.of(outcome).scores([account])
        if account not in found:
            raise self.why_not(outcome, account)
        return found[account]

    def scored_now(self, outcome: str, account: str) -> tuple[Row, Chance]:
        """An account's feature row from its facts as they are now, among the peers of the latest batch, and its score.

        Raises PropensityError where it may not be scored, or the features are not those that the model was trained on.
        """
        served = self.of(outcome)
        scorer, peers, facts = served.scorer, served.shown.peers, self.facts
        if isinstance(facts, PropensityError):
            raise facts.with_traceback(None)
        if facts.plan.digest != scorer.plan.digest:
            honour(scorer.model, facts.plan)
        if peers is None:
            raise PEERS_GONE.with_traceback(None)
        if account not in facts.codes:
            raise self.stranger(account)
        row = facts.row(account, peers)
        if row is None:
            raise self.refusal(account)
        if outcome not in row.applies:
            raise self._not_applying(outcome, account, row.as_of)
        return row, scorer.of_rows([row.values], row.as_of)[0]

    def why_not(self, outcome: str, account: str) -> PropensityError:
        """Why an account has no score of an outcome: it is unknown, not in the cohort, or the outcome does not apply."""
        shown = self.of(outcome).shown
        if account in shown.place:
            return self._not_applying(outcome, account, shown.as_of)
        return self.refusal(account)

    def _not_applying(self, outcome: str, account: str, as_of: date) -> PropensityError:
        settings = configured(self.workspace, outcome)
        takes = [f"activity in the days that outcomes.{outcome}.given_days states"] if settings.given_days else []
        takes += [f"{settings.given_level} above zero"] if settings.given_level else []
        return PropensityError(
            f"{outcome} does not apply to account {account!r} as of {as_of}",
            f"It takes {' and '.join(takes)}.",
            status=409,
        )

    def refusal(self, account: str) -> PropensityError:
        """Why an account has no score of any outcome."""
        return lists.refusal(self.workspace, account, known=account in self.owners)

    def stranger(self, account: str) -> PropensityError:
        """That an account is unknown, or has to appear so."""
        return lists.refusal(self.workspace, account, known=False)


def facts_now(workspace: Workspace) -> Alone | PropensityError:
    """The facts of the tables in use; why there are none is no reason not to serve what was scored of others."""
    try:
        return Alone.of(workspace)
    except PropensityError as error:
        LOG.error("accounts cannot be scored as they are now: %s %s", error.message, error.hint)
        return PropensityError(error.message, error.hint, status=503)


def _shown(store: Store, scorer: Scorer, batch: sa.Row[Any] | None) -> Shown | PropensityError:
    """The latest batch of an outcome, made by this scorer's model."""
    try:
        batch = batch or store.require_shown(scorer.outcome)
        rows = frame.read(scorer.workspace, batch.as_of, batch.frame_hash)
    except PropensityError as error:
        return PropensityError(error.message, error.hint, status=503)
    place = {account: position for position, account in enumerate(rows["account"].tolist())}
    scores = {score.account: score for score in store.of_batch(batch)}
    peers = frame.peers_of(scorer.workspace, batch.as_of, batch.frame_hash)
    return Shown(batch.as_of, batch.frame_hash, rows, place, scores, peers)


def not_scored_yet(champion: Version, scored: int) -> PropensityError:
    """Why the version that made the latest scores is served, and not the champion."""
    return PropensityError(
        f"the champion of {champion.outcome} is version {champion.number}, "
        f"and the latest scores are of version {scored}",
        "Run `propensity score`.",
        status=503,
    )


def _agreed(made: Score, stored: Score) -> None:
    if replace(made, rank=stored.rank, percentile=stored.percentile) != stored:
        raise PropensityError(
            f"the {made.outcome} score of account {made.account!r} is not the one that the batch has",
            f"Look at `propensity replay {stored.score_id}`; then score again.",
            status=500,
        )
