"""Redis behind Sentinel over TLS: a primary is cut off, and no car and no answer is lost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults import stepped_clock
from tests.machines.borrowed import some_district
from tests.machines.district import District, Plan
from tests.machines.failover import has_quality, is_whole
from tests.machines.readers import reading
from tests.machines.redis_machines import SENTINELS, SERVERS, Kind
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
LOTS = ("kangle", "sanda", "zhanqian")
LONGER_THAN_FRESH_MS = 100_000
WEB = "web-1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[District]:
    plan = Plan(Kind.SENTINEL, LOTS, (WEB,), has_replica=False)
    async with some_district(tmp_path_factory.mktemp("failover"), plan) as made:
        await until(made.redis.is_watched, within_seconds=60)
        yield made


async def _roles(town: District) -> tuple[str, str]:
    """Which server is the primary now, and which one follows it."""
    primary = await town.redis.find_primary()
    (replica,) = set(SERVERS[Kind.SENTINEL]) - {primary}
    await until(lambda: town.redis.is_following(replica), within_seconds=60)
    return primary, replica


async def _promoted(town: District, replica: str) -> None:
    async def is_promoted() -> bool:
        return await town.redis.find_primary() == replica

    await until(is_promoted, within_seconds=60)


async def test_a_primary_that_is_cut_off_costs_no_car_and_no_answer(town: District) -> None:
    primary, replica = await _roles(town)
    await town.drive(5)
    await until(town.is_true, within_seconds=30)
    before, moved = await town.settled(), await town.moved()
    async with reading(town.web(WEB)) as readers:
        await town.network.cut(primary)
        stepped_clock.step(town.clock_file, LONGER_THAN_FRESH_MS)  # as if it lasted so long
        await until(lambda: has_quality(town, "stale"))
        stepped_clock.step(town.clock_file, 0)
        await town.drive(5)
        await _promoted(town, replica)
        await is_whole(town, before, moved)
        await until(lambda: has_quality(town, "counted"), within_seconds=30)
        before, moved = await town.settled(), await town.moved()
        await town.network.mend(primary)
        await until(lambda: town.redis.is_following(primary), within_seconds=60)
        await town.drive(5)
        await is_whole(town, before, moved)
    assert readers.answers > 50
    assert readers.failed == []


async def test_what_a_primary_took_and_lost_is_told_again(town: District) -> None:
    """A split: gateways and readers still reach the primary, sentinels and recorder do not."""
    primary, replica = await _roles(town)
    others = (replica, "recorder", *SENTINELS)
    before, moved = await town.settled(), await town.moved()
    async with reading(town.web(WEB)) as readers:
        await town.network.part(primary, others)
        await town.drive(5)
        await _promoted(town, replica)
        await town.drive(5)
        # Mostly it stands still: they told who will be thrown away. A gateway whose link broke off
        # meanwhile has asked the sentinels, and what it tells them is recorded already.
        assert await town.settled() >= before
        await town.network.rejoin(primary, others)
        await until(lambda: town.redis.is_following(primary), within_seconds=60)
        await is_whole(town, before, moved)
    assert readers.failed == []
