"""A district on eleven machines: numbers arrive, gateways are apart, cables may be cut."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.exceptions import NoPermissionError

from gateway import stream
from gateway.redis_client import connect
from tests.machines.borrowed import some_district
from tests.machines.district import District, Plan, edge_of
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
REPLICA_SERVES = 'zhibo_replica_state{state="serving"} 1.0'
REPLICA_AWAY = 'zhibo_replica_state{state="away"} 1.0'
LONE = "kangle"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[District]:
    async with some_district(tmp_path_factory.mktemp("district"), Plan()) as made:
        yield made


async def _tells(town: District, line: str) -> bool:
    async with town.http.get(town.web("web-1") + "/metrics") as answer:
        return line in await answer.text()


async def test_the_towns_numbers_arrive_over_tls_at_every_worker(town: District) -> None:
    await town.drive(20)
    await until(town.is_true, within_seconds=30)


async def test_a_gateway_is_refused_at_anothers_stream(town: District) -> None:
    async with connect(town.redis.url("gateway-kangle")) as redis:
        with pytest.raises(NoPermissionError):
            await stream.read_held(redis, "sanda")
        assert await stream.read_held(redis, "kangle") is not None


async def test_a_cut_cable_loses_and_doubles_nothing(town: District) -> None:
    before = await town.settled()
    moved = await town.moved()
    for machine in ("recorder", "redis"):
        await town.network.cut(machine)
        await town.drive(5)
        await town.network.mend(machine)
    moved = await town.moved() - moved

    async def is_whole() -> bool:
        return await town.recorded() == before + moved

    await until(is_whole, within_seconds=60)
    await until(town.is_true, within_seconds=30)


async def test_one_car_parks_cable_touches_no_other_car_park(town: District) -> None:
    before, moved = await town.settled(), await town.moved()
    kept = (await town.lots())[LONE]["observed_at"]
    passed = await _passed(town, LONE)
    await town.network.cut(edge_of(LONE))
    while await _passed(town, LONE) < passed + 2:
        await town.drive(5)

    async def others_are_true() -> bool:
        return await town.false_lots() <= {LONE}

    await until(others_are_true, within_seconds=30)
    assert (await town.lots())[LONE]["observed_at"] <= kept, "what it told last, with its age"
    assert await town.recorded() < before + await town.moved() - moved
    await town.network.mend(edge_of(LONE))
    moved = await town.moved() - moved

    async def is_whole() -> bool:
        return await town.recorded() == before + moved

    await until(is_whole, within_seconds=60)
    await until(town.is_true, within_seconds=30)


async def _passed(town: District, lot_id: str) -> int:
    lot = (await town.truth())[lot_id]
    return int(lot["entries"] + lot["exits"])


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
