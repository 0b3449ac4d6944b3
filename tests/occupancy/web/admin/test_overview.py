"""The overview of a large town: the tightest first, a page light enough, each his own car parks."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy.permissions import Role
from tests.builders import a_group, a_lot
from tests.occupancy.web.admin.desk import Answer, Desk, desk

LOTS = [f"lot{number:02d}" for number in range(45)]


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    lots = [a_lot(lot_id=one, name=f"{one}停车场", short_name=one) for one in LOTS]
    async with desk(connections, redis, lots) as running:
        for number, one in enumerate(LOTS):
            groups = (a_group(1, occupied=(number % 7, 6, 6)), a_group(2, occupied=(6, 6, 6)))
            running.served.show(one, 1, groups=groups, cars_inside=None)
        yield running


def rows_of(page: Answer) -> list[str]:
    return re.findall(r'<tr class="\w+" data-lot="(\w+)"', page.text)


async def test_the_overview_shows_the_tightest_and_leads_to_all(office: Desk) -> None:
    wang = await office.at_work("wang", Role.OPERATOR)
    page = await wang.get("/admin/")
    shown = rows_of(page)
    assert len(shown) == 20
    assert {int(one[3:]) % 7 for one in shown[:6]} == {6}  # nothing free
    assert "最紧张的 20 个" in page.words
    assert "全部 45 个" in page.words
    assert len(page.text.encode()) <= 100_000


async def test_all_of_them_stand_on_pages(office: Desk) -> None:
    wang = await office.at_work("wang", Role.OPERATOR)
    pages = [await wang.get(f"/admin/lots?page={number}") for number in (1, 2, 3)]
    assert [len(rows_of(page)) for page in pages] == [20, 20, 5]
    assert {one for page in pages for one in rows_of(page)} == set(LOTS)
    for odd in ("0", "-1", "x", "9" * 30):
        assert rows_of(await wang.get(f"/admin/lots?page={odd}")) == rows_of(pages[0])


async def test_each_sees_his_own_and_what_is_new_of_them(office: Desk) -> None:
    zhao = await office.at_work("zhao", Role.OPERATOR, ["lot01", "lot02"])
    page = await zhao.get("/admin/")
    assert rows_of(page) == ["lot02", "lot01"]
    assert 'data-own="lot01 lot02"' in page.text
    full = (a_group(1, occupied=(6, 6, 6)), a_group(2, occupied=(6, 6, 6)))
    office.served.show("lot01", 2, groups=full, cars_inside=None)
    assert rows_of(await zhao.get("/admin/table")) == ["lot01", "lot02"]
    assert "the tightest" not in (await zhao.get("/admin/?lang=en")).words
