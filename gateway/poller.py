"""Polls all devices of one car park: one task a line, one request at a time on each."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from typing import assert_never

import structlog

from gateway.breaker import Breaker
from gateway.config import Device, GatewayConfig, Link
from gateway.decode import (
    Block,
    UnwritableError,
    Value,
    Word,
    blocks_of,
    decode_blocks,
    encode,
)
from gateway.modbus import ModbusFailure, ModbusLine
from gateway.process import is_cancelled
from gateway.reading import Failure, FailureKind, Reading
from gateway.register_map import Point, Purpose, RegisterMap
from gateway.schedule import Job, Priority, Schedule, spread

HOUSEKEEPING_PERIODS = 10
BUSY_TRIES = 3
BUSY_PAUSE_SECONDS = 0.02
Report = Callable[[Reading | Failure], None]
Run = tuple[int, list[int]]  # an address and the registers to write from there on

log = structlog.get_logger()


class Field:
    """The devices of one car park. `clock` is UTC ms, `monotonic` runs in seconds."""

    def __init__(
        self,
        config: GatewayConfig,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
        report: Report,
        dice: random.Random,
    ) -> None:
        self._lines = [
            _Line(link, config, clock, monotonic, report, dice) for link in config.car_park.links
        ]
        self._line_of = {device: line for line in self._lines for device in line.device_ids}

    async def run(self) -> None:
        """Poll until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(line.run(), name=f"line {line.link.link_id}")

    def write(self, device_id: str, values: Mapping[str, Value]) -> None:
        """Write before anything else on the line; of several waiting for a device the last wins.

        Raises UnwritableError for what the device's map cannot take.
        """
        self._line_of[device_id].write(device_id, values)

    def jobs(self) -> list[Job]:
        return [job for line in self._lines for job in line.schedule.jobs]


class _Line:
    def __init__(
        self,
        link: Link,
        config: GatewayConfig,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
        report: Report,
        dice: random.Random,
    ) -> None:
        self.link = link
        self._config = config
        self._clock = clock
        self._monotonic = monotonic
        self._report = report
        self._modbus = ModbusLine(link)
        self._breaker = Breaker(patience=1)
        self._devices = {
            device.device_id: device
            for device in config.car_park.devices
            if device.link_id == link.link_id
        }
        self._writes: dict[str, list[Run]] = {}
        self._woken = asyncio.Event()
        self.schedule = Schedule([*self._jobs()])
        spread(self.schedule.jobs, self._now_ms(), iter(dice.random, None))

    @property
    def device_ids(self) -> Iterable[str]:
        return self._devices

    def write(self, device_id: str, values: Mapping[str, Value]) -> None:
        register_map = self._config.maps[self._devices[device_id].map]
        self._writes[device_id] = runs_of(register_map, values)
        self._woken.set()

    async def run(self) -> None:
        try:
            while not is_cancelled():
                await self._turn()
        finally:
            self._modbus.close()

    async def _turn(self) -> None:
        now_ms = self._now_ms()
        if not self._breaker.lets_pass(now_ms):
            await self._rest_until(self._breaker.closed_until_ms)
        elif self._writes:
            await self._write_next()
        elif job := self.schedule.next_job(now_ms):
            job.start(now_ms)
            await self._poll(job)
        else:
            await self._rest_until(self.schedule.next_due_ms())

    async def _poll(self, job: Job) -> None:
        device = job.device
        try:
            answers = {block: await self._read(device, block) for block in job.blocks}
        except ModbusFailure as failure:
            self._note_failure(device, job.breaker, failure)
            return
        self._note_success(device, job.breaker)
        values, unreadable = decode_blocks(job.points, answers)
        self._report(Reading(device.device_id, values, self._clock(), tuple(unreadable)))

    async def _read(self, device: Device, block: Block) -> "list[Word]":
        for _ in range(BUSY_TRIES - 1):
            try:
                return list(await self._modbus.read(device.unit, block, device.timeout_ms))
            except ModbusFailure as failure:
                if failure.kind is not FailureKind.BUSY:
                    raise
            await asyncio.sleep(BUSY_PAUSE_SECONDS)
        return list(await self._modbus.read(device.unit, block, device.timeout_ms))

    async def _write_next(self) -> None:
        device_id = next(iter(self._writes))
        runs = self._writes.pop(device_id)
        device = self._devices[device_id]
        breaker = self._breaker_of(device)
        if not breaker.lets_pass(self._now_ms()):
            return  # the station orders every face again before it goes stale
        try:
            for address, words in runs:
                await self._modbus.write(device.unit, address, words, device.timeout_ms)
        except ModbusFailure as failure:
            self._note_failure(device, breaker, failure)
            return
        self._note_success(device, breaker)
        for job in self.schedule.jobs:  # read back at once
            if job.device is device:
                job.due_ms = self._now_ms()

    def _note_success(self, device: Device, breaker: Breaker) -> None:
        if breaker.failures or self._breaker.failures:
            log.info("reads again", device=device.device_id)
        breaker.succeeded()
        self._breaker.succeeded()

    def _note_failure(self, device: Device, breaker: Breaker, failure: ModbusFailure) -> None:
        now_ms = self._now_ms()
        at_fault = self._breaker if failure.of_the_line else breaker
        if at_fault.failures == 0:
            log.info("no reading", device=device.device_id, kind=failure.kind, note=failure.note)
        at_fault.failed(now_ms)
        if failure.kind is FailureKind.BROKEN:
            # Some serial servers hang up for one dead unit: it shall not cost its neighbours more.
            breaker.failed(now_ms)
        hit = self._devices.values() if failure.of_the_line else (device,)
        for silent in hit:
            self._report(Failure(silent.device_id, failure.kind, self._clock(), failure.note))

    async def _rest_until(self, due_ms: float) -> None:
        self._woken.clear()
        seconds = (due_ms - self._now_ms()) / 1_000
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._woken.wait()
        except TimeoutError:
            return

    def _breaker_of(self, device: Device) -> Breaker:
        return next(job.breaker for job in self.schedule.jobs if job.device is device)

    def _jobs(self) -> Iterable[Job]:
        for device in self._devices.values():
            breaker = _breaker_for(device, self.link)
            register_map = self._config.maps[device.map]
            for purpose in (Purpose.COUNT, Purpose.SPACE, Purpose.FACE, Purpose.HOUSEKEEPING):
                points = tuple(p for p in register_map.points if p.purpose is purpose)
                if points:
                    yield _job(device, purpose, points, register_map, breaker)

    def _now_ms(self) -> float:
        return self._monotonic() * 1_000


def _breaker_for(device: Device, link: Link) -> Breaker:
    """On a bus a silent unit rests at once, as long again as it had to answer.

    Its late reply may still come, also over a new connection through a serial server, and meets
    nobody then: of RTU replies only the unit, the function and the size tell whose they are.
    """
    if link.kind.is_rtu:
        return Breaker(patience=1, first_pause_ms=device.timeout_ms)
    return Breaker()


def _job(
    device: Device,
    purpose: Purpose,
    points: tuple[Point, ...],
    register_map: RegisterMap,
    breaker: Breaker,
) -> Job:
    slow = purpose is Purpose.HOUSEKEEPING
    return Job(
        device=device,
        priority=_priority(purpose),
        period_ms=device.period_ms * (HOUSEKEEPING_PERIODS if slow else 1),
        points=points,
        blocks=blocks_of(register_map, points),
        breaker=breaker,
    )


def _priority(purpose: Purpose) -> Priority:
    match purpose:
        case Purpose.COUNT:
            return Priority.COUNTER
        case Purpose.SPACE:
            return Priority.SPACE
        case Purpose.FACE | Purpose.HOUSEKEEPING:
            return Priority.HOUSEKEEPING
        case _:
            assert_never(purpose)


def runs_of(register_map: RegisterMap, values: Mapping[str, Value]) -> list[Run]:
    """Writes of neighbouring points joined: (address, registers). Raises UnwritableError."""
    points = sorted((register_map.point(name) for name in values), key=lambda p: p.address)
    runs: list[Run] = []
    for point in points:
        if not point.writable:
            raise UnwritableError(f"map {register_map.model} does not let {point.name} be written")
        words = encode(point, values[point.name])
        if runs and runs[-1][0] + len(runs[-1][1]) == point.address:
            runs[-1][1].extend(words)
        else:
            runs.append((point.address, words))
    return runs
