"""What is served follows the registry and the store, without a restart and without a request that fails.

Every few seconds it is looked whether an outcome has another champion or another batch. The new model is tried in a
process of its own (``serving.web.canary``), loaded beside the old one, and takes its place in one assignment, so that every
request sees one of them, whole. What cannot be used stays out: the old model goes on, ``/v1/health`` says why, and it is
tried again when something changes, and ever more rarely when nothing does.

At start nothing is tried first: a batch is there only once its model has been loaded to make it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from features import erased
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores import lists
from serving.stores.scan import PENDING
from serving.stores.store import Store, unreached
from serving.web import gauges
from serving.web.canary import tried
from serving.web.gauges import FAILURES, REACHED, SWAPS
from serving.web.live import Live, Served, facts_now, not_scored_yet
from training.registry import Registry, Version

LOG = logging.getLogger("propensity")
AGAIN_SECONDS, MOST_SECONDS = 60.0, 3600.0
"""After how long what could not be used is tried again though nothing has changed: twice as long each time, up to that."""


@dataclass(frozen=True)
class Wanted:
    """What an outcome should be served from: the champion, the row of the latest batch, and who is not in it any more."""

    champion: Version | None
    latest: tuple[Any, ...] | None
    erased: tuple[int, bool]


@dataclass(frozen=True)
class Attempt:
    """What came of the last change: ``after`` this instant (monotonic) it is tried again, None where it worked."""

    wanted: Wanted
    after: float | None = None
    pause: float = AGAIN_SECONDS

    def due(self, wanted: Wanted) -> bool:
        return wanted != self.wanted or (self.after is not None and time.monotonic() >= self.after)


class Watcher:
    """Keeps ``app.state.live`` as it should be. One thread looks; requests only read."""

    def __init__(
        self,
        app: FastAPI,
        workspace: Workspace,
        before: Callable[[], object] = lambda: None,
        prepare: Callable[[Live], object] = lambda _: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        """``before`` is done before anything is loaded, and may find that it cannot be done yet; ``prepare`` with what is
        loaded, while the old one still answers; ``after`` each swap.
        """
        self.app, self.workspace, self.before, self.prepare, self.after = app, workspace, before, prepare, after
        self._attempts: dict[str, Attempt] = {}
        self._accounts: Hashable = None
        self._unreached = False
        self._stop = threading.Event()
        gauges.begin(workspace)

    @property
    def live(self) -> Live | None:
        found: Live | None = getattr(self.app.state, "live", None)
        return found

    def begin(self) -> None:
        """Look for the first time. Registry or store out of reach: later looks will find them.

        Raises PropensityError where it is something else.
        """
        try:
            self._look()
        except PropensityError as error:
            if error.status != 503:
                raise
            self._out_of_reach(error)
        except sa.exc.SQLAlchemyError as error:
            self._out_of_reach(error)

    def look(self) -> None:
        """Look once. Nothing is raised: what is in memory goes on whatever becomes of registry and store."""
        try:
            self._look()
        except (PropensityError, sa.exc.SQLAlchemyError, OSError) as error:
            self._out_of_reach(error)
        except Exception as error:  # the next look is as good as any
            LOG.exception("looking for something new to serve has failed", exc_info=error)

    def watch(self, seconds: float) -> None:
        """Look again and again, beside the requests, until ``close``."""

        def again() -> None:
            while not self._stop.wait(seconds):
                self.look()

        threading.Thread(target=again, name="watch", daemon=True).start()

    def close(self) -> None:
        self._stop.set()

    def _look(self) -> None:
        registry, store = Registry(self.workspace), Store(self.workspace)
        gone = _erased(self.workspace)
        wanted = {outcome: _wanted(registry, store, outcome, gone) for outcome, _ in self.workspace.config.outcomes}
        accounts, before = (gone, _tables(self.workspace)), self.live
        if before is None:
            self.before()
            live = Live.load(self.workspace)
            again = time.monotonic() + AGAIN_SECONDS
            self._attempts = {
                outcome: Attempt(one, again if outcome in live.damaged else None) for outcome, one in wanted.items()
            }
        else:
            live = before
            for outcome, one in wanted.items():
                live = self._followed(live, registry, store, outcome, one)
                self.app.state.live = live  # at once: what comes next may fail
            if accounts != self._accounts or live.unreached is not None:
                live = replace(
                    live, owners=lists.owners(self.workspace), facts=facts_now(self.workspace), unreached=None
                )
        self._accounts, self._unreached = accounts, False
        REACHED.set(1)
        if live is not before:
            if before is None or before.batches != live.batches:
                self.prepare(live)
            self.app.state.live = live
            del before
            self.after()

    def _followed(self, live: Live, registry: Registry, store: Store, outcome: str, wanted: Wanted) -> Live:
        """With what is wanted of an outcome, or with why not."""
        last = self._attempts.get(outcome)
        if last is not None and not last.due(wanted):
            return live
        try:
            champion = wanted.champion or registry.require_champion(outcome)
            if wanted.latest is not None and outcome in live.served and wanted.latest[2] != champion.number:
                late = not_scored_yet(champion, wanted.latest[2])
                LOG.info("%s", late)
                self._attempts[outcome] = Attempt(wanted)
                return live.without(outcome, late, damaged=False)
            named = tried(self.workspace, champion)
            served = Served.of(self.workspace, registry, store, champion)
            if served.named != named:
                return live  # a newer batch has come meanwhile: the next look takes that
        except PropensityError as error:
            FAILURES.labels(outcome).inc()
            LOG.error("ALERT: %s goes on as it was: %s %s", outcome, error.message, error.hint)
            pause = min(2 * last.pause, MOST_SECONDS) if last is not None and last.wanted == wanted else AGAIN_SECONDS
            self._attempts[outcome] = Attempt(wanted, time.monotonic() + pause, pause)
            return live.without(outcome, error, damaged=wanted.champion is not None)
        self._attempts[outcome] = Attempt(wanted)
        SWAPS.labels(outcome).inc()
        LOG.info("%s is served from version %s, scores of %s", outcome, *served.named[1:3])
        return live.serving(outcome, served)

    def _out_of_reach(self, error: Exception) -> None:
        """Said when it begins, not at each look."""
        why = error if isinstance(error, PropensityError) else unreached(error)
        REACHED.set(0)
        if not self._unreached:
            LOG.error("ALERT: what is in memory goes on: %s %s", why.message, why.hint)
        self._unreached = True
        if self.live is not None and self.live.unreached is None:
            self.app.state.live = replace(self.live, unreached=why)


def _wanted(registry: Registry, store: Store, outcome: str, gone: tuple[int, bool]) -> Wanted:
    latest = store.shown(outcome)
    return Wanted(registry.champion(outcome), None if latest is None else tuple(latest), gone)


def _tables(workspace: Workspace) -> str:
    pointer = workspace.tables / "current"
    return pointer.read_text(encoding="utf-8") if pointer.is_file() else ""


def _erased(workspace: Workspace) -> tuple[int, bool]:
    """When somebody was erased last, 0 for never, and whether that is not done yet."""
    file = erased.place(workspace)
    return file.stat().st_mtime_ns if file.is_file() else 0, (workspace.state / PENDING).is_file()
