"""The demo: a simulated company, from raw files to a ranked, explained list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from features import cohort, frame, intake
from features.errors import PropensityError
from features.files import replaced
from features.sources.simulated import World, simulate
from features.tables import TABLES
from features.workspace import FILE, Workspace, load
from serving.stores.store import Store

CONFIG = """\
# A simulated software company, written by `propensity demo`. See features/sources/simulated.py for what is planted.
name = "demo"
timezone = "UTC"
currency = "EUR"

[sources]
{sources}

{tables}
[signals]
events = ["login", "report", "export", "api", "invite", "admin"]
windows = [7, 30, 90, 180]

[as_of]
since = {since}
exported = {until}
every = "month"

[personas]
until = {personas}

[cohort]
kind = "contract"

[outcomes.churn]
kind = "contract"
lead = 14
horizon = 90
grace = 30
capacity = 25

[outcomes.advocacy]
kind = "act"
horizon = 90
capacity = 10

# Further questions that this company can answer:
# [outcomes.contraction]
# horizon = 180
# [outcomes.expansion]
# horizon = 180
# [outcomes.promoter]
# horizon = 90

[training]
test_dates = 3
folds = 1
bags = 3
"""
WARM_UP_MONTHS = 7
COMPANIES = {
    "ordinary": World(accounts=900, months=30),
    "no signal": World(accounts=350, months=24, seed=1, signal=False),
}
"""The companies of the notebooks: one with causes to find, and one in which everything is chance."""
TRAINING: dict[str, int] = {"folds": 2, "bags": 2, "bootstraps": 200, "minimum_positives": 10}
"""How they are trained: quickly."""


def prepare(root: Path, world: World, progress: Callable[[int, int], None]) -> Workspace:
    """Write the world's exports and the configuration that maps them; an existing workspace of other data is left alone."""
    mark = "# A simulated software company"
    file = root / FILE
    if file.is_file() and not file.read_text(encoding="utf-8").startswith(mark):
        raise PropensityError(
            f"{root} is a workspace of your own", "Name another folder: propensity demo --workspace demo."
        )
    simulate(world, root / "data", progress)
    with replaced(file) as part:
        part.write_text(configuration(world), encoding="utf-8")
    return load(root)


def company(root: Path, which: str = "ordinary") -> Workspace:
    """One of the ``COMPANIES`` in a folder of its own, read in and with every frame built; a minute's work at most.

    Without personas, which are fitted late and leave a backtest no earlier origin. This and the settings of ``TRAINING``
    are in the workspace that is returned, not in its propensity.toml.
    """
    made = prepare(root, COMPANIES[which], lambda done, of: None)
    training = made.config.training.model_copy(update=TRAINING)
    here = Workspace(root, made.config.model_copy(update={"training": training, "personas": None}))
    with intake.read(here) as found:
        found.write_tables()
        Store(here).remember(found.names())
    frame.build(here, cohort.all_dates(here.config, frame.observed_until(here)))
    return here


def configuration(world: World) -> str:
    """The mapping of the simulated exports, whose columns are canonical already."""
    until = world.until
    months = until.year * 12 + until.month - 1 - (world.months - WARM_UP_MONTHS)
    since = f"{months // 12}-{months % 12 + 1:02d}-28"
    return CONFIG.format(
        sources="\n".join(f'{name} = {{ path = "data/{name}.parquet" }}' for name in TABLES),
        tables="\n".join(f'[tables.{name}]\nsource = "{name}"\n' for name in TABLES),
        since=since,
        until=until,
        personas=until - timedelta(days=365),
    )
