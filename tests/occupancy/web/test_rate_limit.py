"""An address that asks too often waits; no proxy can be made up, and nobody pays for another."""

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from occupancy.web.addresses import nearest_stranger, networks
from occupancy.web.rate_limit import MOST_ADDRESSES, RateLimits
from tests.builders import MORNING_MS
from tests.occupancy.web.faces import Clock, served

OURS = networks("127.0.0.1, 10.0.0.0/8, fd00::/8")
FAR = st.ip_addresses(v=4).map(str).filter(lambda ip: not ip.startswith(("10.", "127.")))


def limits(reads: int = 3, writes: int = 1) -> tuple[RateLimits, Clock]:
    clock = Clock()
    return RateLimits(clock, reads, writes), clock


def taken(one: RateLimits, address: str, times: int, *, is_write: bool = False) -> int:
    return sum(one.take(address, is_write=is_write) for _ in range(times))


def test_so_many_a_minute_and_no_more() -> None:
    one, clock = limits()
    assert taken(one, "1.2.3.4", 5) == 3
    assert taken(one, "1.2.3.4", 5, is_write=True) == 1
    assert taken(one, "5.6.7.8", 5) == 3
    clock.now_ms = MORNING_MS + 60_000
    assert taken(one, "1.2.3.4", 5) == 3


def test_more_addresses_than_can_be_remembered_share_one_place() -> None:
    one, _ = limits(reads=1)
    for number in range(MOST_ADDRESSES + 10):
        one.take(f"a{number}", is_write=False)
    assert len(one._unsaid) == MOST_ADDRESSES + 1  # noqa: SLF001


async def test_all_workers_together_keep_the_limit(redis: Redis) -> None:
    (one, _), (two, _) = limits(), limits()
    assert taken(one, "1.2.3.4", 2) == 2
    await one.share(redis)
    assert taken(two, "1.2.3.4", 1) == 1
    await two.share(redis)
    assert taken(two, "1.2.3.4", 5) == 0
    assert taken(one, "1.2.3.4", 1) == 1, "it learns of the others when it shares next"
    await one.share(redis)
    assert taken(one, "1.2.3.4", 5) == 0


@given(FAR, st.lists(FAR, max_size=3))
def test_what_a_stranger_says_of_himself_is_not_heard(stranger: str, made_up: list[str]) -> None:
    """Whatever he sends, our proxy adds his true address behind it."""
    assert nearest_stranger(stranger, made_up, OURS) == stranger
    line = ", ".join([*made_up, stranger])
    assert nearest_stranger("127.0.0.1", [line], OURS) == stranger
    assert nearest_stranger("10.1.2.3", [*made_up, f"{stranger}, 10.9.9.9"], OURS) == stranger


def test_without_proxies_only_the_peer_counts() -> None:
    assert nearest_stranger("127.0.0.1", ["1.2.3.4"], ()) == "127.0.0.1"
    assert nearest_stranger("127.0.0.1", [], OURS) == "127.0.0.1"
    assert nearest_stranger("127.0.0.1", ["not an address"], OURS) == "not an address"
    with pytest.raises(ValueError, match="300"):
        networks("300.1.1.1")


async def test_who_asks_too_often_is_told_when_to_come_again(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with served(connections=connections, redis=redis, proxies="127.0.0.1", reads=2) as here:
        for status in (200, 200, 429):
            async with here.http.get(
                here.url("/v1/lots"), headers={"X-Forwarded-For": "9.9.9.9"}
            ) as answer:
                assert answer.status == status
        assert answer.headers["Retry-After"] == "60"
        assert answer.content_type == "application/problem+json"
        await here.get("/v1/lots")  # from this machine
        await here.get("/v1/lots", 200, **{"X-Forwarded-For": "8.8.8.8"})
        await here.get("/healthz", 200, **{"X-Forwarded-For": "9.9.9.9"})
