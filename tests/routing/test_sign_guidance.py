from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from redis.asyncio import Redis

from gateway import stream
from gateway.signs import CLOSED, FULL, STALE, SignOrder
from occupancy.effect.experiment import Experiment
from occupancy.experiment_shelf import ExperimentShelf
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import OpeningState
from occupancy.sign_faces import TownSign
from routing import promise_store
from routing.guided_faces import GuidedFaces
from routing.promise import Due, Promise, minute_of
from routing.sign_guidance import AHEAD_MINUTES, STEP_SPACES, Junction, guided_face
from tests.builders import MORNING_MS, a_group, a_lot, an_observation
from tests.occupancy.effect.plans import a_plan

NOW_MS = MORNING_MS + 2_000
LOT = a_lot()  # 36 bays, full at 2 free, one space of hysteresis


def free(count: int, **lot: object) -> LiveOccupancy:
    levels = [min(6, max(0, 36 - count - 6 * n)) for n in range(6)]
    groups = (
        a_group(1, occupied=tuple(levels[:3])),
        a_group(2, occupied=tuple(levels[3:])),
    )
    news = an_observation(groups=groups, cars_inside=None)
    return fold(None, a_lot(**lot), Received(news, NOW_MS, NOW_MS))


def line(count: int, cars: float = 0.0, shown: str = "", *, ahead: int = 0) -> str:
    begins = minute_of(NOW_MS) + ahead
    due = {"kangle": Due({(begins, begins + 1): cars})}
    junction = Junction({"kangle": LOT}, {"kangle": free(count)}, due, NOW_MS)
    (found,) = guided_face(["kangle"], junction, [shown] if shown else ())
    return found


def test_what_is_promised_is_taken_off() -> None:
    assert line(20) == "20"
    assert line(20, 6.2) == "14"
    assert line(20, 6.2, ahead=AHEAD_MINUTES + 1) == "20"


def test_a_lot_whose_last_spaces_are_promised_is_shown_full() -> None:
    assert line(10, 8) == FULL
    assert line(10, 12) == FULL


def test_full_is_shown_until_there_is_more_than_a_single_space_again() -> None:
    assert line(3) == "3"
    assert line(3, shown=FULL) == FULL
    assert line(4, shown=FULL) == "4"


def test_a_number_stands_still_against_a_small_change() -> None:
    assert line(21, shown="20") == "20"
    assert line(22, shown="20") == "22"


def test_no_more_is_shown_than_there_is_free() -> None:
    assert line(19, shown="20") == "19"


@given(st.integers(0, 36), st.floats(0, 40), st.integers(0, 40) | st.just(FULL))
def test_a_number_is_never_above_the_free_spaces(count: int, cars: float, shown: int | str) -> None:
    found = line(count, cars, str(shown))
    assert found == FULL or 2 < int(found) <= count
    again = line(count, cars, found)
    assert again == found


@given(st.integers(3, 36), st.integers(3, 36))
def test_what_is_shown_is_never_far_from_what_is_left(count: int, shown: int) -> None:
    found = line(count, 0.0, str(shown))
    assert abs(int(found) - count) < STEP_SPACES


def test_words_and_the_dash_are_shown_at_once() -> None:
    lots = {"kangle": LOT, "shut": LOT, "silent": LOT}
    pictures = {"shut": free(20, opening=OpeningState.CLOSED), "unknown": free(9)}
    junction = Junction(lots, pictures, {}, NOW_MS)
    assert guided_face(["shut", "silent", "unknown"], junction, ["20", "20", "20"]) == (
        CLOSED,
        STALE,
        "9",
    )


def test_a_face_of_another_length_says_nothing_of_what_was_shown() -> None:
    junction = Junction({"kangle": LOT}, {"kangle": free(21)}, {}, NOW_MS)
    assert guided_face(["kangle"], junction, ["20", "5"]) == ("21",)


async def test_two_recorders_hold_the_same_number(redis: Redis) -> None:
    sign = TownSign("junction", "kangle", ("kangle",))
    lots, pictures = {"kangle": LOT}, {"kangle": free(20)}
    first = await GuidedFaces(redis).faces([sign], lots, pictures, NOW_MS)
    assert first == {"junction": ("20",)}
    await stream.order_faces(redis, "kangle", [SignOrder("junction", first["junction"], 1)])
    second = await GuidedFaces(redis).faces([sign], lots, {"kangle": free(21)}, NOW_MS)
    assert second == first
    now = minute_of(NOW_MS)
    await promise_store.hold(redis, "kangle", Promise("a", 5.0, 5.0, now, now + 1), 9.0, NOW_MS)
    third = await GuidedFaces(redis).faces([sign], lots, {"kangle": free(21)}, NOW_MS)
    assert third == {"junction": ("16",)}


async def test_in_a_block_without_guidance_signs_show_what_is_counted(redis: Redis) -> None:
    sign = TownSign("junction", "kangle", ("kangle",))
    now = minute_of(NOW_MS)
    await promise_store.hold(redis, "kangle", Promise("a", 5.0, 5.0, now, now + 1), 9.0, NOW_MS)
    shelf = ExperimentShelf()
    faces = GuidedFaces(redis, shelf)

    async def shown(arms: str) -> str:
        plan = replace(a_plan(120, 1), from_ms=NOW_MS, arms=arms)
        shelf.take([Experiment(1, plan, started_ms=0)])
        told = await faces.faces([sign], {"kangle": LOT}, {"kangle": free(20)}, NOW_MS)
        return told["junction"][0]

    assert await shown("0" * 12) == "20"
    assert await shown("1" * 12) == "15"
