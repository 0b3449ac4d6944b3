import pytest
from redis.asyncio import Redis

from routing import trip_store
from routing.trip import ShownLot, Stage, Trip, arrive, as_seen_at, choose, give_way, is_open

NOW_MS = 1_000_000


def a_trip(stage: Stage = Stage.SHOWN, lot_id: str = "kangle") -> Trip:
    return Trip(
        trip_id="t1",
        lot_id=lot_id,
        shown_at_ms=NOW_MS,
        arrives_ms=NOW_MS + 600_000,
        from_minute=5,
        until_minute=15,
        expires_ms=NOW_MS + 1_500_000,
        chance=0.9,
        promised=0.6,
        regret_minutes=0.0,
        shown={
            "kangle": ShownLot(0.9, NOW_MS + 600_000, 5.0),
            "sanda": ShownLot(0.7, NOW_MS + 780_000, 7.0),
        },
        stage=stage,
    )


def test_an_opened_link_makes_the_trip_chosen() -> None:
    chosen = choose(a_trip(), "sanda", NOW_MS + 5)
    assert (chosen.stage, chosen.lot_id, chosen.changed_at_ms) == (
        Stage.CHOSEN,
        "sanda",
        NOW_MS + 5,
    )
    assert choose(chosen, "sanda", NOW_MS + 9) == chosen
    assert choose(chosen, "kangle", NOW_MS + 9).lot_id == "kangle"


def test_who_takes_another_car_park_is_expected_there_with_what_was_said_of_it() -> None:
    chosen = choose(a_trip(), "sanda", NOW_MS)
    assert (chosen.chance, chosen.arrives_ms) == (0.7, NOW_MS + 780_000)
    assert (chosen.from_minute, chosen.until_minute) == (8, 18)
    assert chosen.expires_ms == a_trip().expires_ms + 180_000
    assert choose(chosen, "kangle", NOW_MS) == choose(a_trip(), "kangle", NOW_MS)


def test_nobody_chooses_what_he_was_not_shown() -> None:
    assert choose(a_trip(), "zhanqian", NOW_MS) == a_trip()


@pytest.mark.parametrize("stage", [Stage.ARRIVED, Stage.EXPIRED])
def test_a_link_opened_after_the_end_changes_nothing(stage: Stage) -> None:
    assert choose(a_trip(stage), "sanda", NOW_MS) == a_trip(stage)


def test_a_trip_that_nothing_explains_expires() -> None:
    trip = a_trip()
    assert as_seen_at(trip, trip.expires_ms - 1) == trip
    assert is_open(trip, trip.expires_ms - 1)
    assert as_seen_at(trip, trip.expires_ms).stage is Stage.EXPIRED
    assert not is_open(trip, trip.expires_ms)


def test_who_has_arrived_stays_arrived() -> None:
    arrived = arrive(a_trip(), NOW_MS + 7)
    assert (arrived.stage, arrived.changed_at_ms) == (Stage.ARRIVED, NOW_MS + 7)
    assert arrive(arrived, NOW_MS + 9) == arrived
    assert as_seen_at(arrived, arrived.expires_ms + 1) == arrived


def test_a_driver_who_asks_again_leaves_his_trip() -> None:
    assert give_way(a_trip(), NOW_MS + 3).stage is Stage.REPLACED
    assert give_way(a_trip(Stage.ARRIVED), NOW_MS + 3) == a_trip(Stage.ARRIVED)


async def test_a_trip_comes_back_as_it_was_written(redis: Redis) -> None:
    await trip_store.keep(redis, a_trip(), NOW_MS)
    assert await trip_store.find_trip(redis, "t1") == a_trip()
    assert await trip_store.find_trip(redis, "t2") is None
    assert await trip_store.find_trips(redis, ["t1", "t2"]) == [a_trip()]


async def test_a_change_is_told_with_what_was_before(redis: Redis) -> None:
    await trip_store.keep(redis, a_trip(), NOW_MS)
    changed = await trip_store.change_trip(redis, "t1", lambda trip: arrive(trip, NOW_MS))
    assert changed == (a_trip(), arrive(a_trip(), NOW_MS))
    again = await trip_store.change_trip(redis, "t1", lambda trip: arrive(trip, NOW_MS + 1))
    assert again is not None
    assert again[0] == again[1]
    assert await trip_store.change_trip(redis, "t2", lambda trip: trip) is None


async def test_of_two_answers_to_one_question_the_first_holds(redis: Redis) -> None:
    async def answered(body: bytes) -> bytes:
        return await trip_store.keep_answer(redis, a_trip(), NOW_MS, "d", "q", body, 1_000)

    assert await trip_store.recall(redis, "d", "q") == (None, None)
    assert await answered(b"first") == b"first"
    assert await answered(b"second") == b"first"
    assert await trip_store.recall(redis, "d", "q") == (b"first", "t1")
    assert await trip_store.find_trip(redis, "t1") == a_trip()


async def test_an_answer_without_a_trip_is_kept_too(redis: Redis) -> None:
    assert await trip_store.keep_answer(redis, None, NOW_MS, "d", "q", b"none", 1_000) == b"none"
    assert await trip_store.recall(redis, "d", "q") == (b"none", None)


async def test_a_drivers_newest_trip_is_known(redis: Redis) -> None:
    assert await trip_store.recall(redis, "d") == (None, None)
    await trip_store.keep(redis, a_trip(), NOW_MS)
    assert await trip_store.recall(redis, "d") == (None, None)
    await trip_store.keep(redis, a_trip(), NOW_MS, "d")
    assert await trip_store.recall(redis, "d") == (None, "t1")


async def test_no_driver_stands_in_a_trip() -> None:
    assert not {"driver", "name", "plate", "place", "destination"} & set(Trip.__struct_fields__)
