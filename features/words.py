"""Words → numbers: the sentiment and the topic of what people wrote, taken while it is read in.

Text is personal: it is scored here and stored nowhere; only a number and a label go on. Each depends on its own text
alone, never on other texts or rows, so nothing can look ahead.

Sentiment is only told of text that is English beyond doubt: text in another language, or too short to tell, has none.
Topics are declared in ``[text.topics]`` and know no language; only the first ``LONGEST`` characters count for either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from unicodedata import normalize

import duckdb

from features.database import quoted
from features.quality import TableReport
from features.reading import count
from features.settings.data import Text
from features.tables import Table

TEXTS = {"tickets": "text", "feedback": "verbatim"}
"""The column of a table that holds text; ``sentiment`` and ``topic`` beside it follow from it where they are not mapped."""

LANGUAGE, CERTAIN = "en", 0.5  # likelier than all other languages together
LONGEST = 5000  # characters; what is beyond says little more, and bounds the work
STEP = 500  # texts between two words of progress

TYPES = {"sentiment": "DOUBLE", "topic": "VARCHAR"}
Reading = Callable[[str], float | str | None]


def score(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    config: Text,
    report: TableReport,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Fill in ``sentiment`` and ``topic`` of ``good_X`` from its text, each different text read once."""
    column = TEXTS.get(table.name, "")
    readings = {name: reading for name, reading in _readings(config).items() if name not in report.columns}
    if column not in report.columns or not readings:
        return
    good, judged, start = f"good_{table.name}", f"judged_{table.name}", f"substr({quoted(column)}, 1, {LONGEST})"
    connection.execute(f"CREATE OR REPLACE TABLE texts AS SELECT DISTINCT {start} AS start FROM {good}")
    total = count(connection, "texts")
    for name, reading in readings.items():
        reading("")  # loads what it needs once, before there are threads
        _add(connection, name, _each(reading, progress, f"{table.name}, {name} of text", total))
    told = ", ".join(f"t.{name} AS {name}" for name in readings)
    connection.execute(
        f"CREATE OR REPLACE TABLE {judged} AS SELECT j.* REPLACE ({told}) "
        f"FROM {judged} j LEFT JOIN texts t ON t.start = {start}"
    )
    report.columns += readings
    report.handled += _handled(connection, good, column, list(readings))
    connection.execute("DROP TABLE texts")


def sentiment(text: str) -> float | None:
    """From -1 to 1; 0 where no word of it is good or bad; none where it is not surely English."""
    identify, polarity = _libraries()
    language, chance = identify(text)
    return round(polarity(text), 6) if language == LANGUAGE and chance >= CERTAIN else None


def topic_finder(topics: Mapping[str, Sequence[str]]) -> Callable[[str], str | None]:
    """Tells the topic whose words come most often in a text, the one declared first among equals."""
    import regex  # noqa: PLC0415

    # Word boundaries as Unicode has them (WORD): also between the words of a script that does not space them.
    patterns = {topic: regex.compile(rf"\b(?:{_any_of(words)})\b", regex.WORD) for topic, words in topics.items()}

    def topic(text: str) -> str | None:
        folded = _folded(text)
        hits = {topic: sum(1 for _ in pattern.finditer(folded)) for topic, pattern in patterns.items()}
        most = max(hits, key=lambda topic: hits[topic])
        return most if hits[most] else None

    return topic


def _readings(config: Text) -> dict[str, Reading]:
    readings: dict[str, Reading] = {}
    if config.sentiment:
        readings["sentiment"] = sentiment
    if config.topics:
        readings["topic"] = topic_finder(config.topics)
    return readings


def _add(connection: duckdb.DuckDBPyConnection, name: str, reading: Callable[[str | None], float | str | None]) -> None:
    """The column ``name`` of ``texts``: what the reading makes of each of them, a few thousand at a time."""
    connection.complete()
    connection.create_function("read_text", reading, ["VARCHAR"], TYPES[name], null_handling="special")
    connection.execute(f"CREATE OR REPLACE TABLE texts AS SELECT *, read_text(start) AS {name} FROM texts")
    connection.complete()
    connection.remove_function("read_text")


def _each(
    reading: Reading, progress: Callable[[str], None], step: str, total: int
) -> Callable[[str | None], float | str | None]:
    """The reading, telling now and then how many texts it has read."""
    done = 0

    def read(text: str | None) -> float | str | None:
        nonlocal done
        if done % STEP == 0:
            progress(f"{step} {done:,} of {total:,}")
        done += 1
        return None if text is None else reading(text)

    return read


def _handled(connection: duckdb.DuckDBPyConnection, good: str, column: str, names: list[str]) -> list[str]:
    counts = ", ".join(f"count({name})" for name in names)
    text, *told, longer = connection.execute(
        f"SELECT count({column}), {counts}, count_if(length({column}) > {LONGEST}) FROM {good}"
    ).fetchall()[0]
    handled = [f"{name}: told from {found:,} of {text:,} texts" for name, found in zip(names, told, strict=True)]
    if longer:
        handled.append(f"{column}: {longer:,} texts read up to {LONGEST:,} characters, the rest left out")
    return handled


def _any_of(words: Sequence[str]) -> str:
    """Longer ones first, so that ``price list`` is not told as ``price``; any white space within them."""
    import regex  # noqa: PLC0415

    folded = sorted({_folded(word) for word in words}, key=lambda word: (-len(word), word))
    return "|".join(r"\s+".join(regex.escape(part) for part in word.split()) for word in folded)


def _folded(text: str) -> str:
    return normalize("NFKC", text.casefold())


@cache
def _libraries() -> tuple[Callable[[str], tuple[str, float]], Callable[[str], float]]:
    """What tells the language, and what the polarity of English; loaded only where there is text."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415
    from textblob.en import polarity  # noqa: PLC0415

    polarity("good")  # reads its word list
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify, polarity
