"""Planners keep the construction plan on a page; others read it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database_sites
from occupancy.database_sites import seed_sites
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.site_file import shipped_sites
from tests.occupancy.web.admin.desk import Desk, desk

SITES = "/reports/sites"
NEW = {
    "site_id": "renmin_lu",
    "name": "人民路停车场",
    "stage": "planned",
    "planned_spaces": "120",
    "placeholders": "name",
    "reason": "2026 年建设计划",
}


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await seed_sites(connections, shipped_sites())
    async with desk(connections, redis, load_shipped()) as running:
        yield running


async def test_a_planner_adds_a_site_and_everybody_reads_it(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    done = await planner.send(SITES + "/new", NEW)
    assert (done.status, done.where.split("?")[0]) == (303, SITES)
    operator = await office.at_work("wang", Role.OPERATOR)
    page = await operator.get(SITES)
    assert "人民路停车场 待核实" in page.words
    assert "规划" in page.words
    assert f"{SITES}/kangle" not in page.text
    assert (await operator.get(SITES + "/new")).status == 403


async def test_a_planner_confirms_what_was_not_sure(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    form = {
        "name": "康乐路立体停车场",
        "stage": "built",
        "lot_id": "kangle",
        "built_spaces": "180",
        "opened_on": "2026-03-01",
        "reason": "竣工验收单",
    }
    done = await planner.send(f"{SITES}/kangle", form)
    assert done.status == 303, done.words
    kept = await database_sites.find_site(office.connections, "kangle")
    assert kept is not None
    assert kept.site.placeholders == ()
    assert str(kept.site.opened_on) == "2026-03-01"


async def test_somebody_faster_is_told_and_what_was_typed_stays(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    opened = await planner.get(f"{SITES}/kangle")
    form = {**opened.hidden(), "name": "康乐路", "stage": "built", "reason": "更名"}
    other = await planner.send(f"{SITES}/kangle", {**form, "name": "康乐路停车楼"})
    assert other.status == 303
    late = await planner.post(f"{SITES}/kangle", {**form, "note": "我写的"})
    assert late.status == 409
    assert "康乐路停车楼" in late.words
    assert "我写的" in late.words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"planned_spaces": "很多"}, "不是整数"),
        ({"opened_on": "明年"}, "不是日期"),
        ({"stage": "ready"}, "请选择阶段"),
        ({"lot_id": "nowhere"}, "没有 nowhere 这个车场"),
        ({"built_spaces": "9"}, "还没有建成"),
        ({"reason": ""}, "请填写原因"),
        ({"site_id": "kangle"}, "已经有了"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_kept(
    office: Desk, typed: dict[str, str], words: str
) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    refused = await planner.send(SITES + "/new", NEW | typed)
    assert refused.status == 400
    assert words in refused.words
    assert len(await database_sites.list_sites(office.connections)) == 5


async def test_an_unknown_site_is_not_there(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    assert (await planner.get(f"{SITES}/nowhere")).status == 404
