"""Finding an account or a contact by what somebody types: names and ids, whatever their case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest

import pyarrow.parquet as pq

from features import intake
from features.workspace import Workspace
from serving.stores.store import Store

END = "\n"
"""Stands before and after each text that is looked through; what is looked for has none in it."""
UNSEEN = ("Mn", "Cf")
"""Accents, once they are apart from their letters, and marks that show nothing."""


def plain(text: str) -> str:
    """What is compared: without case, accents and marks that nobody sees, every gap a blank."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text)
        text = "".join(sign for sign in apart if unicodedata.category(sign) not in UNSEEN)
    return " ".join(text.casefold().split())


@dataclass(frozen=True)
class Hit:
    """An account, by its ``name``; or a contact in it, and the role that they have there."""

    account: str
    name: str
    contact: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class Hits:
    """The first of those ``found``, the closest first."""

    first: list[Hit]
    found: int


@dataclass(frozen=True)
class Book:
    """Everything that can be found of one kind, and beside it the texts that are looked through."""

    hits: Sequence[Hit]
    texts: Sequence[str]

    @classmethod
    def of(cls, lines: Iterable[tuple[Hit, Sequence[str]]]) -> Book:
        read = [(hit, END.join(["", *map(plain, said), ""])) for hit, said in lines]
        return cls([hit for hit, _ in read], [text for _, text in read])

    def find(self, asked: str, top: int, sees: Callable[[str], bool]) -> Hits:
        """What is called so, then what begins so, then what has a word that begins so, then what has it somewhere."""
        wanted = plain(asked)
        if not wanted:
            return Hits([], 0)
        left = [place for place, text in enumerate(self.texts) if wanted in text and sees(self.hits[place].account)]
        found, first = len(left), list[int]()
        for form in (f"{END}{wanted}{END}", f"{END}{wanted}", f" {wanted}", wanted):
            close = [place for place in left if form in self.texts[place]]
            first += nsmallest(top - len(first), close, key=lambda place: self.texts[place])
            if len(first) == top:
                break
            taken = set(close)
            left = [place for place in left if place not in taken]
        return Hits([self.hits[place] for place in first], found)


@dataclass(frozen=True)
class Index:
    accounts: Book
    contacts: Book


def index(workspace: Workspace) -> Index:
    """Every account by name and id, every contact by id: names are read from the store, where alone they are kept."""
    folder, _ = intake.current(workspace)
    accounts = pq.read_table(folder / "accounts.parquet", columns=["account"])["account"].to_pylist()
    names = Store(workspace).names(accounts)
    people = pq.read_table(folder / "people.parquet", columns=["contact", "account_code", "role"]).to_pydict()
    persons = zip(people["contact"], people["account_code"], people["role"], strict=True)
    return Index(
        Book.of((Hit(one, names.get(one, one)), [names.get(one, one), one]) for one in accounts),
        Book.of(
            (Hit(accounts[code], names.get(accounts[code], accounts[code]), contact, role), [contact])
            for contact, code, role in persons
            if code is not None
        ),
    )
