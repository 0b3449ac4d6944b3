import pytest
from msgspec.structs import replace

from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot, Place
from occupancy.tariff import VehicleClass
from occupancy.tariff_book import TariffBook
from occupancy.tariff_file import shipped_tariffs
from routing.candidate import Candidate
from routing.forecast import Forecasts
from routing.gathering import MOST_CANDIDATES, Known, Way, gather, metres, nearby
from routing.promise import Due, minute_of
from routing.question import Question, Vehicle
from routing.reason import Code
from tests.builders import MORNING_MS, a_group, a_lot, an_observation
from tests.routing.drivers import HOSPITAL, a_question

NOW_MS = MORNING_MS + 2_000
WAY = Way(drive=10.0, walk=4.0)
BOOK = TariffBook(shipped_tariffs())


def a_picture(*groups: object) -> LiveOccupancy:
    news = an_observation(groups=groups or (a_group(1), a_group(2)), cars_inside=None)
    return fold(None, a_lot(), Received(news, NOW_MS, NOW_MS))


def gathered(
    question: Question | None = None,
    *,
    picture: LiveOccupancy | None = None,
    lot: Lot | None = None,
    due: Due | None = None,
    now_ms: int = NOW_MS,
) -> Candidate:
    lots = {"kangle": lot or a_lot()}
    pictures = {"kangle": picture or a_picture()}
    known = Known(lots, pictures, BOOK, {"kangle": due or Due()}, now_ms)
    forecasts = Forecasts(lots.values())
    forecasts.see(pictures["kangle"])
    (found,) = gather(question or a_question(), known, {"kangle": WAY}, forecasts)
    return found


def test_who_sets_out_now_arrives_after_the_drive() -> None:
    found = gathered()
    assert found.arrives_ms == NOW_MS + 600_000
    assert (found.travel.drive, found.travel.walk) == (10, 4)
    assert not found.is_stale


def test_who_says_when_he_comes_is_expected_then_unless_he_cannot_be_there_yet() -> None:
    soon, late = NOW_MS + 60_000, NOW_MS + 1_800_000
    assert gathered(a_question(arrive_ms=soon)).arrives_ms == soon
    assert gathered(a_question(arrive_ms=late, origin=HOSPITAL)).arrives_ms == late
    assert gathered(a_question(arrive_ms=soon, origin=HOSPITAL)).arrives_ms == NOW_MS + 600_000


def test_promises_due_by_the_arrival_are_taken_off() -> None:
    now = minute_of(NOW_MS)
    due = Due({(now + 5, now + 9): 1.5, (now + 30, now + 40): 2.0})
    assert gathered(due=due).promised == 1.5


@pytest.mark.parametrize(
    ("ahead_ms", "is_stale"), [(0, False), (88_999, False), (89_000, True), (3_600_000, True)]
)
def test_a_silent_source_is_old(ahead_ms: int, is_stale: bool) -> None:  # noqa: FBT001
    assert gathered(now_ms=NOW_MS + ahead_ms).is_stale == is_stale


def test_for_tomorrow_a_source_that_is_silent_now_is_not_held_against_it() -> None:
    tomorrow = a_question(arrive_ms=NOW_MS + 86_400_000)
    found = gathered(tomorrow, now_ms=NOW_MS + 3_600_000)
    assert not found.is_stale
    assert found.travel.store == found.travel.fetch == 1.5


def test_a_car_park_never_heard_of_is_old() -> None:
    known = Known({"kangle": a_lot()}, {}, BOOK, {}, NOW_MS)
    (found,) = gather(a_question(), known, {"kangle": WAY}, Forecasts([a_lot()]))
    assert found.is_stale


def test_queues_are_those_of_the_arrival_and_of_the_fetching() -> None:
    """He arrives in 10 minutes and stays for 2 hours; a queue halves in 30 minutes."""
    queued = a_group(1, storing_queue=3, fetching_queue=2, cycle_seconds=60.0)
    travel = gathered(picture=a_picture(queued)).travel
    assert travel.store == pytest.approx(1 + 5 * 0.5 ** (10 / 30))
    assert travel.fetch == pytest.approx(1 + 5 * 0.5 ** (130 / 30))


def test_queues_of_a_silent_source_are_not_believed() -> None:
    queued = a_group(1, storing_queue=3, fetching_queue=2, cycle_seconds=60.0)
    travel = gathered(picture=a_picture(queued), now_ms=NOW_MS + 3_600_000).travel
    assert (travel.store, travel.fetch) == (1.5, 1.5)


def test_the_fee_is_that_of_the_planned_stay() -> None:
    fee = gathered(a_question(stay_minutes=180)).fee
    assert (fee.total_fen, fee.refusal, fee.is_unconfirmed) == (700, None, True)


def test_why_there_is_no_fee() -> None:
    motorcycle = a_question(vehicle=Vehicle(VehicleClass.MOTORCYCLE))
    assert gathered(motorcycle).fee.refusal is Code.VEHICLE_NOT_ADMITTED
    assert gathered(a_question(stay_minutes=600 * 1440)).fee.refusal is Code.STAY_TOO_LONG
    nowhere = a_lot(tariff_id="nowhere")
    assert gathered(lot=nowhere).fee.refusal is Code.FEE_UNKNOWN
    before_our_time = a_question(arrive_ms=1)
    assert gathered(before_our_time).fee.refusal is Code.FEE_UNKNOWN


def test_the_nearest_car_parks_are_looked_at() -> None:
    lots = {
        str(number): replace(a_lot(lot_id=str(number)), entrance=Place(23.1 + number / 100, 112.9))
        for number in range(20)
    }
    found = nearby(lots, Place(23.15, 112.9))
    assert len(found) == MOST_CANDIDATES
    assert found[0].lot_id == "5"


def test_metres_as_the_crow_flies() -> None:
    north = Place(HOSPITAL.latitude + 0.01, HOSPITAL.longitude)
    east = Place(HOSPITAL.latitude, HOSPITAL.longitude + 0.01)
    assert metres(HOSPITAL, north) == pytest.approx(1_113, abs=1)
    assert metres(HOSPITAL, east) == pytest.approx(1_024, abs=1)
