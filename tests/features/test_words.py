"""Sentiment and topics of text: right where they are told, none where they cannot be, and the text itself nowhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import facts, intake, words
from features.errors import PropensityError
from features.quality import Report
from features.workspace import Workspace, parse
from tests import worlds

DAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GLAD = "We are very happy with the new release, it works great and support was excellent."
UPSET = "This is terrible, the export is broken again and nobody answers our calls."
PLAIN = "Could you please tell us where we can change the settings of this page?"
TOPICS = {"price": ["price", "too expensive"], "speed": ["slow", "timeout"], "access": ["login"]}
Row = dict[str, Any]

NOT_ENGLISH = (
    "Das ist super, aber der Export ist leider kaputt und niemand antwortet auf unsere Tickets.",
    "Der Support war super und das Produkt ist perfekt.",
    "Le support est excellent mais le produit est trop cher.",
    "El soporte es terrible y no funciona nada.",
    "製品はとても良いです。サポートも素晴らしいです。",
    "产品太贵了，而且很难用。",
    "الدعم رائع لكن السعر مرتفع جدا",
    "Отличный продукт, спасибо большое!",
)
TOO_LITTLE = ("", "   ", "OK", "Super", "Bra", "👍", "12345", "...", "Service top")


def tickets(*texts: str | None, **columns: Any) -> list[Row]:
    """A ticket with each text."""
    return [
        {"ticket": f"t{n}", "account": "a", "opened": NOON, "text": text, **columns} for n, text in enumerate(texts)
    ]


def world(rows: list[Row], table: str = "tickets") -> dict[str, list[Row]]:
    use = {"account": "a", "occurred_at": NOON, "event": "login", "value": 1}
    return {"accounts": [{"account": "a"}], "usage": [use], table: rows}


def taken_in(folder: Path, rows: list[Row], table: str = "tickets", **options: Any) -> Workspace:
    workspace = worlds.write(folder, world(rows, table), **{"parquet": True, "cohort": {"kind": "activity"}, **options})
    worlds.take_in(workspace)
    return workspace


def told(workspace: Workspace, column: str, table: str = "tickets") -> list[Any]:
    """What is stored, in the order of the rows' keys."""
    folder, _ = intake.current(workspace)
    key = "ticket" if table == "tickets" else "feedback"
    values: list[Any] = pq.read_table(folder / f"{table}.parquet").sort_by(key)[column].to_pylist()
    return values


def test_tone_is_told_from_english() -> None:
    glad, plain, upset = (words.sentiment(text) for text in (GLAD, PLAIN, UPSET))
    assert glad is not None and plain is not None and upset is not None
    assert 0.4 < glad <= 1
    assert abs(plain) < 0.2
    assert -1 <= upset < -0.3


@pytest.mark.parametrize(
    ("gladder", "than"),
    [
        ("We are happy with this product.", "We are not happy with this product."),
        ("The new report is very good.", "The new report is good, but the old one is bad."),
        ("THIS IS A GREAT PRODUCT FOR US", "THIS IS A TERRIBLE PRODUCT FOR US"),
    ],
)
def test_of_two_sentences_one_is_gladder(gladder: str, than: str) -> None:
    high, low = words.sentiment(gladder), words.sentiment(than)
    assert high is not None and low is not None
    assert high > low


@pytest.mark.parametrize("text", NOT_ENGLISH + TOO_LITTLE)
def test_what_is_not_surely_english_has_no_sentiment(text: str) -> None:
    assert words.sentiment(text) is None


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_has_a_sentiment_in_range_or_none(text: str) -> None:
    for found in (words.sentiment(text), words.sentiment(f"{GLAD} {text}")):
        assert found is None or -1 <= found <= 1


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("The price is fine", "price"),
        ("THE PRICE!", "price"),
        ("prices and pricey", None),  # other words
        ("overprice", None),
        ("too\n  expensive for us", "price"),
        ("too cheap, not expensive", None),
        ("price, slow, timeout", "speed"),  # two to one
        ("slow login at this price", "price"),  # one each: declared first
        ("the Login-page", "access"),
        ("ｐｒｉｃｅ in full width", "price"),
        ("", None),
        ("nothing of that", None),
    ],
)
def test_a_topic_is_found_by_whole_words(text: str, topic: str | None) -> None:
    assert words.topic_finder(TOPICS)(text) == topic


@pytest.mark.parametrize(
    ("word", "text", "there"),
    [
        ("größe", "DIE GRÖSSE STIMMT NICHT", True),
        ("café", "the cafe\u0301 is open", True),
        ("цена", "Цена слишком высокая", True),
        ("цена", "ценам", False),
        ("سعر", "سعر مرتفع", True),
        ("価格", "価格が高い", True),  # a script without spaces
        ("プロ", "プログラム", False),
        ("c++", "we use C++ daily", True),
        ("a.c", "abc", False),  # words, not patterns
        ("(", "a ( b", True),
        ("👍", "fine 👍👍", True),
    ],
)
def test_topics_know_no_language(word: str, text: str, there: bool) -> None:
    assert (words.topic_finder({"it": [word]})(text) == "it") is there


def test_the_longer_of_two_words_is_told() -> None:
    finder = words.topic_finder({"price": ["price"], "list": ["price list", "price"]})
    assert finder("price list, price list") == "price"  # two each, so the first
    assert words.topic_finder({"list": ["list"], "both": ["price list", "list"]})("the price list") == "list"
    assert finder("the price, the price list and the price") == "price"


@pytest.mark.parametrize(
    ("table", "column", "rest"),
    [
        ("tickets", "text", {"opened": NOON}),
        ("feedback", "verbatim", {"responded": NOON, "instrument": "NPS", "score": 9}),
    ],
)
def test_both_tables_are_read(table: str, column: str, rest: Row, tmp_path: Path) -> None:
    key = table.removesuffix("s")
    texts = (f"{GLAD} Good price!", NOT_ENGLISH[0], None, UPSET, f"{GLAD} Good price!")
    rows = [{key: f"k{n}", "account": "a", column: text, **rest} for n, text in enumerate(texts)]
    workspace = taken_in(tmp_path, rows, table, text={"topics": TOPICS})
    expected = [words.sentiment(text) if text else None for text in texts]
    assert told(workspace, "sentiment", table) == expected
    assert [found is None for found in expected] == [False, True, True, False, False]
    assert told(workspace, "topic", table) == ["price", None, None, None, "price"]
    handled = intake.current(workspace)[1].tables[table].handled
    assert "sentiment: told from 3 of 4 texts" in handled
    assert "topic: told from 2 of 4 texts" in handled


def test_facts_are_those_of_rows_with_a_sentiment_or_topic(tmp_path: Path) -> None:
    workspace = taken_in(
        tmp_path,
        tickets(GLAD, f"{UPSET} Too expensive.", NOT_ENGLISH[0], None, channel="chat"),
        text={"topics": TOPICS},
    )
    folder, report = intake.current(workspace)
    rows = {
        kind: [facts_of(workspace, folder, report, kind)[name] for name in ("value", "label")]
        for kind in ("ticket.sentiment", "ticket.topic", "ticket.channel")
    }
    low, high = (round(float(words.sentiment(text) or 0) * facts.UNIT) for text in (f"{UPSET} Too expensive.", GLAD))
    assert rows["ticket.sentiment"] == [[low, high], [None, None]]
    assert rows["ticket.topic"] == [[None], ["price"]]
    assert rows["ticket.channel"] == [[None] * 4, ["chat"] * 4]
    assert {"ticket.sentiment"} & facts.valued(report)


def facts_of(workspace: Workspace, folder: Path, report: Report, kind: str) -> dict[str, list[Any]]:
    with duckdb.connect() as connection:
        found = connection.sql(
            f"SELECT value, label FROM ({facts.select(kind, folder, workspace, report)}) ORDER BY 1, 2"
        )
        columns: dict[str, list[Any]] = found.to_arrow_table().to_pydict()
        return columns


def test_a_sentiment_is_known_when_its_row_is(tmp_path: Path) -> None:
    """When the ticket was opened or recorded, when the feedback was answered; never before."""
    later = datetime(2026, 3, 9, tzinfo=UTC)
    asked = {"asked": NOON, "instrument": "NPS", "verbatim": GLAD}
    rows = {
        "tickets": tickets(GLAD) + tickets(UPSET, ticket="late", recorded_at=later),
        "feedback": [
            {"feedback": "no answer", "account": "a", **asked, "score": None, "responded": None},
            {"feedback": "answer", "account": "a", **asked, "score": 9, "responded": later},
        ],
    }
    workspace = worlds.write(tmp_path, world([]) | rows, parquet=True)
    report = worlds.take_in(workspace)
    for kind, known in {"ticket.sentiment": [NOON, later], "feedback.sentiment": [later]}.items():
        with duckdb.connect() as connection:
            found = connection.sql(
                f"SELECT known FROM ({facts.select(kind, intake.current(workspace)[0], workspace, report)}) ORDER BY 1"
            ).fetchall()
        assert found == [(int(instant.timestamp()) * 1_000_000,) for instant in known]


def test_without_text_there_is_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No library is loaded, no kind of fact appears, and the frame is the same as with text that is not scored."""
    monkeypatch.setattr(words, "_libraries", lambda: pytest.fail("loaded"))
    bare = [{name: value for name, value in row.items() if name != "text"} for row in tickets(GLAD, UPSET)]
    without = taken_in(tmp_path / "without", bare)
    unread = taken_in(tmp_path / "off", tickets(GLAD, UPSET), text={"sentiment": False})
    for workspace in (without, unread):
        told_kinds = facts.available(intake.current(workspace)[1])
        assert "ticket.opened" in told_kinds
        assert not told_kinds & {"ticket.sentiment", "ticket.topic", "feedback.sentiment", "feedback.topic"}
        assert told(workspace, "sentiment") == [None, None]
    pd.testing.assert_frame_equal(worlds.frame(without, DAY), worlds.frame(unread, DAY), check_exact=True)


def test_the_same_numbers_on_each_run_in_any_order(tmp_path: Path) -> None:
    rows = tickets(GLAD, UPSET, PLAIN, *NOT_ENGLISH, f"{GLAD} {UPSET}")
    names = []
    for folder, given_rows in (("once", rows), ("again", rows), ("reversed", rows[::-1])):
        names.append(intake.current(taken_in(tmp_path / folder, given_rows, text={"topics": TOPICS}))[0].name)
    assert len(set(names)) == 1


def test_other_rows_do_not_move_a_text(tmp_path: Path) -> None:
    few = told(taken_in(tmp_path / "few", tickets(GLAD, UPSET)), "sentiment")
    many = told(taken_in(tmp_path / "many", tickets(GLAD, UPSET, *NOT_ENGLISH * 3)), "sentiment")
    assert many[:2] == few


def test_a_sentiment_of_ones_own_stays_as_it_is(tmp_path: Path) -> None:
    rows = tickets(GLAD, GLAD, UPSET)
    for row, sentiment in zip(rows, (-0.5, None, 1.5), strict=True):
        row |= {"sentiment": sentiment, "topic": "mine"}
    workspace = taken_in(tmp_path, rows, text={"topics": TOPICS})
    assert told(workspace, "sentiment") == [-0.5, None]
    assert told(workspace, "topic") == ["mine", "mine"]
    problems = intake.current(workspace)[1].tables["tickets"].problems
    assert {problem.problem: problem.count for problem in problems} == {"sentiment is outside -1 to 1": 1}


HOSTILE = {
    "huge": f"{GLAD} " * 125_000,
    "emoji": f"{GLAD} 👩\u200d💻👍🏿🏴\u200d☠️",
    "right to left": f"\u202e{GLAD}\u202c مرحبا",
    "control characters": f"{GLAD}\x01\x07\x1b[31m\r\n\t",
    "SQL": f"'; DROP TABLE good_tickets; -- {GLAD}",
    "formula": f'=HYPERLINK("http://example.test","x") {GLAD}',
    "template": GLAD + " {0} %s ${x} <script>alert(1)</script>",
    "exclamation marks": GLAD + "!" * 100_000,
}


@pytest.mark.parametrize("parquet", [False, True])
def test_hostile_text_is_harmless(parquet: bool, tmp_path: Path) -> None:
    rows = tickets(*HOSTILE.values(), f"{GLAD}\0")
    workspace = taken_in(tmp_path, rows, parquet=parquet, text={"topics": TOPICS})
    found = dict(zip(HOSTILE, told(workspace, "sentiment"), strict=True))
    assert [name for name, sentiment in found.items() if sentiment is None] == ["exclamation marks"]  # hardly English
    assert all(0 < sentiment <= 1 for sentiment in found.values() if sentiment is not None)
    report = intake.current(workspace)[1].tables["tickets"]
    assert "text: 2 texts read up to 5,000 characters, the rest left out" in report.handled
    assert [problem.problem for problem in report.problems] == ["text is not text without NUL bytes"]


def test_only_the_beginning_counts(tmp_path: Path) -> None:
    filled = (GLAD + " ") * (words.LONGEST // len(GLAD) + 1)
    rows = tickets(filled, filled[: words.LONGEST], filled + UPSET * 9 + " login")
    workspace = taken_in(tmp_path, rows, text={"topics": TOPICS})
    assert len(set(told(workspace, "sentiment"))) == 1
    assert told(workspace, "topic") == [None] * 3


def test_the_text_is_stored_nowhere(tmp_path: Path) -> None:
    """Not in tables, frames or reports: also not of rows that are set aside, nor from columns outside the contract."""
    name = "Persephone Quillfeather"
    rows = tickets(f"{GLAD} {name}", f"{UPSET} {name}", PLAIN)
    for row in rows:
        row |= {"severity": "high", "body": row["text"]}
    rows[1]["severity"] = "dire"
    workspace = taken_in(tmp_path, rows, parquet=False, text={"topics": TOPICS | {"person": ["nobody"]}})
    worlds.frame(workspace, DAY)
    report = intake.current(workspace)[1].tables["tickets"]
    assert [problem.problem for problem in report.problems] == ["severity is none of high, low, normal, urgent"]
    assert "severity=dire" in report.problems[0].examples[0]
    files = [file for file in workspace.state.rglob("*") if file.is_file()]
    assert len(files) > 5
    for file in files:
        assert b"Quillfeather" not in file.read_bytes(), file
        if file.suffix == ".parquet":
            assert "Quillfeather" not in str(pq.read_table(file).to_pydict()), file


def test_progress_is_told_and_repeats_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(words, "sentiment", lambda text: read.append(text) or 0.5)
    monkeypatch.setattr(words, "STEP", 2)
    texts = [f"{GLAD} {n % 5}" for n in range(50)]
    workspace = worlds.write(tmp_path, world(tickets(*texts)), parquet=True, cohort={"kind": "activity"})
    said: list[str] = []
    with intake.read(workspace, said.append):
        pass
    assert [step for step in said if "text" in step] == [f"tickets, sentiment of text {n} of 5" for n in (0, 2, 4)]
    assert sorted(read) == sorted({"", *texts})


@pytest.mark.parametrize("topics", [{"price": []}, {"price": ["  "]}, {" ": ["x"]}, {"price": "expensive"}])
def test_topics_need_words(topics: Any) -> None:
    raw = {"name": "x", "tables": {"accounts": {"sql": "x"}, "usage": {"sql": "x"}}, "as_of": {"since": DAY}}
    with pytest.raises(PropensityError, match=r"text\.topics"):
        parse({**raw, "text": {"topics": topics}})


def test_a_quote_in_a_topic_is_harmless(tmp_path: Path) -> None:
    name = "it's; DROP TABLE x"
    assert told(taken_in(tmp_path, tickets("that's it"), text={"topics": {name: ["it"]}}), "topic") == [name]
