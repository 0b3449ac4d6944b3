"""What if, by the page: asked by those who answer for the whole town, read with its doubt."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database_studies
from occupancy.permissions import Role
from tests.occupancy.web.admin.desk import Desk, desk

PATH = "/admin/studies"
OUTCOME = (Path(__file__).parent / "study_outcome.json").read_text(encoding="utf-8")
FORM = {
    "name": "康乐路加 60 位",
    "spaces_lot": "kangle",
    "spaces": "60",
    "first_day": "2026-10-01",
    "last_day": "2026-10-31",
    "days": "7",
    "board_share": "50",
    "metres_a_yuan": "20",
}


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        yield running


async def test_a_planner_asks_and_reads_what_came_of_it(office: Desk) -> None:
    lin = await office.at_work("lin", Role.PLANNER)
    asked = await lin.send(PATH, FORM)
    assert asked.status == 303, asked.words
    one = asked.where.split("?")[0]
    assert "等待" in (await lin.get(one)).words
    taken = await database_studies.take_up(office.connections, "worker")
    assert taken is not None
    await database_studies.say_progress(office.connections, taken.number, "worker", 7)
    assert "在算 7/30" in (await lin.get(one + "/progress")).words
    await database_studies.keep_outcome(office.connections, taken.number, "worker", OUTCOME)
    assert (await lin.get(one + "/progress")).headers["HX-Refresh"] == "true"
    shown = await lin.get(one)
    assert "到场无位减少 33.4 辆/日（95% 区间 25.5 至 41.3），由 34.6 变为 1.2。" in shown.words
    assert "看不出差别" in shown.words
    kept = json.loads((await lin.get(one + "/study.json")).text)
    assert kept["outcome"] == json.loads(OUTCOME)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "请给方案起个名字"),
        ("spaces", "many", "“many”不是整数"),
        ("spaces_lot", "", "没有选任何变化"),
        ("first_day", "tomorrow", "请填日期"),
        ("last_day", "2099-01-01", "最长 400 天"),
        ("spaces_lot", "<b>", "没有 <b> 这个车场"),
        ("metres_a_yuan", "-3", "“-3”不是整数"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(
    office: Desk, field: str, value: str, words: str
) -> None:
    lin = await office.at_work("lin", Role.PLANNER)
    refused = await lin.send(PATH, {**FORM, field: value})
    assert refused.status == 400
    assert words in refused.words
    if field != "name":
        assert "康乐路加 60 位" in refused.text
    assert await database_studies.list_studies(office.connections, 9) == []


async def test_who_holds_one_car_park_reads_and_does_not_ask(office: Desk) -> None:
    lin = await office.at_work("lin", Role.PLANNER, ["kangle"])
    page = await lin.get(PATH)
    assert "负责全部车场" in page.words
    refused = await lin.post(PATH, {**FORM, "csrf": await lin.token()})
    assert refused.status == 403


async def test_a_study_is_withdrawn_once(office: Desk) -> None:
    lin = await office.at_work("lin", Role.PLANNER)
    one = (await lin.send(PATH, FORM)).where.split("?")[0]
    assert (await lin.send(one + "/withdraw", {}, page=one)).status == 303
    assert "已撤回" in (await lin.get(PATH)).words
    again = await lin.post(one + "/withdraw", {"csrf": await lin.token()})
    assert again.status == 409


@pytest.mark.parametrize("number", ["9", "nine", "99999999999999999999"])
async def test_a_study_that_is_not_there_is_not_found(office: Desk, number: str) -> None:
    lin = await office.at_work("lin", Role.PLANNER)
    for path in ("", "/progress", "/study.json"):
        assert (await lin.get(f"{PATH}/{number}{path}")).status == 404
