"""The operators' live stream: what everybody hears, and how many alarms wait for somebody."""

import asyncio

import msgspec
import structlog
from aiohttp import web
from redis.exceptions import RedisError

from gateway.process import is_cancelled
from occupancy import database, database_alarm_desk
from occupancy.database_alarm_desk import Waiting
from occupancy.live import Quality, Status
from occupancy.web.admin.admin_route import Access, AdminRoute
from occupancy.web.admin.gate import Gate
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.events import LiveStream
from occupancy.web.formats import ClosedNow, LotChange
from occupancy.web.static_files import StaticFiles

LOOK_SECONDS = 1.0
# Hundreds of car parks change many times a second; an eye takes in four pictures a second.
APART_SECONDS = 0.25
SESSION_LOOK_SECONDS = 5.0
REMIND_LOOKS = 10  # a page that came in between hears of it soon

log = structlog.get_logger()


class DeskNews(msgspec.Struct, frozen=True):
    """The alarms that wait for somebody; `number` grows with every change of the desk."""

    waiting: int
    number: int


class LiveNow(msgspec.Struct, frozen=True):
    """The numbers that the pages show of a car park."""

    free: int | None
    usable: int | None
    occupied: int | None
    out_of_service: int | None
    quality: Quality
    observed_at: str | None


class LotNow(msgspec.Struct, frozen=True):
    """What the pages follow of a car park: a tenth of what the public stream says of it."""

    id: str
    status: Status
    live: LiveNow
    closed: ClosedNow | None


def _lot_now(change: LotChange) -> LotNow:
    live = change.live
    return LotNow(
        change.id,
        change.status,
        LiveNow(
            live.free,
            live.usable,
            live.occupied,
            live.out_of_service,
            live.quality,
            live.observed_at,
        ),
        change.closed,
    )


class DeskStream:
    """`/admin/stream`: ended as soon as its session is."""

    def __init__(self, ground: AdminGround, gate: Gate, worker: StaticFiles) -> None:
        self.stream = LiveStream(ground.showcase, _lot_now, APART_SECONDS)
        self._ground = ground
        self._gate = gate
        self._worker = worker
        self._listening: dict[asyncio.Transport, str] = {}  # the key of each one's session
        self._number = 0
        self.waiting = 0

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/stream", self.answer, Access.LOGGED_IN),
            AdminRoute("GET", "/admin/live-worker.js", self.script, Access.LOGGED_IN),
        ]

    def tell_all(self) -> None:
        """Something on the desk was changed: every page looks again."""
        self._number += 1
        self._say()

    async def answer(self, visit: Visit) -> web.StreamResponse:
        transport = visit.request.transport
        if transport is None:  # gone before we began
            return await self.stream.answer(visit.request, None)
        self._listening[transport] = visit.session_key
        try:
            return await self.stream.answer(visit.request, None)
        finally:
            del self._listening[transport]

    async def script(self, visit: Visit) -> web.StreamResponse:
        """One address for ever: a browser runs one shared worker an address."""
        return self._worker.answer_plain(visit.request, "live-worker.js")

    async def keep_telling(self) -> None:
        """Say what has changed on the desk, in this worker or another, until cancelled."""
        looks, before = 0, None
        while not is_cancelled():
            now = await self._look()
            self.waiting = now.alarms
            if before is not None and now != before:
                self._number += 1
            if now != before or looks % REMIND_LOOKS == 0:
                self._say()
            before, looks = now, looks + 1
            await asyncio.sleep(LOOK_SECONDS)

    async def keep_watching(self) -> None:
        """Whoever is logged out, locked or idle for too long hears nothing more, until cancelled.

        While Redis is away nobody can say whose session has ended; the heartbeats tell that.
        """
        while not is_cancelled():
            await asyncio.sleep(SESSION_LOOK_SECONDS)
            try:
                await self.end_the_dead()
            except RedisError as trouble:
                log.debug("sessions of streams were not looked at", reason=str(trouble))

    async def end_the_dead(self) -> None:
        """All operators in one question; their sessions one by one, so that pages come between."""
        if self._listening:
            await self._gate.know_all()
        for transport, key in list(self._listening.items()):
            if not await self._may_listen(key):
                transport.close()

    async def _may_listen(self, key: str) -> bool:
        """Not where PostgreSQL has been away for too long to trust anybody."""
        try:
            return await self._gate.find(key) is not None
        except database.NOT_READY:
            return False

    async def _look(self) -> Waiting:
        """Without PostgreSQL every open alarm waits."""
        alarms = self._ground.alarms.open.alarms
        try:
            return await database_alarm_desk.read_waiting(self._ground.connections)
        except database.NOT_READY:
            return Waiting(len(alarms), len(alarms))

    def _say(self) -> None:
        news = DeskNews(self.waiting, self._number)
        self.stream.tell("desk", msgspec.json.encode(news))
