"""Holidays by the page: several days at once, one person at a time, taken back as one."""

import datetime as dt
from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import calendar_desk
from occupancy.calendar import DayType
from occupancy.permissions import Role
from tests.occupancy.web.admin.desk import Desk, desk

YEAR = 2027
PATH = f"/admin/calendar/{YEAR}"
DAYS = "2027-12-06\n2027-12-07"  # a Monday and a Tuesday


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        yield running


async def types(office: Desk) -> list[DayType]:
    days = await calendar_desk.read_year(office.connections, YEAR)
    wanted = {dt.date(2027, 12, 6), dt.date(2027, 12, 7)}
    return [one.day_type for one in days if one.day in wanted]


def form(**other: str) -> dict[str, str]:
    return {"days": DAYS, "day_type": "public_holiday", "reason": "国办来文", **other}


async def test_days_are_changed_together_and_taken_back_together(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    assert (await chen.send(PATH, form())).status == 303
    assert await types(office) == [DayType.PUBLIC_HOLIDAY] * 2
    page = await chen.get(PATH)
    assert "国办来文" in page.words
    undone = await chen.send(PATH + "/undo", {}, page=PATH)
    assert undone.status == 303
    assert await types(office) == [DayType.WORKDAY] * 2


async def test_the_second_of_two_sees_what_the_first_did(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    wu = await office.at_work("wu", Role.MANAGER)
    before = (await wu.get(PATH)).hidden()
    await chen.send(PATH, form())
    late = await wu.post(PATH, {**before, **form()})
    assert late.status == 409
    assert "别人刚刚改过" in late.words
    assert await types(office) == [DayType.PUBLIC_HOLIDAY] * 2
    again = {"days": DAYS, "day_type": "published", "reason": "改回"}
    assert (await wu.send(PATH, again)).status == 303
    assert await types(office) == [DayType.WORKDAY] * 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"days": ""}, "请先在日历上选日子"),
        ({"days": "2026-01-01"}, "不在这一年"),
        ({"days": "<b>"}, "不在这一年"),
        ({"day_type": ""}, "请选择改成什么"),
        ({"day_type": "payday"}, "请选择改成什么"),
        ({"reason": " "}, "请填写原因"),
        ({"day_type": "makeup_workday"}, "2027-12-06"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_changed(
    office: Desk, wrong: dict[str, str], words: str
) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    answer = await chen.send(PATH, form(**wrong))
    assert answer.status == 400
    assert words in answer.words
    assert await types(office) == [DayType.WORKDAY] * 2


async def test_a_year_that_is_far_away_is_not_there(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    assert (await chen.get("/admin/calendar/1900")).status == 404
    assert (await chen.get("/admin/calendar/x")).status == 404
    here = await chen.get("/admin/calendar")
    assert here.where == "/admin/calendar/2026"
    nothing = await chen.post(PATH + "/undo", {"csrf": await chen.token(), "number": "99"})
    assert nothing.status == 409
