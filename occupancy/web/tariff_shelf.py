"""The tariffs this web process quotes from: in memory, read again when PostgreSQL has others."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database
from occupancy.calendar import DayType
from occupancy.database_tariffs import list_overrides, list_tariffs, read_revisions
from occupancy.tariff import Tariff
from occupancy.tariff_book import TariffBook
from occupancy.tariff_file import shipped_tariffs

LOOK_EVERY_SECONDS = 1.0

log = structlog.get_logger()


class TariffShelf:
    """Holds the book; a dead PostgreSQL leaves the last one known, at first the shipped one."""

    def __init__(self) -> None:
        self._known: tuple[list[Tariff], Mapping[int, DayType]] = (shipped_tariffs(), {})
        self.book = TariffBook(*self._known)
        self._revisions: Mapping[str, int] = {}
        self._is_away = False
        self._listeners: list[Callable[[], None]] = []

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed()` whenever a price may be another than before."""
        self._listeners.append(changed)

    async def keep_fresh(self, connections: database.Pool) -> None:
        """Look for other versions until cancelled; also lets a version's first minute come."""
        while not is_cancelled():
            await self.look(connections)
            for changed in self._listeners:
                changed()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self, connections: database.Pool) -> None:
        """Read everything anew if anything was changed since the last time."""
        try:
            revisions = await read_revisions(connections)
            if revisions != self._revisions:
                await self._read(connections)
        except database.NOT_READY as trouble:
            if not self._is_away:
                words = "PostgreSQL is away: the tariffs known so far serve"
                log.warning(words, reason=str(trouble))
            self._is_away = True
        else:
            self._is_away = False
            # As they were before the reading: what came meanwhile is read again.
            self._revisions = revisions

    async def _read(self, connections: database.Pool) -> None:
        try:
            tariffs = await list_tariffs(connections)
            overrides = await list_overrides(connections)
        except (msgspec.DecodeError, ValueError) as trouble:
            # Written by a newer version or by hand: a wrong price would be worse than an old one.
            log.error("the stored tariffs cannot be read: those known serve", reason=str(trouble))  # noqa: TRY400
            return
        self.take(tariffs or shipped_tariffs(), overrides)

    def take(self, tariffs: Iterable[Tariff], overrides: Mapping[int, DayType]) -> None:
        known = (list(tariffs), overrides)
        if known == self._known:
            return
        self._known = known
        self.book = TariffBook(*known)
        for tariff_id, findings in self.book.refused.items():
            rules = ", ".join(found.rule for found in findings)
            log.error("a tariff breaks rules and is not used", tariff_id=tariff_id, rules=rules)
