"""A Redis Cluster behind the commands of one server; what of it is away is lost like a server."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from redis.asyncio.cluster import ClusterPipeline, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException, SlotNotCoveredError

LOOK_AGAIN_SECONDS = 0.1  # at streams that lie apart, for which nobody can wait together


class Cluster(RedisCluster):
    """A cluster that is away, or a part of it, is lost like any other server: it is tried again."""

    async def initialize(
        self,
        additional_startup_nodes_info: list[tuple[str, int]] | None = None,
        last_failed_node_name: str | None = None,
    ) -> RedisCluster:
        try:
            return await super().initialize(additional_startup_nodes_info, last_failed_node_name)
        except RedisClusterException as away:
            raise RedisConnectionError(str(away)) from away

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        with _losing_a_node_is_said():
            return await super().execute_command(*args, **kwargs)

    def pipeline(
        self,
        transaction: Any = None,  # noqa: ANN401
        shard_hint: Any = None,  # noqa: ANN401, ARG002
    ) -> ClusterPipeline:
        return _Round(self, transaction)  # type: ignore[abstract]  # redis-py's own is no better

    async def xread(  # type: ignore[override]
        self, streams: Mapping[Any, Any], count: int | None = None, block: int | None = None
    ) -> Any:  # noqa: ANN401
        """Of streams that lie apart, too, which no server can wait for: then we look again."""
        if len(streams) == 1:
            return await super().xread(dict(streams), count=count, block=block)
        clock = asyncio.get_running_loop().time
        until_seconds = clock() + (block or 0) / 1_000
        while True:
            round_ = self.pipeline()
            for key, after in streams.items():
                round_.xread({key: after}, count=count)
            told = [part for answer in await round_.execute() for part in _parts(answer)]
            if told or clock() >= until_seconds:
                return told
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


class _Round(ClusterPipeline):
    async def execute(
        self,
        raise_on_error: bool = True,  # noqa: FBT001, FBT002  # as redis-py has it
        allow_redirections: bool = True,  # noqa: FBT001, FBT002
    ) -> list[Any]:
        with _losing_a_node_is_said():
            return await super().execute(raise_on_error, allow_redirections)


@contextlib.contextmanager
def _losing_a_node_is_said() -> Iterator[None]:
    """Slots nobody serves until a replica is promoted, and connections that uvloop has closed."""
    try:
        yield
    except (SlotNotCoveredError, RuntimeError) as lost:
        raise RedisConnectionError(str(lost)) from lost


def _parts(answer: Any) -> list[Any]:  # noqa: ANN401
    """Each stream with its entries, of an answer of RESP2 (list) or RESP3 (map)."""
    if isinstance(answer, dict):
        return [[key, [entry for part in parts for entry in part]] for key, parts in answer.items()]
    return list(answer or ())
