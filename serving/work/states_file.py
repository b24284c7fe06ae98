"""Where everybody stands, day by day, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from features.files import replaced
from features.workspace import Workspace
from serving.cells import defused
from serving.decisions.states import DEFINITIONS, Standing
from serving.stores.store import Store
from serving.work.states import Keep


@contextmanager
def written(workspace: Workspace, file: Path | None) -> Iterator[Keep]:
    """What ``states.continuum`` is to keep, into a CSV file, if one is named: one line per day and account, with the
    evidence for each state in words. The file takes its place once all is written; cells that a spreadsheet would run as
    a formula are defused.
    """
    if file is None:
        yield lambda day, standings: None
        return
    store = Store(workspace)
    with replaced(file) as part, part.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream, quoting=csv.QUOTE_ALL)
        lines.writerow(("as_of", "account", "name", "state", "stage", *(one.state for one in DEFINITIONS)))

        def keep(day: date, standings: Sequence[Standing]) -> None:
            names = store.names([one.account for one in standings])
            for one in standings:
                told = (day.isoformat(), one.account, names.get(one.account, one.account), one.state, one.stage)
                lines.writerow(map(defused, (*told, *(verdict.words for verdict in one.verdicts))))

        yield keep
