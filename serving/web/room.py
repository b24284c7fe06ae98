"""How many are served at once, and how often one may ask."""

from __future__ import annotations

import asyncio
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from features.errors import PropensityError
from features.settings.service import Service
from serving.web.body import FULL


class Room:
    """Room for so many requests at work and a short queue before it; beyond that, no, and at once."""

    def __init__(self, settings: Service) -> None:
        self._places = asyncio.Semaphore(settings.at_work)
        self._queue, self._patience = settings.waiting, settings.wait_seconds
        self.at_work = self.waiting = 0

    async def enter(self) -> None:
        """Raises PropensityError (503) where there is no room within the time. Who has entered has to leave."""
        if not self._places.locked():
            await self._places.acquire()
        elif self.waiting >= self._queue:
            raise FULL.with_traceback(None)
        else:
            await self._wait()
        self.at_work += 1

    def leave(self) -> None:
        self.at_work -= 1
        self._places.release()

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise FULL.with_traceback(None) from None
        finally:
            self.waiting -= 1


class Rate:
    """How often somebody may ask, counted in this process's memory; ``per_minute`` 0: as often as they like."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._counted = FixedWindowRateLimiter(MemoryStorage())

    def ask(self, who: str) -> int | None:
        """None: go on; else in how many seconds to ask again."""
        if self._limit is None or self._counted.hit(self._limit, who):
            return None
        until = self._counted.get_window_stats(self._limit, who).reset_time
        return max(1, math.ceil(until - time.time()))


def too_often(limit: int, who: str = "key") -> PropensityError:
    return PropensityError(
        f"this {who} has asked more than {limit:,} times in a minute",
        "Ask for many accounts in one request, or wait as long as Retry-After says.",
        status=429,
    )
