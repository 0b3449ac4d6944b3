"""Guidance on a real Redis Cluster of three: every script stays on one slot."""

from pathlib import Path

from gateway.redis_client import connect
from routing import promise_store
from tests.gateway.redis_kinds import cluster
from tests.routing.town import AsNow, running

HOSPITAL = "三水区人民医院"


async def test_a_driver_is_guided_from_question_to_arrival(tmp_path: Path) -> None:
    async with cluster(tmp_path) as nodes:
        places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        async with (
            connect(f"redis+cluster://{places}") as redis,
            running(redis, forecasts=AsNow()) as town,
        ):
            answer = await town.asked(destination=HOSPITAL, driver="d1")
            assert [note["code"] for note in answer["notes"]] == ["no_origin"]
            assert await town.asked(destination=HOSPITAL, driver="d1") == answer
            moved = await town.trips.choose(answer["trip"], "zhanqian")
            assert moved is not None
            held = await promise_store.read(redis, list(town.showcase.lots))
            assert {lot_id for lot_id, lot in held.items() if lot.promises} == {"zhanqian"}
            assert await town.trips.match_entries() == []
            town.clock.now_ms += 11 * 60_000
            town.see("zhanqian", 59, entries=1)
            assert await town.trips.match_entries() == [answer["trip"]]
