"""A Redis URL to a client: one server, Sentinel or Cluster behind the same commands."""

from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.address import without_password
from gateway.redis_cluster import Cluster
from gateway.settings import BadSettingError

SOCKET_SECONDS = 5.0
MOST_CONNECTIONS = 64  # whoever comes when all are in use waits; he is not refused
_PATIENCE: dict[str, Any] = {
    "retry": None,
    "socket_timeout": SOCKET_SECONDS,
    "socket_connect_timeout": SOCKET_SECONDS,
}
_SINGLE = ("redis", "rediss", "unix")
_FORMS = (
    "redis://host:port, rediss://host:port, unix:///path, "
    "redis+sentinel://host:port,host:port/service, redis+cluster://host:port,host:port; "
    "with TLS rediss+sentinel:// and rediss+cluster://, ?ssl_ca_certs=FILE for an own authority"
)


def connect(url: str) -> Redis:
    """A client that connects at its first command and never repeats one by itself.

    What repeats a command must know that it is idempotent; that is for the caller to judge. A
    cluster's client does follow moved slots, and asks the successor of a server that was lost.
    Raises BadSettingError for any other form of URL.
    """
    scheme = url.partition("://")[0]
    if scheme in _SINGLE:
        return _single(url)
    if scheme in ("redis+sentinel", "rediss+sentinel"):
        return _sentinel(url)
    if scheme in ("redis+cluster", "rediss+cluster"):
        return _cluster(url)
    raise BadSettingError(f"ZHIBO_REDIS_URL={without_password(url)!r} is none of {_FORMS}")


def _single(url: str) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=MOST_CONNECTIONS, timeout=SOCKET_SECONDS, **_PATIENCE
        )
    except ValueError:  # its words may quote a part of the password
        raise BadSettingError(
            f"ZHIBO_REDIS_URL={without_password(url)!r} is none of {_FORMS}"
        ) from None
    pool.connection_class = _losing_is_said(pool.connection_class)
    return Redis.from_pool(pool)


def _sentinel(url: str) -> Redis:
    parts = urlsplit(url)
    service = parts.path.strip("/")
    if not service:
        raise BadSettingError(
            f"ZHIBO_REDIS_URL={without_password(url)!r} lacks the service name: {_FORMS}"
        )
    told = {**_PATIENCE, **_encryption(url)}  # the sentinels speak TLS as well
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        _places(url), sentinel_kwargs=told, **told, **_credentials(url)
    )
    client = cast("Redis", sentinels.master_for(service, redis_class=_BehindSentinel))
    pool = client.connection_pool
    pool.connection_class = _losing_is_said(pool.connection_class)
    return client


class _BehindSentinel(Redis):
    """A client that closes what it asked the sentinels with."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001
        await super().aclose(close_connection_pool)
        if isinstance(self.connection_pool, SentinelConnectionPool):
            for sentinel in self.connection_pool.sentinel_manager.sentinels:
                await sentinel.aclose()


def _cluster(url: str) -> Redis:
    nodes = [ClusterNode(host, port) for host, port in _places(url)]
    cluster = Cluster(
        startup_nodes=nodes,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        **_encryption(url),
        **_credentials(url),
    )
    # The commands used here have the same names and answers on a cluster.
    return cast("Redis", cluster)


def is_cluster(redis: Redis) -> bool:
    return isinstance(cast("object", redis), RedisCluster)


def _losing_is_said(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The connection, but writing on one that uvloop has closed raises what a lost one raises."""

    class SayingConnection(kind):  # type: ignore[misc, valid-type]
        async def send_packed_command(
            self,
            command: bytes | str | Iterable[bytes],
            check_health: bool = True,  # noqa: FBT001, FBT002  # as redis-py has it
        ) -> None:
            try:
                await super().send_packed_command(command, check_health)
            except RuntimeError as closed:
                await self.disconnect(nowait=True)
                raise RedisConnectionError(str(closed)) from closed

    return SayingConnection


def _credentials(url: str) -> dict[str, Any]:
    """The user of the data servers: `redis+sentinel://user:password@...`."""
    parts = urlsplit(url)
    given = {"username": parts.username, "password": parts.password}
    return {name: unquote(value) for name, value in given.items() if value}


def _encryption(url: str) -> dict[str, Any]:
    """TLS that checks who answers, by the machine's authorities or by one of our own."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("rediss"):
        return {}
    authority = parse_qs(parts.query).get("ssl_ca_certs", [])
    return {"ssl": True, **({"ssl_ca_certs": authority[0]} if authority else {})}


def _places(url: str) -> list[tuple[str, int]]:
    netloc = urlsplit(url).netloc.rpartition("@")[2]
    try:
        places = [
            (host, int(port or 6379))
            for host, _, port in (place.partition(":") for place in netloc.split(","))
        ]
    except ValueError:
        raise BadSettingError(
            f"ZHIBO_REDIS_URL={without_password(url)!r} is not host:port,..."
        ) from None
    if not all(host for host, _ in places):
        raise BadSettingError(f"ZHIBO_REDIS_URL={without_password(url)!r} names no host: {_FORMS}")
    return places
