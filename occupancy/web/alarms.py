"""`/v1/alarms` and the truth checks: what is wrong now, what was, and how far counters drift."""

import asyncio
from typing import Annotated

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.process import is_cancelled
from occupancy import alarm_board, database, database_alarms, database_corrections
from occupancy.alarm import NOT_PUBLIC, Alarm, AlarmKind, Severity
from occupancy.alarm_board import AlarmSheet
from occupancy.database_alarms import KeptAlarm
from occupancy.truth_check import TruthCheck
from occupancy.web.events import LiveStream
from occupancy.web.formats import rfc3339
from occupancy.web.lots import known_lot, moment_ms, require_known
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase

LOOK_SECONDS = 0.5
KEEPER_IS_SILENT_MS = 15_000
DEFAULT_SPAN_MS = 7 * 86_400_000
MOST_ALARMS = 1_000
MOST_CHECKS = 400
DATABASE_SECONDS = 15.0
AWAY = "the history database is away; /v1/alarms still tells the open alarms"

log = structlog.get_logger()


class AlarmNow(msgspec.Struct, frozen=True):
    """One alarm; `lot` and `subject` say what it is about, `cleared_at` is null while it lasts."""

    kind: AlarmKind
    lot: str
    subject: str
    severity: Severity
    words: str
    raised_at: str
    cleared_at: str | None


class OpenAlarms(msgspec.Struct, frozen=True):
    """The open alarms; `looked_at` is null, and `is_watched` false, while nobody looks."""

    looked_at: str | None
    is_watched: bool
    alarms: tuple[AlarmNow, ...]


class PastAlarm(AlarmNow, frozen=True):
    """One alarm with what people did about it."""

    id: int
    acknowledged_at: str | None
    acknowledged_by: str | None
    note: str


class PastAlarms(msgspec.Struct, frozen=True):
    """Alarms that lasted at some time of a span, the newest first."""

    alarms: tuple[PastAlarm, ...]


class PastQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A span in RFC 3339, one car park or all."""

    from_: Annotated[str, Meta(description="开始时间，RFC 3339；默认为结束前 7 天")] = ""
    to: Annotated[str, Meta(description="结束时间，RFC 3339；默认为现在")] = ""
    lot: Annotated[str, Meta(description="只看一个停车场")] = ""


class Checked(msgspec.Struct, frozen=True):
    """Counters against machines at one moment; null where one of them was silent."""

    checked_at: str
    asked_by: str
    cars_by_counters: int | None
    cars_by_machines: int | None
    unseen_cars: int
    drift_cars: int | None
    drift_since_last_cars: int | None
    is_beyond_limit: bool


class Checks(msgspec.Struct, frozen=True):
    """A car park's truth checks, the newest first."""

    lot: str
    checks: tuple[Checked, ...]


class Alarms:
    """The open alarms in memory, told on the stream as they change; the past from PostgreSQL."""

    def __init__(self, showcase: Showcase, stream: LiveStream, connections: database.Pool) -> None:
        self.open = AlarmSheet(0, ())
        self._showcase = showcase
        self._stream = stream
        self._connections = connections

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/alarms", self.now, "Open alarms", gives=OpenAlarms, tag="alarms"),
            Route(
                "GET",
                "/v1/alarms/history",
                self.past,
                "Alarms of a span, with when they were raised, cleared and acknowledged",
                gives=PastAlarms,
                query=PastQuery,
                problems=(404, 503),
                tag="alarms",
            ),
            Route(
                "GET",
                "/v1/lots/{lot_id}/truth-checks",
                self.checks,
                "Entries minus exits against the machines, checked every night",
                gives=Checks,
                problems=(404, 503),
                path_about={"lot_id": "as in /v1/lots, e.g. kangle"},
                tag="alarms",
            ),
        ]

    async def now(self, _: web.Request, __: object) -> web.StreamResponse:
        looked_at = rfc3339(self.open.at_ms) if self.open.at_ms else None
        age_ms = self._showcase.now_ms() - self.open.at_ms
        alarms = tuple(told(one) for one in self.open.alarms if is_public(one))
        return _json(OpenAlarms(looked_at, age_ms <= KEEPER_IS_SILENT_MS, alarms))

    async def past(self, _: web.Request, query: PastQuery) -> web.StreamResponse:
        if query.lot:
            require_known(self._showcase, query.lot, "lot")
        to_ms = moment_ms(query.to, "to") if query.to else self._showcase.now_ms()
        from_ms = moment_ms(query.from_, "from") if query.from_ else to_ms - DEFAULT_SPAN_MS
        if to_ms <= from_ms:
            raise Problem(400, "`to` must lie behind `from`", field="to")
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                kept = await database_alarms.list_between(
                    self._connections, from_ms, to_ms, MOST_ALARMS, query.lot or None
                )
        except database.NOT_READY:
            raise Problem(503, AWAY) from None
        return _json(PastAlarms(tuple(_past(one) for one in kept if is_public(one.alarm))))

    async def checks(self, request: web.Request, _: object) -> web.StreamResponse:
        lot_id = known_lot(self._showcase, request)
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                kept = await database_corrections.list_checks(
                    self._connections, lot_id, MOST_CHECKS
                )
        except database.NOT_READY:
            raise Problem(503, AWAY) from None
        return _json(Checks(lot_id, tuple(map(_checked, kept))))

    async def follow(self, redis: Redis) -> None:
        """Look at the open alarms until cancelled; while Redis is away they stay as they were."""
        while not is_cancelled():
            try:
                sheet = await alarm_board.read(redis)
            except (RedisError, OSError, TimeoutError) as trouble:
                log.debug("no alarms: Redis is away", reason=str(trouble))
            else:
                self.take_in(sheet or AlarmSheet(0, ()))
            await asyncio.sleep(LOOK_SECONDS)

    def take_in(self, sheet: AlarmSheet) -> None:
        """Tell readers what was raised and what is over."""
        before = {alarm.key: alarm for alarm in self.open.alarms if is_public(alarm)}
        after = {alarm.key: alarm for alarm in sheet.alarms if is_public(alarm)}
        self.open = sheet
        if not sheet.at_ms:
            return
        for key, alarm in before.items():
            if key not in after:
                over = msgspec.structs.replace(alarm, cleared_at_ms=sheet.at_ms)
                self._stream.tell("alarm", msgspec.json.encode(told(over)))
        for key, alarm in after.items():
            if key not in before:
                self._stream.tell("alarm", msgspec.json.encode(told(alarm)))


def is_public(alarm: Alarm) -> bool:
    """Whether people outside may hear of it; operators hear of every one."""
    return alarm.key.kind not in NOT_PUBLIC


def told(alarm: Alarm) -> AlarmNow:
    cleared_at = None if alarm.cleared_at_ms is None else rfc3339(alarm.cleared_at_ms)
    return AlarmNow(
        *alarm.key, alarm.severity, alarm.words, rfc3339(alarm.raised_at_ms), cleared_at
    )


def _past(kept: KeptAlarm) -> PastAlarm:
    acknowledged = kept.acknowledged_at_ms
    return PastAlarm(
        **msgspec.structs.asdict(told(kept.alarm)),
        id=kept.alarm_id,
        acknowledged_at=None if acknowledged is None else rfc3339(acknowledged),
        acknowledged_by=kept.acknowledged_by,
        note=kept.note,
    )


def _checked(check: TruthCheck) -> Checked:
    return Checked(
        rfc3339(check.checked_at_ms),
        check.asked_by,
        check.cars_by_counters,
        check.cars_by_machines,
        check.unseen_cars,
        check.drift_cars,
        check.drift_since_last_cars,
        check.is_beyond_limit,
    )


def _json(body: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
