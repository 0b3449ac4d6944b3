import asyncio
import math
from collections.abc import Sequence

import pytest

from occupancy.lot import Place
from routing.reason import Code
from routing.straight_line import by_car, on_foot
from routing.ways import UNKNOWN_APPROACH_MINUTES, ways_to
from tests.builders import a_lot
from tests.routing.drivers import HOSPITAL, a_question

LOTS = [a_lot(), a_lot(lot_id="sanda", entrance=Place(23.1538, 112.9003))]
ENTRANCES = [lot.entrance for lot in LOTS]
HOME = Place(23.20, 112.90)


class Told:
    """Travel times as somebody says them."""

    def __init__(self, drive: Sequence[float] = (12, 14), walk: Sequence[float] = (3, 15)) -> None:
        self.drive = drive
        self.walk = walk

    async def drive_minutes(self, _: Place, __: Sequence[Place]) -> Sequence[float]:
        return self.drive

    async def walk_minutes(self, _: Place, __: Sequence[Place]) -> Sequence[float]:
        return self.walk


async def test_what_is_said_and_can_be_is_believed() -> None:
    ways, notes = await ways_to(Told(), LOTS, a_question(origin=HOME))
    assert [(way.drive, way.walk) for way in ways.values()] == [(12, 3), (14, 15)]
    assert notes == []


async def test_who_does_not_say_where_he_sets_out_is_told_what_is_counted() -> None:
    ways, notes = await ways_to(Told(drive=(2, 4)), LOTS, a_question())
    assert ways["kangle"].drive == UNKNOWN_APPROACH_MINUTES + 2
    assert [note.code for note in notes] == [Code.NO_ORIGIN]


@pytest.mark.parametrize(
    "drive", [(0.1, 14), (12, 900), (12, math.nan), (12, math.inf), (-3, 14), (12,), ()]
)
async def test_impossible_times_are_not_believed_and_it_is_said(drive: tuple[float, ...]) -> None:
    ways, notes = await ways_to(Told(drive=drive), LOTS, a_question(origin=HOME))
    assert [way.drive for way in ways.values()] == by_car(HOME, ENTRANCES)
    assert [way.walk for way in ways.values()] == [3, 15]
    assert [note.code for note in notes] == [Code.TRAVEL_ESTIMATED]


async def test_nobody_walks_a_kilometre_in_a_minute() -> None:
    ways, notes = await ways_to(Told(walk=(3, 1)), LOTS, a_question(origin=HOME))
    assert [way.walk for way in ways.values()] == on_foot(HOSPITAL, ENTRANCES)
    assert [note.code for note in notes] == [Code.TRAVEL_ESTIMATED]


async def test_drive_and_walk_are_asked_at_the_same_time() -> None:
    class Together(Told):
        both = asyncio.Barrier(2)

        async def drive_minutes(self, _: Place, __: Sequence[Place]) -> Sequence[float]:
            await self.both.wait()
            return self.drive

        async def walk_minutes(self, _: Place, __: Sequence[Place]) -> Sequence[float]:
            await self.both.wait()
            return self.walk

    async with asyncio.timeout(5):
        _, notes = await ways_to(Together(), LOTS, a_question(origin=HOME))
    assert notes == []


def test_a_long_way_is_not_driven_at_the_speed_of_a_street() -> None:
    guangzhou, shenzhen = Place(23.13, 113.26), Place(22.54, 114.06)
    one, other = by_car(HOSPITAL, [guangzhou, shenzhen])
    assert 40 < one < 80
    assert 110 < other < 220


async def test_being_there_already_is_possible() -> None:
    here = a_question(origin=ENTRANCES[0], destination=ENTRANCES[0])
    _, notes = await ways_to(Told(drive=(0, 5), walk=(0, 15)), LOTS, here)
    assert notes == []
