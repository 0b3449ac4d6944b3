"""Checks PostgreSQL and Redis as the service would use them, each with its cure."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.doctor import Finding

LEAST_REDIS = (7, 0)
REDIS_CURE = "start Redis 7 or Valkey 8 there, or set ZHIBO_REDIS_URL; `zhibo up` embeds one"


async def check_redis(redis: Redis, url: str) -> Finding:
    """Reachable, new enough, and taking writes: a full disk refuses them while reads go on."""
    thing = f"Redis {url}"
    try:
        server = await redis.info("server")
        await redis.set("zhibo:v1:doctor", "1", ex=10)
    except (RedisError, OSError) as failure:
        return Finding(thing, str(failure), REDIS_CURE)
    version = str(server["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_REDIS:
        return Finding(thing, f"version {version} is too old", REDIS_CURE)
    return Finding(f"{thing} (version {version})")
