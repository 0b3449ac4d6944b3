"""Learns again every hour from history, in a child process; one process learns, all take it up."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import structlog

from gateway.process import is_cancelled
from occupancy import database, database_forecast, database_tariffs, history
from occupancy.calendar import Calendar
from occupancy.database_forecast import QUARTER_MS, Learned, QuarterRow
from routing.forecast import Forecasts
from routing.forecast_child import LearningFailedError, Task, learn_apart
from routing.forecast_model import DAY_MS, Model
from routing.forecast_past import Quarter, day_of_ms, start_of_day_ms
from routing.forecast_usual import DAYS_AHEAD

PAST_DAYS = 70
LEARN_EVERY_MS = 3_600_000
LOOK_EVERY_SECONDS = 10.0
RETRY_SECONDS = 5.0
LEARN_AGAIN_SECONDS = 60.0  # after a child that ended without a model
LEASE = "forecast"  # beside the car parks' own
LEASE_SECONDS = 600.0

log = structlog.get_logger()


class ForecastLearning:
    """Keeps one process's forecasts up to date with what any process learned."""

    def __init__(
        self,
        forecasts: Forecasts,
        lot_ids: Iterable[str],
        connections: database.Pool,
        clock: Callable[[], int],
        holder: str,
    ) -> None:
        self._forecasts = forecasts
        self._lot_ids = tuple(lot_ids)
        self._connections = connections
        self._clock = clock
        self._holder = holder
        self._past: dict[str, dict[int, QuarterRow]] = {lot_id: {} for lot_id in self._lot_ids}

    async def keep_learning(self) -> None:
        """Look for a newer model, learn one when it is time, until cancelled."""
        while not is_cancelled():
            try:
                await self.look()
            except database.NOT_READY as trouble:
                log.debug("nothing learned: PostgreSQL is away", reason=str(trouble))
                await asyncio.sleep(RETRY_SECONDS)
            except LearningFailedError as trouble:
                log.warning("nothing learned", reason=str(trouble))
                await asyncio.sleep(LEARN_AGAIN_SECONDS)
            else:
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Take up what another process learned; learn when it grew old or a day became another."""
        revision = (await database_tariffs.read_revisions(self._connections))["calendar"]
        learned = await database_forecast.read_learned(self._connections)
        if learned.at_ms > self._forecasts.model.learned_at_ms:
            await self._take_up()
        now_ms = self._clock()
        is_fresh = now_ms - self._forecasts.model.learned_at_ms < LEARN_EVERY_MS
        if is_fresh and revision == learned.calendar_revision:
            return
        if await history.take_lease(self._connections, LEASE, self._holder, LEASE_SECONDS):
            await self._learn(now_ms, revision)

    async def _take_up(self) -> None:
        stored = await database_forecast.read_model(self._connections)
        if stored is None:
            return
        try:
            self._forecasts.learn(msgspec.msgpack.decode(stored, type=Model))
        except msgspec.ValidationError as trouble:
            log.warning("the stored forecast model is another version's", reason=str(trouble))

    async def _learn(self, now_ms: int, calendar_revision: int) -> None:
        first_day = day_of_ms(now_ms) - PAST_DAYS
        for lot_id in self._lot_ids:
            await self._read(lot_id, start_of_day_ms(first_day), now_ms)
        calendar = Calendar(await database_tariffs.list_overrides(self._connections))
        model = await learn_apart(self._task(first_day, calendar, now_ms))
        self._forecasts.learn(model)
        packed = msgspec.msgpack.encode(model)
        learned = Learned(now_ms, calendar_revision)
        await database_forecast.write_model(self._connections, learned, packed)
        log.info("forecasts learned", lots=len(self._lot_ids), bytes=len(packed))

    async def _read(self, lot_id: str, from_ms: int, now_ms: int) -> None:
        """What is new since the last time, a day at once; what is too old leaves."""
        past = self._past[lot_id]
        for start_ms in [start_ms for start_ms in past if start_ms < from_ms]:
            del past[start_ms]
        if past:
            next_ms = max(past) + QUARTER_MS
        else:
            begun_ms = await database_forecast.find_first_ms(self._connections, lot_id)
            next_ms = now_ms if begun_ms is None else max(from_ms, begun_ms)
        next_ms = -(-next_ms // QUARTER_MS) * QUARTER_MS
        while next_ms < now_ms:
            until_ms = min(next_ms + DAY_MS, now_ms)
            rows = await database_forecast.read_quarters(
                self._connections, lot_id, next_ms, until_ms
            )
            past.update((row.start_ms, row) for row in rows)
            next_ms = next_ms + DAY_MS

    def _task(self, first_day: int, calendar: Calendar, now_ms: int) -> Task:
        days = day_of_ms(now_ms) - first_day + 1
        kinds = [calendar.day_type(first_day + day) for day in range(days + DAYS_AHEAD)]
        lots = {lot_id: _quarters(self._past[lot_id]) for lot_id in self._lot_ids}
        return Task(lots, first_day, days, kinds, now_ms)


def _quarters(past: dict[int, QuarterRow]) -> list[Quarter]:
    """Rows with the cars between them; a new epoch counts from nought, so its first has none."""
    quarters = []
    for row in past.values():
        following = past.get(row.start_ms + QUARTER_MS)
        if following is None or following.epoch != row.epoch:
            entries = exits = None
        else:
            entries = following.entries_total - row.entries_total
            exits = following.exits_total - row.exits_total
        quarters.append(Quarter(row.start_ms, row.occupied, row.free, entries, exits))
    return quarters
