"""Heavy reads go to a replica of PostgreSQL while it keeps up, otherwise to the primary."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import structlog

from gateway.process import is_cancelled
from occupancy import database
from occupancy.alarm import AlarmKind, Condition, Key
from occupancy.database import Connection, Pool
from occupancy.replica import (
    NO_REPLICA,
    ReplicaSettings,
    ReplicaState,
    Sight,
    Standing,
    step,
)
from occupancy.vital_signs import DISTRICT

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 2.0  # a replica that is silent for longer is away
_WHERE_PRIMARY = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"
_WHERE_REPLICA = (
    "SELECT CASE WHEN pg_is_in_recovery() "
    "THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END"
)
STATE_WORDS = {
    ReplicaState.NONE: "没有设置只读副本",
    ReplicaState.UNSEEN: "正在确认副本是否跟得上，报表先读主库",
    ReplicaState.SERVING: "报表等大查询读副本",
    ReplicaState.LAGGING: "副本落后，报表改读主库",
    ReplicaState.AWAY: "副本连接不上，报表改读主库",
    ReplicaState.PROMOTED: "副本已被提升为主库，不再读它；请检查 ZHIBO_POSTGRES_REPLICA_URL",
}

log = structlog.get_logger()


class Reading:
    """Answers like a pool to whoever only reads. `clock` is UTC milliseconds.

    What was written a moment ago may be missing in an answer: whoever shows what somebody has
    just edited asks the primary.
    """

    def __init__(
        self,
        primary: Pool,
        replica: Pool | None = None,
        lag_seconds: int = NO_REPLICA.lag_seconds,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        self._primary = primary
        self._replica = replica
        self._limit_ms = lag_seconds * 1_000
        self._clock = clock
        self._in_use: set[Connection] = set()
        self.standing = Standing(ReplicaState.NONE if replica is None else ReplicaState.UNSEEN)
        self.fallbacks = 0

    @property
    def pool(self) -> Pool:
        """It has of a pool what single questions need: fetch, fetchrow, fetchval."""
        return cast("Pool", self)

    async def fetch(self, query: str, *arguments: object) -> Any:  # noqa: ANN401  # as asyncpg
        return await self._ask("fetch", query, *arguments)

    async def fetchrow(self, query: str, *arguments: object) -> Any:  # noqa: ANN401
        return await self._ask("fetchrow", query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:  # noqa: ANN401
        return await self._ask("fetchval", query, *arguments)

    async def _ask(self, how: str, query: str, *arguments: object) -> Any:  # noqa: ANN401
        if self._replica is not None and self.standing.serves:
            try:
                async with self._replica.acquire(timeout=PATIENCE_SECONDS) as connection:
                    with _Noted(self._in_use, connection):
                        return await getattr(connection, how)(query, *arguments)
            except database.FAILED_ON_REPLICA as trouble:
                self.fallbacks += 1
                log.warning("the primary answers what the replica could not", reason=str(trouble))
        return await getattr(self._primary, how)(query, *arguments)

    async def keep_looking(self) -> None:
        """Look at both servers until cancelled; without a replica there is nothing to see."""
        while self._replica is not None and not is_cancelled():
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        if self._replica is None:
            return
        async with asyncio.TaskGroup() as group:
            ours = group.create_task(_where(self._primary, _WHERE_PRIMARY), name="primary")
            theirs = group.create_task(_where(self._replica, _WHERE_REPLICA), name="replica")
        answered, replayed = theirs.result()
        sight = Sight(ours.result()[1], replayed, is_promoted=answered and replayed is None)
        before, now_ms = self.standing, self._clock()
        self.standing = step(before, sight, now_ms, self._limit_ms)
        if before.state is not self.standing.state:
            lag = self.standing.lag_ms
            log.info("the replica", is_now=self.standing.state.value, lag_ms=lag)
        if before.serves and self.standing.state is ReplicaState.AWAY:
            await self._let_go(self._replica)

    async def _let_go(self, replica: Pool) -> None:
        """Whoever waits for an answer of a server that is gone asks the primary now."""
        for connection in tuple(self._in_use):
            connection.terminate()
        await replica.expire_connections()


class _Noted:
    """A connection that is in use until the block ends."""

    def __init__(self, in_use: set[Connection], connection: Connection) -> None:
        self._in_use = in_use
        self._connection = connection

    def __enter__(self) -> None:
        self._in_use.add(self._connection)

    def __exit__(self, *_: object) -> None:
        self._in_use.discard(self._connection)


@asynccontextmanager
async def reading(
    primary: Pool, settings: ReplicaSettings, clock: Callable[[], int], role: str = ""
) -> AsyncIterator[Reading]:
    """Until the block ends; somebody must run `keep_looking` beside it."""
    if not settings.url:
        yield Reading(primary)
        return
    async with database.pool(settings.url, role) as replica:
        yield Reading(primary, replica, settings.lag_seconds, clock)


def replica_conditions(standing: Standing) -> list[Condition]:
    """What may be worth an alarm: seconds behind, endless while it does not answer."""
    if standing.state is ReplicaState.NONE:
        return []
    lag_ms = standing.lag_ms
    gone = standing.state in (ReplicaState.AWAY, ReplicaState.PROMOTED)
    seconds = float("inf") if gone else (lag_ms or 0) / 1_000
    key = Key(AlarmKind.REPLICA_BEHIND, DISTRICT, "")
    return [Condition(key, seconds, STATE_WORDS[standing.state])]


async def _where(pool: Pool, query: str) -> tuple[bool, int | None]:
    """Whether the server answered, and what."""
    try:
        async with pool.acquire(timeout=PATIENCE_SECONDS) as connection:
            return True, await connection.fetchval(query, timeout=PATIENCE_SECONDS)
    except database.FAILED_ON_REPLICA:
        return False, None
