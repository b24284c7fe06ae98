"""Commands of the daily work: read, check, build, train, score, list, serve."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import PropensityError
from features.files import replaced
from features.workspace import FILE, Workspace, load
from serving import terminal
from serving.commands import HERE, JSON, NOT_PROMOTED, WORKSPACE, app, build, day_of, ready, show_either, take_in
from serving.template import TEMPLATE

if TYPE_CHECKING:
    from features.plan import Plan
    from features.quality import Report
    from features.steadiness import Steadiness
    from serving.scores.batch import Batch
    from serving.scores.lists import Line
    from training.result import Result
    from training.table import Asked


@app.command(epilog="Example: propensity init acme")
def init(folder: Annotated[Path, typer.Argument(help="Folder to make a workspace of.")], json: JSON = False) -> None:
    """Write a commented propensity.toml to start from."""
    file = folder / FILE
    if file.exists():
        raise PropensityError(f"{file} is there already", "Edit it, or name another folder.")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with replaced(file) as part:
        part.write_text(TEMPLATE.format(name=folder.resolve().name), encoding="utf-8")
    show_either(
        json,
        {"path": str(file)},
        lambda: terminal.out.print(
            f"Wrote {file}. Put your exports in {folder / 'data'}, edit it, then: propensity check --workspace {folder}"
        ),
    )


@app.command(epilog="Example: propensity check --workspace acme")
def check(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Read everything and report: rows, ranges, problems, what is set aside, what will be computed."""
    from features import frame, intake, steadiness
    from training import alarm

    here = load(workspace)
    with terminal.progress("reading") as tell, intake.read(here, tell) as found:
        found.write_quarantine()
        report, made = found.report, frame.planned(here, found.report)
        steady = steadiness.check(found) + steadiness.frames.found(here)
        alarm.trusted(here.config, made)
        tell("leakage, in the frames that are built")
        alarms = alarm.standing(here)
    document = _checked(report, made, steady)
    document["features"]["alarms"] = {name: [one.as_dict() for one in ringing] for name, ringing in alarms.items()}

    def show() -> None:
        terminal.show_check(report, made)
        terminal.show_steadiness(steady)
        terminal.show_alarms(alarms)

    show_either(json, document, show)


@app.command(epilog="Example: propensity features --workspace acme --as-of 2026-03-31")
def features(
    workspace: WORKSPACE = HERE,
    as_of: Annotated[
        str | None, typer.Option(help="One date (the midnight that ends it); by default all that are needed.")
    ] = None,
    json: JSON = False,
) -> None:
    """Read the data and build the feature frames."""
    from features import frame

    here = load(workspace)
    days = None if as_of is None else [day_of(as_of)]
    take_in(here)
    refs = build(here, days)
    paths = {str(day): str(frame.path(here, day, content)) for day, content in refs.items()}
    columns = len(frame.current_plan(here).columns)
    show_either(
        json,
        {"columns": columns, "frames": paths},
        lambda: terminal.out.print(f"{len(paths)} frames of {columns} columns under {here.frames}"),
    )


@app.command(
    epilog="Example: propensity train --workspace acme --outcome churn. Of a table of your own: "
    "propensity train --table accounts.csv --label churned --time month --entity account --horizon 90"
)
def train(
    workspace: WORKSPACE = HERE,
    outcome: Annotated[str | None, typer.Option(help="One outcome; by default all that are configured.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="A flat table (CSV, Parquet, JSON); no workspace is needed.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Of a table: the column to foretell, yes or no.")] = None,
    time: Annotated[str | None, typer.Option(help="Of a table: the date of each row; the last are the test.")] = None,
    entity: Annotated[str | None, typer.Option(help="Of a table: whom a row is about; kept together.")] = None,
    horizon: Annotated[int, typer.Option(min=0, help="Of a table: days after its date until a label is known.")] = 0,
    trust: Annotated[
        list[str] | None, typer.Option(help="Of a table: a column that may foretell ever so well.")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="Of a table: a column not to learn from.")] = None,
    out: Annotated[Path | None, typer.Option(help="Of a table: folder for its model; model-LABEL by default.")] = None,
    json: JSON = False,
) -> None:
    """Train, judge beside the baselines, and promote what is better; exit status 3 where nothing was promoted."""
    if table is not None:
        if label is None or outcome is not None:
            raise PropensityError(
                "a table is trained on one --label, not on an --outcome", "Name the column to foretell."
            )
        from training.table import Asked

        asked = Asked(table, label, time, entity, horizon, tuple(trust or ()), tuple(without or ()))
        _train_table(asked, out, json)
        return
    if any((label, time, entity, horizon, trust, without, out)):
        raise PropensityError(
            "--label, --time, --entity, --horizon, --trust, --without and --out are of a --table",
            "Name the table, or leave them out.",
        )
    here, names = ready(workspace, outcome)
    results = _train(here, names)
    document = {result.outcome: result.as_dict() for result in results}
    show_either(json, document, lambda: _show_training(here, results))
    if not all(result.promoted for result in results):
        raise typer.Exit(NOT_PROMOTED)


@app.command(epilog="Example: propensity ablate --workspace acme --outcome churn")
def ablate(
    workspace: WORKSPACE = HERE,
    outcome: Annotated[str | None, typer.Option(help="One outcome; by default all that are configured.")] = None,
    json: JSON = False,
) -> None:
    """Measure what each family of features is worth: train without it, and compare on the same test fold."""
    from training.ablation import ablate as ablate_one

    here, names = ready(workspace, outcome)
    with terminal.progress("ablation") as tell:
        found = [ablate_one(here, name, tell) for name in names]
    document = {one.outcome: one.as_dict() for one in found}
    show_either(json, document, lambda: terminal.show_ablations(found))


@app.command(
    epilog="Example: propensity score --workspace acme. Of a table of your own: "
    "propensity score --table new.csv --model model-churned"
)
def score(
    workspace: WORKSPACE = HERE,
    as_of: Annotated[str | None, typer.Option(help="Date to score as of; by default the last day with data.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="A flat table whose rows to score; no workspace is needed.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Of a table: the folder that training wrote.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Of a table: file for the scores; TABLE-scores.csv by default.")
    ] = None,
    json: JSON = False,
) -> None:
    """Score every account that may be scored, or every row of a table, with reasons."""
    if table is not None:
        _score_table(table, model, out, json)
        return
    if model is not None or out is not None:
        raise PropensityError("--model and --out are of a --table", "Name the table, or leave them out.")
    here = load(workspace)
    day = None if as_of is None else day_of(as_of)
    take_in(here)
    batches = _score(here, day)
    show_either(json, _scored(here, batches), lambda: terminal.show_batches(batches))


@app.command("list", epilog="Example: propensity list --owner owner-3, or propensity list advocacy --top 25")
def list_(
    outcome: Annotated[
        str | None, typer.Argument(help="An outcome, whose highest scores are listed; by default: whom to call.")
    ] = None,
    workspace: WORKSPACE = HERE,
    top: Annotated[int | None, typer.Option(min=1, help="How many; by default the outcome's capacity.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only accounts of this owner.")] = None,
    segment: Annotated[str | None, typer.Option(help="Only accounts of this segment.")] = None,
    country: Annotated[str | None, typer.Option(help="Only accounts that decide to buy there.")] = None,
    line_of_business: Annotated[str | None, typer.Option(help="Only accounts of this line of business.")] = None,
    today: Annotated[str | None, typer.Option(help="The day of the list; by default the one after the data.")] = None,
    json: JSON = False,
) -> None:
    """Whom to call, by what a call is expected to bring; or the highest scores of an outcome. With reasons."""
    from serving.scores import lists
    from serving.terminal import outreach as outreach_terminal
    from serving.work import outreach
    from serving.work.among import Among

    here = load(workspace)
    if outcome is None:
        day = None if today is None else day_of(today, "--today")
        found = outreach.outreach(here, top, Among(owner, segment, country, line_of_business), day)
        show_either(json, found.as_dict(), lambda: outreach_terminal.show(found, here.config))
        return
    if (today, segment, country, line_of_business) != (None,) * 4:
        raise PropensityError(
            "--today, --segment, --country and --line-of-business are of the list of whom to call",
            "Leave them out, or leave out the outcome.",
        )
    lines = lists.ranked(here, outcome, top, owner)
    show_either(
        json, {"outcome": outcome, "lines": [line.as_dict() for line in lines]}, lambda: _show_list(outcome, lines)
    )


@app.command(epilog="Example: propensity replay 3f9c0d1e2b4a5f607182 --workspace acme")
def replay(
    score_id: Annotated[str, typer.Argument(help="Id of a stored score.")],
    workspace: WORKSPACE = HERE,
    json: JSON = False,
) -> None:
    """Make a stored score again and compare bit for bit; exit status 1 where it differs."""
    from serving.scores.replay import replay as make_again

    found = make_again(load(workspace), score_id)
    document = {
        "score_id": score_id,
        "identical": found.identical,
        "differences": found.differences,
        "score": found.again.as_dict(),
    }
    show_either(json, document, lambda: terminal.show_replay(found))
    if not found.identical:
        raise typer.Exit(1)


@app.command(epilog="Example: propensity serve --workspace acme --port 3000")
def serve(
    workspace: WORKSPACE = HERE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
    json: JSON = False,
) -> None:
    """Serve the champions' scores over HTTP, with the BentoML server."""
    from training.registry import Registry

    here = load(workspace)
    registry = Registry(here)
    if not any(registry.champion(name) for name, _ in here.config.outcomes):
        registry.require_champion(next(name for name, _ in here.config.outcomes))
    from serving.start import open_to_all
    from serving.start import serve as start

    keyless = open_to_all(here, host)
    asked = "no key is needed, on this machine" if keyless else "for those who have a key"
    show_either(
        json,
        {"url": f"http://{host}:{port}", "open": keyless},
        lambda: terminal.err.print(f"Serving {here.root} on http://{host}:{port}, {asked} (stop with Ctrl-C)"),
    )
    raise typer.Exit(start(here.root, host, port))


@app.command(epilog="Example: propensity demo --workspace demo --accounts 1500 --seed 7")
def demo(
    workspace: WORKSPACE = Path("demo"),
    accounts: Annotated[int, typer.Option(min=50, help="How many accounts the simulated company has.")] = 1500,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    json: JSON = False,
) -> None:
    """The main job on a simulated company: raw files to features, models, scores and lists."""
    from features import cohort, frame, steadiness
    from features.sources.simulated import World
    from serving import demo as demos
    from serving.scores import lists
    from training.registry import Registry

    with terminal.progress("simulating a company") as tell:
        here = demos.prepare(workspace, World(accounts=accounts, seed=seed), tell)
    report, steady = take_in(here)
    build(here, None)
    steady += steadiness.frames.found(here)
    results = _train(here, [name for name, _ in here.config.outcomes])
    champions = Registry(here)
    batches = []
    if any(champions.champion(name) for name, _ in here.config.outcomes):
        for day in cohort.all_dates(here.config, frame.observed_until(here))[
            -2:
        ]:  # the date before it too, so that one sees what changed
            batches = _score(here, day)
    shown = {batch.outcome: lists.ranked(here, batch.outcome, 10) for batch in batches if batch.scores}
    document = {
        "check": _checked(report, frame.current_plan(here), steady),
        "train": {result.outcome: result.as_dict() for result in results},
        "score": _scored(here, batches),
        "lists": {outcome: [line.as_dict() for line in lines] for outcome, lines in shown.items()},
    }

    def show() -> None:
        rows = sum(table.rows for table in report.tables.values())
        terminal.out.print(
            f"{rows:,} rows in {len(report.tables)} tables, {len(frame.current_plan(here).columns)} feature columns."
        )
        _show_training(here, results)
        for outcome, lines in shown.items():
            terminal.out.print()
            _show_list(outcome, lines)
        terminal.out.print(f"\nOpen the service: [bold]{Path(sys.argv[0])} serve --workspace {workspace}[/]")

    show_either(json, document, show)


def _train(here: Workspace, outcomes: list[str]) -> list[Result]:
    from training.train import train as train_one

    with terminal.progress("training") as tell:
        return [train_one(here, outcome, tell) for outcome in outcomes]


def _train_table(asked: Asked, folder: Path | None, json: bool) -> None:
    from serving import table as tables

    with terminal.progress("training") as tell:
        trained, place = tables.train(asked, folder, tell)
    document = {asked.label: trained.as_dict() | {"folder": None if place is None else str(place)}}
    show_either(json, document, lambda: tables.show_trained(trained, place))
    if not trained.result.promoted:
        raise typer.Exit(NOT_PROMOTED)


def _score_table(file: Path, model: Path | None, out: Path | None, json: bool) -> None:
    from serving import table as tables

    if model is None:
        raise PropensityError("no model was named", "Name the folder that `propensity train --table` wrote: --model.")
    with terminal.progress("scoring") as tell:
        found = tables.score(file, model, out, tell)
    show_either(json, found.as_dict(), lambda: tables.show_scored(found))


def _score(here: Workspace, day: date | None) -> list[Batch]:
    from serving.scores.batch import score as score_everybody

    with terminal.progress("scoring") as tell:
        return score_everybody(here, day, tell)


def _checked(report: Report, made: Plan, steady: Steadiness) -> dict[str, Any]:
    """Each table under its own name, as every command's document is keyed by what it speaks of."""
    told = report.as_dict()
    features = {"columns": len(made.columns), "missing": made.missing}
    return {**told.pop("tables"), **told, "features": features, "steadiness": steady.as_dict()}


def _scored(here: Workspace, batches: list[Batch]) -> dict[str, Any]:
    """The run as a whole, and each outcome under its own name."""
    each = {
        batch.outcome: {
            "rows": len(batch.scores),
            "as_of": str(batch.as_of),
            "path": str(batch.path) if batch.path else None,
            "skipped": batch.skipped or None,
        }
        for batch in batches
    }
    whole = {
        "rows": sum(len(batch.scores) for batch in batches),
        "as_of": str(batches[0].as_of) if batches else None,
        "path": str(here.out / "scores"),
    }
    return whole | each


def _show_training(here: Workspace, results: list[Result]) -> None:
    from training.registry import Registry

    for result in results:
        terminal.show_result(result)
    terminal.out.print(f"\nMLflow runs: [bold]mlflow ui --backend-store-uri {Registry(here).uri}[/]")


def _show_list(outcome: str, lines: list[Line]) -> None:
    day = f", as of {lines[0].score.as_of}" if lines else ""
    terminal.show_lines(f"{outcome}{day}: the {len(lines)} highest", lines)
