"""A Redis Cluster over TLS: a primary is cut off, and no car and no answer is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.crc import key_slot

from gateway.stream import now_key
from tests.gateway.redis_kinds import SLOTS
from tests.machines.borrowed import some_district
from tests.machines.district import District, Plan
from tests.machines.failover import has_quality, is_whole
from tests.machines.readers import reading
from tests.machines.redis_machines import PRIMARIES, SERVERS, Kind
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)
LOTS = ("kangle", "sanda", "zhanqian")
WEB = "web-1"
CUT, ITS_REPLICA = SERVERS[Kind.CLUSTER][1], SERVERS[Kind.CLUSTER][1 + PRIMARIES]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[District]:
    plan = Plan(Kind.CLUSTER, LOTS, (WEB,), has_replica=False)
    async with some_district(tmp_path, plan) as made:
        yield made


async def test_a_clusters_primary_that_is_cut_off_costs_no_car_and_no_answer(
    town: District,
) -> None:
    await town.drive(5)
    await until(town.is_true, within_seconds=30)
    before, moved = await town.settled(), await town.moved()
    async with reading(town.web(WEB)) as readers:
        await town.network.cut(CUT)
        await town.drive(5)
        await until(lambda: town.redis.is_primary(ITS_REPLICA), within_seconds=60)
        await is_whole(town, before, moved)
        before, moved = await town.settled(), await town.moved()
        await town.network.mend(CUT)
        await until(lambda: town.redis.is_following(CUT), within_seconds=60)
        await town.drive(5)
        await is_whole(town, before, moved)
        await until(lambda: has_quality(town, "counted"), within_seconds=30)
    assert readers.answers > 50
    assert readers.failed == []


def test_each_car_park_lies_on_another_primary() -> None:
    assert {key_slot(now_key(lot_id).encode()) * PRIMARIES // SLOTS for lot_id in LOTS} == set(
        range(PRIMARIES)
    )
