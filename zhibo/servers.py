"""Work with PostgreSQL, or with Redis and PostgreSQL, for as long as one command takes."""

import asyncio
from typing import TYPE_CHECKING, TypeVar

import gateway.config
import occupancy.config
from zhibo.command import Environ
from zhibo.environ import needed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from redis.asyncio import Redis

    from occupancy.database import Pool

T = TypeVar("T")


def with_database(environ: Environ, work: "Callable[[Pool], Awaitable[T]]") -> T:
    from occupancy.database import pool

    postgres_url = needed(occupancy.config.POSTGRES_URL, environ)

    async def run() -> T:
        async with pool(postgres_url) as connections:
            return await work(connections)

    return asyncio.run(run())


def with_redis(environ: Environ, work: "Callable[[Redis], Awaitable[T]]") -> T:
    from gateway.redis_client import connect

    redis_url = needed(gateway.config.REDIS_URL, environ)

    async def run() -> T:
        async with connect(redis_url) as redis:
            return await work(redis)

    return asyncio.run(run())


def with_servers(environ: Environ, work: "Callable[[Redis, Pool], Awaitable[T]]") -> T:
    from gateway.redis_client import connect
    from occupancy.database import pool

    redis_url = needed(gateway.config.REDIS_URL, environ)
    postgres_url = needed(occupancy.config.POSTGRES_URL, environ)

    async def run() -> T:
        async with connect(redis_url) as redis, pool(postgres_url) as connections:
            return await work(redis, connections)

    return asyncio.run(run())
