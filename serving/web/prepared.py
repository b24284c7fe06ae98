"""Bodies of answers about one account, held as they were answered."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

MOST = 50_000
"""Bodies that are held, of about a kilobyte each; beyond that all are dropped, and made again as they are asked for."""


@dataclass
class Prepared:
    """Bodies by account, ``of`` one state of what they are made of; those of another are dropped."""

    _held: tuple[Hashable, dict[str, bytes]] = field(default_factory=lambda: (None, {}))

    def keep(self, of: Hashable, account: str, body: bytes) -> None:
        if of != self._held[0] or len(self._held[1]) >= MOST:
            self._held = (of, {})
        self._held[1][account] = body

    def get(self, of: Hashable, account: str) -> bytes | None:
        held, bodies = self._held
        return bodies.get(account) if held == of else None
