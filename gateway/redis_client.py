"""A Redis URL to a client: one server, Sentinel or Cluster behind the same commands."""

from typing import cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.sentinel import Sentinel

from gateway.settings import BadSettingError

SOCKET_SECONDS = 5.0
_SINGLE = ("redis", "rediss", "unix")
_FORMS = (
    "redis://host:port, rediss://host:port, unix:///path, "
    "redis+sentinel://host:port,host:port/service, redis+cluster://host:port,host:port"
)


def connect(url: str) -> Redis:
    """A client that connects at its first command and never repeats one by itself.

    What repeats a command must know that it is idempotent; that is for the caller to judge.
    Raises BadSettingError for a URL that is none of the known forms.
    """
    scheme = url.partition("://")[0]
    if scheme in _SINGLE:
        return Redis.from_url(
            url, retry=None, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS
        )
    if scheme == "redis+sentinel":
        return _sentinel(url)
    if scheme == "redis+cluster":
        return _cluster(url)
    raise BadSettingError(f"ZHIBO_REDIS_URL={url!r} is none of {_FORMS}")


def _sentinel(url: str) -> Redis:
    parts = urlsplit(url)
    service = parts.path.strip("/")
    if not service:
        raise BadSettingError(f"ZHIBO_REDIS_URL={url!r} lacks the service name: {_FORMS}")
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        _places(parts.netloc), sentinel_kwargs={"socket_timeout": SOCKET_SECONDS}, retry=None
    )
    return cast("Redis", sentinels.master_for(service, socket_timeout=SOCKET_SECONDS))


def _cluster(url: str) -> Redis:
    nodes = [ClusterNode(host, port) for host, port in _places(urlsplit(url).netloc)]
    # The commands used here have the same names and answers on a cluster.
    return cast("Redis", RedisCluster(startup_nodes=nodes, socket_timeout=SOCKET_SECONDS))


def _places(netloc: str) -> list[tuple[str, int]]:
    try:
        return [
            (host, int(port or 6379))
            for host, _, port in (place.partition(":") for place in netloc.split(","))
        ]
    except ValueError:
        raise BadSettingError(f"ZHIBO_REDIS_URL: {netloc!r} is not host:port,...") from None
