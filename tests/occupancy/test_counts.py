"""Truth checks and operators' counts: what is recorded, and what a gateway is told."""

import datetime as dt
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import database_audit, database_corrections
from occupancy.correction import BadCountError, Count, correct
from occupancy.database import Pool
from occupancy.live import LiveOccupancy, Quality, Received, fold
from occupancy.truth_check import TruthCheck, check, night_of
from tests.builders import MORNING_MS, a_group, a_lot, an_observation

NOW_MS = MORNING_MS + 5_000
HOUR_MS = 3_600_000


def picture(sequence: int = 1, **news: Any) -> LiveOccupancy:  # noqa: ANN401
    seen = an_observation(sequence, **news)
    return fold(None, a_lot(), Received(seen, seen.observed_at_ms, seen.observed_at_ms))


def count(cars: int, reason: str = "夜间盘点", by: str = "li") -> Count:
    return Count(cars, reason, by, NOW_MS)


@given(st.integers(0, 36), st.integers(-50, 90))
def test_a_count_is_tied_to_the_totals_and_to_what_the_machines_said(
    counted: int, by_counters: int
) -> None:
    made = correct(picture(cars_inside=by_counters), count(counted), number=4)
    assert (made.number, made.epoch, made.cars_inside) == (4, 1, counted)
    assert (made.entries_total, made.exits_total) == (10, 5)
    assert made.unseen_cars == counted - 12


def test_a_count_while_a_machine_is_silent_leaves_what_was_known_of_the_machines() -> None:
    silent = picture(groups=(a_group(1, occupied=None), a_group(2)), unseen_cars=3)
    assert correct(silent, count(9), 1).unseen_cars == 3


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (count(37), "36 bays"),
        (count(-1), "0 to 36"),
        (count(3, reason="  "), "reason"),
        (count(3, by=""), "name"),
    ],
)
def test_a_count_that_cannot_be_says_what_is_wrong(bad: Count, word: str) -> None:
    with pytest.raises(BadCountError, match=word):
        correct(picture(), bad, 1)


def test_a_corrected_number_says_that_it_is_corrected() -> None:
    seen = picture(unseen_cars=2, correction_number=1)
    assert (seen.quality, seen.occupied, seen.free) == (Quality.CORRECTED, 14, 22)


def test_a_check_tells_the_drift_and_how_much_of_it_is_new() -> None:
    first = check(picture(cars_inside=15), None, NOW_MS, "li")
    assert (first.drift_cars, first.drift_since_last_cars, first.is_beyond_limit) == (
        3,
        None,
        False,
    )
    second = check(picture(2, cars_inside=19), first, NOW_MS, "li")
    assert (second.drift_cars, second.drift_since_last_cars) == (7, 4)
    assert second.is_beyond_limit
    assert "COUNT" in second.line()
    reborn = check(picture(epoch=2, cars_inside=12), second, NOW_MS, "li")
    assert (reborn.drift_cars, reborn.drift_since_last_cars) == (0, None)
    assert "ok" in reborn.line()


def test_a_silent_source_gives_no_drift_instead_of_nought() -> None:
    stale = check(picture(), None, NOW_MS + HOUR_MS, "li")
    assert (stale.cars_by_counters, stale.drift_cars, stale.is_beyond_limit) == (None, None, False)
    assert "nothing to compare" in stale.line()
    after = check(picture(2), stale, NOW_MS, "li")
    assert (after.drift_cars, after.drift_since_last_cars) == (0, None)


def test_the_night_begins_at_half_past_three_local_time() -> None:
    morning = MORNING_MS  # 08:00 local
    assert night_of(morning) == dt.date(2026, 11, 23)
    assert night_of(morning - 5 * HOUR_MS) == dt.date(2026, 11, 22)
    assert night_of(morning - 4 * HOUR_MS) == dt.date(2026, 11, 23)


async def test_corrections_are_added_and_never_changed(connections: Pool) -> None:
    first = await database_corrections.add_correction(connections, picture(), count(14))
    second = await database_corrections.add_correction(connections, picture(2), count(13))
    assert second.number > first.number
    assert await database_corrections.list_newest_corrections(connections) == {"kangle": second}
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await connections.execute("UPDATE correction SET cars_inside = 1")
    with pytest.raises(BadCountError):
        await database_corrections.add_correction(connections, picture(), count(99))
    assert await connections.fetchval("SELECT count(*) FROM correction") == 2


async def test_a_count_leaves_its_trace_in_the_audit(connections: Pool) -> None:
    made = await database_corrections.add_correction(connections, picture(), count(14))
    with pytest.raises(BadCountError):
        await database_corrections.add_correction(connections, picture(), count(99))
    (trace,) = await database_audit.list_newest(connections, 9)
    assert (trace.action, trace.lot_id, trace.who) == ("calibrate", "kangle", count(14).counted_by)
    assert trace.reason == count(14).reason
    assert trace.after == {"correction": made.number, "cars_inside": 14}
    assert (await database_audit.verify(connections))[1] is None


async def test_a_night_is_checked_once_and_a_day_as_often_as_asked(connections: Pool) -> None:
    night = dt.date(2026, 11, 23)

    def made(at_ms: int, of: dt.date | None) -> TruthCheck:
        return check(picture(), None, at_ms, "nightly", of)

    assert await database_corrections.add_check(connections, made(NOW_MS, night))
    assert not await database_corrections.add_check(connections, made(NOW_MS + 1_000, night))
    assert await database_corrections.add_check(connections, made(NOW_MS + 2_000, None))
    assert await database_corrections.add_check(connections, made(NOW_MS + 3_000, None))
    kept = await database_corrections.list_checks(connections, "kangle", 2)
    assert kept == [made(NOW_MS + 3_000, None), made(NOW_MS + 2_000, None)]
    assert await database_corrections.list_checked_nights(connections, night) == {"kangle"}
