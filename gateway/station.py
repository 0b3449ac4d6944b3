"""One car park's gateway at work: field, state, outbox, uplink and signs wired together."""

import asyncio
import contextlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway import stream
from gateway.config import OUTBOX_FOLDER, Device, GatewayConfig, Role
from gateway.correction import Correction
from gateway.counter import Verdict
from gateway.faces import Faces, stale_face
from gateway.observation import NEARLY_FULL_DOUBT, FaceState, Observation
from gateway.outbox import Memory, Outbox, OutboxFullError
from gateway.outbox_file import UnusableOutboxError
from gateway.outbox_thread import OutboxThread
from gateway.poller import Field
from gateway.process import is_cancelled
from gateway.reading import Failure, Reading
from gateway.reconcile import drift, drift_per_day
from gateway.redis_client import connect
from gateway.settings import BadSettingError
from gateway.signs import to_registers
from gateway.station_state import StationState, moved_counts, same_news
from gateway.uplink import Uplink

ORDERS_SECONDS = 0.5
LEAVE_SECONDS = 1.0
ROWS_A_LOOK = 1_000  # at how full the outbox is and how far the counters drift
_MIB = 1 << 20
_QUIET_VERDICTS = (None, Verdict.FIRST, Verdict.COUNTED)

log = structlog.get_logger()


@dataclass(frozen=True)
class StationSettings:
    """What a gateway is told besides its car park's file."""

    redis_url: str
    outbox_folder: Path
    rate_factor: float = 1.0
    outbox_mib: int = 1_024


async def run_gateway(
    config: GatewayConfig,
    settings: StationSettings,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    stopping: asyncio.Event,
    handed_over: asyncio.Event | None = None,
) -> None:
    """Run one gateway until `stopping`; what it saw last is in the outbox when it returns.

    Its signs keep what they show when it was `handed_over`: a successor goes on in seconds.
    """
    lot_id = config.car_park.lot_id
    redis = connect(settings.redis_url)
    station = Station(
        config, settings.rate_factor, _open_outbox(settings, lot_id, clock), redis, clock, monotonic
    )
    try:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(station.run(), name=f"station {lot_id}")
            await stopping.wait()
            if handed_over is None or not handed_over.is_set():
                await station.blank_signs()
            work.cancel()
    finally:
        await redis.aclose()
        station.close()


def _open_outbox(settings: StationSettings, lot_id: str, clock: Callable[[], int]) -> Outbox:
    try:
        path = settings.outbox_folder / f"{lot_id}.sqlite"
        return Outbox(path, clock(), settings.outbox_mib * _MIB)
    except UnusableOutboxError as reason:
        raise BadSettingError(f"{OUTBOX_FOLDER.name}: {reason}") from None


class Station:
    """The loops of one gateway. `clock` is UTC ms, `monotonic` runs in seconds."""

    def __init__(
        self,
        config: GatewayConfig,
        rate_factor: float,
        outbox: Outbox,
        redis: Redis,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._config = config
        self._outbox = OutboxThread(outbox)
        self._redis = redis
        self._clock = clock
        self._monotonic = monotonic
        self._last = outbox.newest()
        self._state = StationState(
            config, outbox.counters(), outbox.anchor(), self._uptime_ms(), rate_factor
        )
        lot_id = config.car_park.lot_id
        self._uplink = Uplink(self._outbox, self._last, redis, lot_id, clock, monotonic)
        self._field = Field(config, clock, monotonic, self._take, random.Random())  # noqa: S311
        self._last_at = -math.inf
        self._changed = asyncio.Event()
        self._faces = Faces(config.car_park, self._uptime_ms())
        self._signs = config.devices_of(Role.SIGN)
        self._is_leaving = False
        self._left = asyncio.Event()
        self._refusal = ""
        self._nearly_full = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._field.run(), name="field")
            group.create_task(self._observe(), name="observe")
            group.create_task(self._uplink.run(), name="uplink")
            group.create_task(self._follow_orders(), name="orders")

    async def blank_signs(self) -> None:
        """Show the stale faces before we go: a sign keeps what was written last for ever."""
        self._is_leaving = True
        self._changed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._left.wait()

    def close(self) -> None:
        self._outbox.close()

    def _take(self, news: Reading | Failure) -> None:
        verdict = self._state.fold(news, self._uptime_ms())
        if verdict not in _QUIET_VERDICTS:
            log.info("a counter did not just count", device=news.device_id, verdict=verdict)
        if self._state.has_news:
            self._changed.set()

    async def _observe(self) -> None:
        """Write an observation when something changed, and at least once a second."""
        every_seconds = self._config.car_park.observe_every_ms / 1_000
        while not is_cancelled():
            await self._wait_for_change(self._last_at + every_seconds - self._monotonic())
            self._changed.clear()
            if not (self._state.is_primed(self._uptime_ms()) or self._is_leaving):
                self._last_at = self._monotonic()  # look again at the next answer
                continue
            due = self._monotonic() - self._last_at >= every_seconds
            now = self._look()
            if self._drive_signs(now):
                now = self._look()
            if due or not same_news(self._last, now):
                await self._write(now)

    def _look(self) -> Observation:
        return self._state.observe(self._clock(), self._uptime_ms(), self._own_doubts())

    def _own_doubts(self) -> tuple[str, ...]:
        nearly = (NEARLY_FULL_DOUBT,) if self._nearly_full else ()
        return (*nearly, self._refusal) if self._refusal else nearly

    async def _write(self, now: Observation) -> None:
        memory = Memory(dict(self._state.counters), self._state.anchor)
        counts = moved_counts(self._last, now)
        try:
            placed = await self._outbox.append(now, memory, counts=counts)
        except OutboxFullError as full:
            # Nothing is forgotten: the counters go on in memory, and the next row says it all.
            if not self._refusal:
                log.error("the outbox takes no more", reason=str(full))  # noqa: TRY400
            self._refusal = "the outbox was full: what came before was not kept in detail"
            self._last_at = self._monotonic()
            return
        if self._refusal:
            log.info("the outbox takes observations again", sequence=placed.sequence)
        self._refusal = ""
        self._last, self._last_at = placed, self._monotonic()
        self._uplink.tell(placed)
        if placed.sequence % ROWS_A_LOOK == 0:
            await self._take_stock(placed)

    async def _take_stock(self, last: Observation) -> None:
        """Now and then: how full the outbox is, and how far counters and machines drift."""
        self._nearly_full = await self._outbox.is_nearly_full()
        anchor, inside = self._state.anchor, last.cars_inside
        cars = None if inside is None else drift(inside, last.groups, last.unseen_cars)
        if anchor is not None and cars is not None:
            a_day = drift_per_day(cars, anchor, last.observed_at_ms)
            log.info("counters against machines", drift_cars=cars, drift_cars_per_day=a_day)

    async def _wait_for_change(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._changed.wait()

    async def _follow_orders(self) -> None:
        """Read what signs shall show and what an operator has counted.

        Without news a face goes stale by itself; a count stands until a newer one is taken.
        """
        lot_id = self._config.car_park.lot_id
        while not is_cancelled():
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                if self._signs:
                    orders = await stream.read_faces(self._redis, lot_id)
                    self._faces.take_orders(orders, self._uptime_ms())
                    self._changed.set()
                self._correct(await stream.read_correction(self._redis, lot_id))
            await asyncio.sleep(ORDERS_SECONDS)

    def _correct(self, ordered: Correction | None) -> None:
        if ordered is not None and self._state.correct(ordered, self._outbox.epoch):
            log.info("an operator's count was taken", number=ordered.number)
            self._changed.set()

    def _drive_signs(self, seen: Observation) -> bool:
        """Write what is due; whether an order has changed what `seen` says of the signs."""
        shown = {sign.device_id: sign for sign in seen.signs}
        changed = False
        for device in self._signs:
            lines = self._face(device, seen)
            sign = shown[device.device_id]
            if lines is None:
                continue
            if sign.desired != lines:
                self._state.order_face(device.device_id, lines)
                changed = True
            differs = sign.desired == lines and sign.state is FaceState.DIFFERS
            if self._faces.is_due(device, lines, self._uptime_ms(), differs=differs):
                self._field.write(device.device_id, to_registers(lines))
        if (
            self._is_leaving
            and not changed
            and all(s.state is FaceState.AS_DESIRED for s in shown.values())
        ):
            self._left.set()
        return changed

    def _face(self, device: Device, seen: Observation) -> tuple[str, ...] | None:
        if self._is_leaving:
            return stale_face(device)
        return self._faces.desired(device, seen, self._uptime_ms())

    def _uptime_ms(self) -> int:
        return int(self._monotonic() * 1_000)
