"""How the service itself is doing, for somebody on duty without a shell."""

import msgspec
from aiohttp import web
from redis.exceptions import RedisError

from gateway.certificate import DAY_SECONDS, Term, trouble_of
from occupancy import database, history
from occupancy.certificates import NOT_YET
from occupancy.permissions import Permission
from occupancy.reading import STATE_WORDS
from occupancy.replica import ReplicaState
from occupancy.web.admin import words
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit
from occupancy.web.alarms import KEEPER_IS_SILENT_MS

BEHIND_MS = 60_000


class Part(msgspec.Struct, frozen=True):
    """One part of the service."""

    name: str
    is_well: bool
    words: str


class HealthPage:
    """`/admin/health`."""

    def __init__(self, ground: AdminGround, desk: DeskStream) -> None:
        self._ground = ground
        self._desk = desk

    def routes(self) -> list[AdminRoute]:
        return [AdminRoute("GET", "/admin/health", self.page, Permission.SEE)]

    async def page(self, visit: Visit) -> web.StreamResponse:
        parts = [
            await self._redis(),
            await self._postgres(),
            *self._replica(),
            *(_certificate(term, visit.now_ms) for term in self._ground.certificates.terms),
            self._alarm_keeper(visit.now_ms),
            *self._gateways(visit),
        ]
        readers = f"{self._desk.stream.readers} 个浏览器连着实时数据（本进程）"
        return visit.page("health.html", parts=[*parts, Part("网页服务", True, readers)])  # noqa: FBT003

    async def _redis(self) -> Part:
        try:
            await self._ground.redis.ping()
        except (RedisError, OSError, TimeoutError) as trouble:
            return Part("Redis", is_well=False, words=f"连接不上：{trouble}")
        return Part("Redis", is_well=True, words="能读写")

    async def _postgres(self) -> Part:
        try:
            watermarks = await history.list_watermarks(self._ground.connections)
        except database.NOT_READY as trouble:
            return Part("PostgreSQL", is_well=False, words=f"连接不上：{trouble}")
        return Part("PostgreSQL", is_well=True, words=f"{len(watermarks)} 个车场有历史记录")

    def _replica(self) -> list[Part]:
        """Nothing where none is set."""
        reading = self._ground.reading
        if reading is None or reading.standing.state is ReplicaState.NONE:
            return []
        standing = reading.standing
        lag = "" if standing.lag_ms is None else f"（落后 {standing.lag_ms / 1_000:.1f} 秒）"
        return [Part("PostgreSQL 副本", standing.serves, STATE_WORDS[standing.state] + lag)]

    def _alarm_keeper(self, now_ms: int) -> Part:
        looked_at_ms = self._ground.alarms.open.at_ms
        if not looked_at_ms:
            return Part("告警巡查", is_well=False, words="还没有巡查过：没有记录进程在运行")
        age_ms = now_ms - looked_at_ms
        return Part("告警巡查", age_ms <= KEEPER_IS_SILENT_MS, f"{words.age(age_ms)} 前巡查过")

    def _gateways(self, visit: Visit) -> list[Part]:
        pictures = self._ground.showcase.pictures
        return [
            self._gateway(lot.short_name, visit.now_ms, pictures.get(lot.id))
            for lot in self._ground.lots_of(visit)
        ]

    def _gateway(self, name: str, now_ms: int, picture: object) -> Part:
        observed_at_ms = getattr(picture, "observed_at_ms", None)
        if observed_at_ms is None:
            return Part(f"{name} 网关", is_well=False, words="还没有收到数据")
        age_ms = now_ms - observed_at_ms
        return Part(f"{name} 网关", age_ms < BEHIND_MS, f"{words.age(age_ms)} 前的读数")


def _certificate(term: Term, now_ms: int) -> Part:
    """Bad from the day on which `zhibo doctor` names it."""
    name = f"证书 {term.endpoint.place}（{term.endpoint.setting}）"
    return Part(name, not trouble_of(term, now_ms), _term_words(term, now_ms))


def _term_words(term: Term, now_ms: int) -> str:
    if term.expires_ms is None:
        return "还没有看过" if term.trouble == NOT_YET else f"看不到证书：{term.trouble}"
    when, seconds = words.minute(term.expires_ms), term.seconds_left(now_ms)
    if seconds <= 0:
        return f"已于 {when} 到期：换新证书，让服务重新读取"
    days = int(seconds // DAY_SECONDS)
    return f"还有 {days} 天到期（{when}）"
