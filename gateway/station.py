"""One car park's gateway at work: field, state, outbox, uplink and signs wired together."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway import stream
from gateway.config import TOWN_SIGN_LEVEL, Device, GatewayConfig, Role
from gateway.counter import Verdict
from gateway.observation import FaceState, Observation
from gateway.outbox import Memory, Outbox, OutboxFullError
from gateway.outbox_thread import OutboxThread
from gateway.poller import Field
from gateway.process import is_cancelled
from gateway.reading import Failure, Reading
from gateway.reconcile import balance
from gateway.redis_client import connect
from gateway.signs import STALE, BadFaceError, own_face, to_registers
from gateway.station_state import StationState, moved_counts, same_news
from gateway.uplink import Uplink

SIGN_REFRESH_MS = 30_000
SIGN_CHECK_SECONDS = 0.5
FULL_AT_FREE_SPACES = 3
_QUIET_VERDICTS = (None, Verdict.FIRST, Verdict.COUNTED)

log = structlog.get_logger()


@dataclass(frozen=True)
class StationSettings:
    """What a gateway is told besides its car park's file."""

    redis_url: str
    outbox_folder: Path
    rate_factor: float = 1.0


async def run_gateway(
    config: GatewayConfig,
    settings: StationSettings,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    stopping: asyncio.Event,
) -> None:
    """Run one gateway until `stopping`; what it saw last is in the outbox when it returns."""
    lot_id = config.car_park.lot_id
    outbox = Outbox(settings.outbox_folder / f"{lot_id}.sqlite", clock())
    redis = connect(settings.redis_url)
    station = Station(config, settings.rate_factor, outbox, redis, clock, monotonic)
    try:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(station.run(), name=f"station {lot_id}")
            await stopping.wait()
            work.cancel()
    finally:
        await redis.aclose()
        station.close()


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
        self._state = StationState(config, outbox.counters(), outbox.anchor(), clock(), rate_factor)
        self._uplink = Uplink(self._outbox, self._last, redis, config.car_park.lot_id, clock)
        self._field = Field(config, clock, monotonic, self._take, random.Random())  # noqa: S311
        self._last_at = 0.0
        self._changed = asyncio.Event()
        self._faces = Faces(config, clock, monotonic)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._field.run(), name="field")
            group.create_task(self._observe(), name="observe")
            group.create_task(self._uplink.run(), name="uplink")
            group.create_task(self._drive_signs(), name="signs")

    def close(self) -> None:
        self._outbox.close()

    def _take(self, news: Reading | Failure) -> None:
        verdict = self._state.fold(news)
        if verdict not in _QUIET_VERDICTS:
            log.warning("a counter did not just count", device=news.device_id, verdict=verdict)
        self._changed.set()

    async def _observe(self) -> None:
        """Write an observation when something changed, and at least once a second."""
        every_seconds = self._config.car_park.observe_every_ms / 1_000
        while not is_cancelled():
            await self._wait_for_change(self._last_at + every_seconds - self._monotonic())
            self._changed.clear()
            now = self._state.observe(self._clock())
            due = self._monotonic() - self._last_at >= every_seconds
            if due or not same_news(self._last, now):
                await self._write(now)

    async def _write(self, now: Observation) -> None:
        memory = Memory(dict(self._state.counters), self._state.anchor)
        counts = moved_counts(self._last, now)
        try:
            placed = await self._outbox.append(now, memory, counts=counts)
        except OutboxFullError as full:
            # Nothing is forgotten: the counters go on in memory, and the next try says it all.
            log.error("the outbox takes no more", reason=str(full))  # noqa: TRY400
            self._last_at = self._monotonic()
            return
        self._last, self._last_at = placed, self._monotonic()
        self._uplink.tell(placed)

    async def _wait_for_change(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _drive_signs(self) -> None:
        signs = self._config.devices_of(Role.SIGN)
        if not signs:
            return
        while not is_cancelled():
            await self._read_orders(signs)
            for device in signs:
                self._drive(device)
            await asyncio.sleep(SIGN_CHECK_SECONDS)

    async def _read_orders(self, signs: tuple[Device, ...]) -> None:
        if all(device.sign_level != TOWN_SIGN_LEVEL for device in signs):
            return
        try:
            orders = await stream.read_faces(self._redis, self._config.car_park.lot_id)
        except (RedisError, OSError, TimeoutError):
            return  # no new order: the face goes stale by itself
        for order in orders.values():
            self._faces.take_order(order)

    def _drive(self, device: Device) -> None:
        if self._last is None:
            return
        lines = self._faces.desired(device, self._last, self._state.silent_for_ms(self._clock()))
        self._state.order_face(device.device_id, lines)
        shown = next(s for s in self._last.signs if s.device_id == device.device_id)
        if self._faces.is_due(device, lines, differs=shown.state is FaceState.DIFFERS):
            self._field.write(device.device_id, to_registers(lines))


class Faces:
    """What each sign of one gateway shall show, and when it must be written again."""

    def __init__(
        self, config: GatewayConfig, clock: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._car_park = config.car_park
        self._clock = clock
        self._monotonic = monotonic
        self._orders: dict[str, tuple[stream.SignOrder, float]] = {}
        self._written: dict[str, tuple[tuple[str, ...], float]] = {}

    def take_order(self, order: stream.SignOrder) -> None:
        """Only a new number makes an order fresh: an old one repeated says nothing new."""
        known = self._orders.get(order.sign_id)
        if known is None or known[0].number != order.number:
            self._orders[order.sign_id] = (_showable(order), self._monotonic() * 1_000)

    def desired(self, device: Device, last: Observation, silent_for_ms: int) -> tuple[str, ...]:
        if device.sign_level == TOWN_SIGN_LEVEL:
            return self._ordered(device)
        is_stale = silent_for_ms > self._car_park.stale_after_ms
        spaces = balance(last.groups, last.cars_inside)
        return own_face(spaces, FULL_AT_FREE_SPACES, is_stale=is_stale)

    def is_due(self, device: Device, lines: tuple[str, ...], *, differs: bool) -> bool:
        """New, refreshed every half minute, or corrected when the sign says otherwise."""
        now_ms = self._monotonic() * 1_000
        written, at_ms = self._written.get(device.device_id, ((), -SIGN_REFRESH_MS))
        patience_ms = device.period_ms * 2 if differs else SIGN_REFRESH_MS
        if lines == written and now_ms - at_ms < patience_ms:
            return False
        self._written[device.device_id] = (lines, now_ms)
        return True

    def _ordered(self, device: Device) -> tuple[str, ...]:
        order, at_ms = self._orders.get(device.device_id, (None, 0.0))
        fresh = self._monotonic() * 1_000 - at_ms <= self._car_park.stale_after_ms
        if order is None or not fresh:
            return tuple(STALE for _ in device.lines)
        return order.lines


def _showable(order: stream.SignOrder) -> stream.SignOrder:
    """An order that no sign can show becomes the stale face: it comes from outside."""
    try:
        to_registers(order.lines)
    except BadFaceError as refusal:
        log.warning("a face that cannot be shown", sign=order.sign_id, reason=str(refusal))
        return msgspec.structs.replace(order, lines=(STALE,))
    return order
