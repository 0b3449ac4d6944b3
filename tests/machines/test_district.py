"""A district on seven machines: numbers arrive, gateways are apart, cables may be cut."""

import asyncio
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from redis.exceptions import NoPermissionError

from gateway import stream
from gateway.redis_client import connect
from tests.machines.district import SPEED, District, district
from tests.machines.namespaces import ForbiddenHereError, NoNamespacesError
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
REPLICA_SERVES = 'zhibo_replica_state{state="serving"} 1.0'
LOOKS = 4
REPLICA_AWAY = 'zhibo_replica_state{state="away"} 1.0'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[District]:
    try:
        async with district(tmp_path_factory.mktemp("district")) as made:
            yield made
    except NoNamespacesError as reason:
        if os.environ.get("CI") and not isinstance(reason, ForbiddenHereError):  # noqa: TID251
            raise
        pytest.skip(str(reason))


async def _drive(town: District, cars: int) -> None:
    """Let cars move until so many more have come or gone, then let the town stand still."""
    before = await _moved(town)
    await town.field("POST", "/clock", f'{{"speed": {SPEED}}}')

    async def are_enough() -> bool:
        return await _moved(town) >= before + cars

    await until(are_enough, within_seconds=60)
    await town.field("POST", "/clock", '{"speed": 0}')


async def _moved(town: District) -> int:
    lots = (await town.field("GET", "/truth"))["lots"]
    return sum(lot["entries"] + lot["exits"] for lot in lots)


async def _recorded(town: District) -> int:
    """Entries and exits as history has them, from each car park's newest row."""
    connection = await asyncpg.connect(town.postgres_url("primary"), timeout=5)
    try:
        return int(
            await connection.fetchval(
                "SELECT sum(entries_total + exits_total) FROM (SELECT DISTINCT ON (lot_id) * FROM "
                "observation ORDER BY lot_id, epoch DESC, sequence DESC) AS newest"
            )
        )
    finally:
        await connection.close()


async def _settled(town: District) -> int:
    """The same, once it has stood still for longer than history waits between two looks."""
    seen: list[int] = []

    async def stands_still() -> bool:
        await asyncio.sleep(1)
        seen.append(await _recorded(town))
        return len(seen) > LOOKS and len(set(seen[-LOOKS:])) == 1

    await until(stands_still, within_seconds=60)
    return seen[-1]


async def _tells(town: District, line: str) -> bool:
    async with town.http.get(town.web("web-1") + "/metrics") as answer:
        return line in await answer.text()


async def _agrees(town: District) -> bool:
    return await town.is_true("web-1") and await town.is_true("web-2")


async def test_the_towns_numbers_arrive_over_tls_at_every_worker(town: District) -> None:
    await _drive(town, 20)
    await until(lambda: _agrees(town), within_seconds=30)


async def test_a_gateway_is_refused_at_anothers_stream(town: District) -> None:
    async with connect(town.redis_url("gateway-kangle")) as redis:
        with pytest.raises(NoPermissionError):
            await stream.read_held(redis, "sanda")
        assert await stream.read_held(redis, "kangle") is not None


async def test_a_cut_cable_loses_and_doubles_nothing(town: District) -> None:
    before = await _settled(town)
    moved = await _moved(town)
    for machine in ("edge", "recorder", "redis"):
        await town.network.cut(machine)
        await _drive(town, 5)
        await town.network.mend(machine)
    moved = await _moved(town) - moved

    async def is_whole() -> bool:
        return await _recorded(town) == before + moved

    await until(is_whole, within_seconds=60)
    await until(lambda: _agrees(town), within_seconds=30)


async def test_histories_are_read_from_the_replica_and_from_the_primary_when_it_dies(
    town: District,
) -> None:
    await until(lambda: _tells(town, REPLICA_SERVES))
    history = town.web("web-1") + "/v1/lots/kangle/history"
    assert (await town.get(history))["lot"] == "kangle"
    await town.network.cut("replica")
    async with asyncio.timeout(10):
        assert (await town.get(history))["lot"] == "kangle", "whoever asks meanwhile is answered"
    await until(lambda: _tells(town, REPLICA_AWAY))
    assert (await town.get(history))["lot"] == "kangle"
    await town.network.mend("replica")
    await until(lambda: _tells(town, REPLICA_SERVES), within_seconds=60)
