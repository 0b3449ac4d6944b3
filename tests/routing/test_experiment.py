"""An experiment decides what drivers are shown; the answer and the trip say how."""

from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis

from occupancy.database import Pool
from occupancy.effect.advice import Advice
from occupancy.effect.experiment import Arm, Experiment, is_held_out
from routing import promise_store, trip_store
from routing.reason import Code
from routing.service import digest_of
from routing.trip import Trip, arrive, choose, give_way
from routing.trip_history import TripHistory, read_outcomes
from tests.occupancy.effect.plans import a_plan
from tests.routing.test_trip import NOW_MS, a_trip
from tests.routing.town import AsNow, Town, running

HOSPITAL = "三水区人民医院"


def experiment(town: Town, arms: str) -> Experiment:
    plan = replace(a_plan(120, 1), from_ms=town.clock(), arms=arms)
    made = Experiment(7, plan, started_ms=0)
    town.guidance.experiments.take([made])
    return made


def a_driver(made: Experiment, *, held_out: bool) -> str:
    return next(
        name
        for name in map(str, range(1_000))
        if is_held_out(made.plan, digest_of(name)) == held_out
    )


async def promised(redis: Redis, town: Town) -> int:
    found = await promise_store.read(redis, list(town.showcase.lots))
    return sum(len(held.promises) for held in found.values())


async def test_without_an_experiment_nothing_is_said_of_one(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        answer = await town.asked(destination=HOSPITAL)
    assert answer["arm"] is None


async def test_a_block_without_guidance_gives_the_plain_list_and_promises_nothing(
    redis: Redis,
) -> None:
    told: list[Trip] = []
    async with running(redis, forecasts=AsNow(), tell=told.append) as town:
        experiment(town, "0" * 12)
        town.see("kangle", 0)
        answer = await town.asked(destination=HOSPITAL)
        assert answer["arm"] == "plain"
        assert answer["verdict"]["code"] == "plain_list"
        walks = [one["walk_minutes"] for one in answer["recommendations"]]
        assert walks == sorted(walks)
        assert "not_held" not in {note["code"] for note in answer["notes"]}
        assert await promised(redis, town) == 0
        first = answer["recommendations"][0]["lot"]
        path = f"/v1/trips/{answer['trip']}"
        async with town.client.post(f"{path}/chosen", json={"lot": first}) as chosen:
            document: Any = await chosen.json(content_type=None)
        assert (document["stage"], document["arm"], document["go_on"]) == ("chosen", "plain", True)
        assert await promised(redis, town) == 0
        kept = await trip_store.find_trip(redis, answer["trip"])
    assert kept is not None
    assert (kept.experiment, kept.arm, kept.promised) == (7, Arm.PLAIN, 0.0)
    assert [(one.experiment, one.arm) for one in told] == [(7, Arm.PLAIN)] * 2


async def test_while_guidance_is_on_only_those_held_out_get_the_plain_list(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        made = experiment(town, "1" * 12)
        lucky, held_out = a_driver(made, held_out=False), a_driver(made, held_out=True)
        for _ in range(2):
            guided = await town.asked(destination=HOSPITAL, driver=lucky)
            assert guided["arm"] == "guided"
            assert guided["verdict"]["code"] == "fits"
            plain = await town.asked(destination=HOSPITAL, driver=held_out)
            assert plain["arm"] == "held_out"
            assert plain["verdict"]["code"] == Code.PLAIN_LIST
            town.clock.now_ms += 120_000
        assert await promised(redis, town) == 1


async def test_trips_of_all_arms_are_written_and_those_without_guidance_judge_no_promise(
    connections: Pool,
) -> None:
    history = TripHistory(connections, lambda: NOW_MS)
    plain = replace(a_trip(), trip_id="p", experiment=7, arm=Arm.PLAIN, promised=0.0)
    history.note(replace(a_trip(), experiment=7, arm=Arm.GUIDED))
    history.note(plain)
    history.note(arrive(replace(a_trip(), trip_id="a"), NOW_MS))
    history.note(choose(replace(a_trip(), trip_id="c"), "sanda", NOW_MS + 1))
    history.note(give_way(replace(a_trip(), trip_id="r"), NOW_MS))
    await history.write()
    rows = await connections.fetch("SELECT trip_id, experiment, arm FROM trip ORDER BY trip_id")
    assert [tuple(row) for row in rows] == [
        ("a", None, None),
        ("c", None, None),
        ("p", 7, "plain"),
        ("r", None, None),
        ("t1", 7, "guided"),
    ]
    outcomes = await read_outcomes(connections, NOW_MS - 1, NOW_MS + 3_600_000)
    assert sum(one.trips for one in outcomes) == 3
    assert await history.advice(NOW_MS - 1, NOW_MS + 1) == [Advice("kangle", 5, 4, 2, 1, 1)]
    assert await history.advice(NOW_MS + 1, NOW_MS + 2) == []


async def test_what_is_promised_is_told_by_car_park_and_by_when(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        answer = await town.asked(destination=HOSPITAL)
        first = answer["recommendations"][0]["lot"]
        coming = await town.trips.list_coming()
    assert coming is not None
    assert coming[first].drivers == 1
    assert sum(coming[first].by_step) == coming[first].cars == town.guidance.settings.follow_shown
