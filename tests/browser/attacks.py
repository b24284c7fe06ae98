"""A company whose names are attacks: the same exports as before, under names that somebody chose to do harm."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features import intake
from features.workspace import Workspace, load
from serving.scores import batch
from serving.stores.store import Store

NAMES = (
    "<script>window.owned = 1; alert('owned')</script>",
    '"><img src=x onerror="window.owned = 1; alert(1)">',
    "'><svg/onload=alert(1)>",
    "</table></main></body><h1>owned</h1>",
    "javascript:alert(1)//%0aalert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)*cmd|'/c calc'!A0",
    "\u202etxt.exe \u2066evil\u2069 שלום עולם",
    "W" * 200,
    "Ünïcode 🚀🏳️‍🌈 e\u0301 \u0645\u0631\u062d\u0628\u0627 日本語",
    "x' OR '1'='1'; DROP TABLE names; --",
    "a & b &lt;b&gt;bold&lt;/b&gt; &#x3c;i&#x3e;",
)
"""Of every other account."""
IDS = ("../../admin?x=1#y", "<b>&\"'/", "=1+1;a,b", "a b%2Fc")
"""Of accounts and of contacts."""
GROUPS = {
    "owner": {"owner-1": NAMES[0], "owner-2": NAMES[6], "owner-3": NAMES[11]},
    "segment": {"small": NAMES[1]},
    "industry": {"software": NAMES[5], "retail": NAMES[10]},
    "line_of_business": {"platform": NAMES[3]},
    "product": {"platform": NAMES[3]},
}
DERIVED = ("tables", "facts", "frames", "parts", "quality")
"""What an intake makes; taken away, so that this one is the first."""


def attacked(workspace: Workspace, root: Path) -> Workspace:
    """A copy, taken in and scored under names that are attacks; the models are those of before."""
    shutil.copytree(workspace.root, root, ignore=shutil.ignore_patterns("bentoml"))
    for name in DERIVED:
        shutil.rmtree(root / "state" / name, ignore_errors=True)
    data = root / "data"
    accounts = pq.read_table(data / "accounts.parquet").column("account").to_pylist()
    contacts = pq.read_table(data / "contacts.parquet").column("contact").to_pylist()
    renamed = {
        **GROUPS,
        "account": dict(zip(accounts[:: len(accounts) // len(IDS)], IDS, strict=False)),
        "contact": dict(zip(contacts[:: len(contacts) // len(IDS)], IDS, strict=False)),
    }
    for file in data.glob("*.parquet"):
        _rename(file, renamed)
    here = load(root)
    with intake.read(here) as found:
        found.write_tables()
        Store(here).remember(found.names())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what SQLAlchemy has deprecated; none of it is ours
        batch.score(here)
    return here


def _rename(file: Path, renamed: dict[str, dict[str, str]]) -> None:
    table = pq.read_table(file)
    for at, field in enumerate(table.schema):
        if names := renamed.get(field.name):
            texts = [names.get(text, text) for text in table.column(at).to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    if file.stem == "accounts":
        given = table.column("name").to_pylist()
        chosen = [NAMES[n // 2 % len(NAMES)] if n % 2 else name for n, name in enumerate(given)]
        table = table.set_column(table.schema.get_field_index("name"), "name", pa.array(chosen, pa.string()))
    pq.write_table(table, file)
