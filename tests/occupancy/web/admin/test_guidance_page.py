"""Guidance by the pages: what it gave, what it promised, experiments from plan to result."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import asyncpg
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from occupancy import database_experiments
from occupancy.calendar import date_of
from occupancy.effect.advice import Advice, Coming, Guiding
from occupancy.effect.experiment import Arm, Experiment, arm_at
from occupancy.effect.switchback import judge
from occupancy.permissions import Role
from occupancy.rollup import DAY_MS, local_day
from occupancy.web.admin.experiment_view import State, grid_of, scale_of, state_of
from occupancy.web.server import Behind
from tests.occupancy.effect.plans import a_plan, totals
from tests.occupancy.web.admin.desk import Browser, Desk, desk
from tests.occupancy.web.admin.test_calibration import now_of

HOME, NEW = "/admin/guidance", "/admin/guidance/new"


async def advice(since_ms: int, now_ms: int) -> list[Advice]:
    days = (now_ms - since_ms) // DAY_MS + 1
    return [Advice("kangle", 40 * days, 32 * days, 20 * days, 9 * days, 4)]


async def coming() -> dict[str, Coming]:
    return {"kangle": Coming(3, 2.1, (0.6, 1.5, 0.0, 0.0, 0.0, 0.0))}


GUIDING = Guiding(advice, coming)


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis, beside=Behind(guiding=lambda: GUIDING)) as running:
        running.served.clock.now_ms = await now_of(connections)
        running.served.show("kangle", 1)
        yield running


def a_form(office: Desk, **other: str) -> dict[str, str]:
    first: date = date_of(local_day(office.served.clock.now_ms)) + timedelta(days=1)
    usual = {"metric": "saturated_minutes", "block": "120", "days": "14", "held_out": "10"}
    return {**usual, "first": first.isoformat(), "reason": "年度评估", **other}


async def planned(office: Desk, browser: Browser) -> str:
    done = await browser.send(NEW, a_form(office))
    assert done.status == 303, done.words
    return done.where.partition("?")[0]


async def test_advice_and_promises_are_told_for_his_car_parks(office: Desk) -> None:
    page = await (await office.at_work("li", Role.PLANNER)).get(HOME)
    assert "40 询问" in page.words
    assert "9 到场" in page.words
    assert "近 7 天" in page.words
    assert "其中 4 次在实验里没有诱导" in page.words
    assert "0–10 分钟 0.6，10–20 分钟 1.5" in page.text
    other = await (await office.at_work("wu", Role.MANAGER, ["sanda"])).get(HOME)
    assert "还没有人询问" in other.words


async def test_where_nothing_guides_it_is_said(connections: asyncpg.Pool, redis: Redis) -> None:
    async with desk(connections, redis) as office:
        page = await (await office.at_work("li", Role.PLANNER)).get(HOME)
    assert page.status == 200
    assert "本进程没有运行诱导" in page.words


async def test_an_experiment_goes_from_preview_to_its_result(office: Desk) -> None:
    browser = await office.at_work("li", Role.PLANNER)
    form = (await browser.get(NEW)).hidden()
    shown = await browser.post(f"{NEW}/preview", {**form, **a_form(office)})
    assert "84 段有诱导，84 段没有，84 对可比" in shown.words
    assert "过去的数据不够" in shown.words
    assert shown.text.count("<rect") == 168 + 2
    one = await planned(office, browser)
    assert "计划中" in (await browser.get(one)).words
    assert (await browser.send(f"{one}/start", {"reason": "批准"}, page=one)).status == 303
    assert "等第一段" in (await browser.get(one)).words
    (kept,) = await database_experiments.list_experiments(office.connections)
    office.served.clock.now_ms = kept.plan.from_ms + DAY_MS
    await browser.log_in("li")  # his session has run out over night
    running = await browser.get(one)
    assert "已完成 12 段，共 168 段" in running.words
    is_on = arm_at(kept.experiment, office.served.clock.now_ms) is Arm.GUIDED
    assert ("现在这一段有诱导" in running.words) == is_on
    assert "第 1 号实验进行中" in (await browser.get(HOME)).words
    assert (await browser.send(f"{one}/stop", {"reason": "有活动"}, page=one)).status == 303
    over = await browser.get(one)
    assert "数据不够，还不能下结论" in over.words
    assert "12 段数据不足九成，未用" not in over.words
    again = await browser.send(f"{one}/stop", {"reason": "x"}, page="/admin/me")
    assert again.status == 409
    assert "li 已经停止了它" in again.words


async def test_wrong_fields_are_said_beside_them_and_nothing_is_kept(office: Desk) -> None:
    browser = await office.at_work("li", Role.PLANNER)
    for other, words in (
        ({"first": "昨天"}, "“昨天”不是日期"),
        ({"days": "x"}, "“x”不是天数"),
        ({"metric": "luck"}, "请选择看什么指标"),
        ({"days": "2", "block": "1440"}, "至少要 6 对"),
        ({"reason": " "}, "请填写原因"),
        ({"held_out": "90"}, "0 到 50%"),
    ):
        refused = await browser.send(NEW, a_form(office, **other))
        assert refused.status == 400
        assert words in refused.words
        preview = await browser.post(
            f"{NEW}/preview", {"csrf": await browser.token(), **a_form(office, **other)}
        )
        assert (words in preview.words) == ("reason" not in other)
    assert await database_experiments.list_experiments(office.connections) == []
    missing = await browser.get(f"{HOME}/99")
    assert (missing.status, "没有第 99 号实验" in missing.words) == (404, True)


async def test_starting_needs_a_reason_and_the_right(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    one = await planned(office, planner)
    assert (await planner.send(f"{one}/start", {"reason": ""}, page=one)).status == 400
    duty = await office.at_work("wang", Role.OPERATOR)
    assert "start-reason" not in (await duty.get(one)).text
    assert (await duty.send(f"{one}/start", {"reason": "x"}, page="/admin/me")).status == 403
    half = await office.at_work("zhao", Role.PLANNER, ["kangle"])
    assert (await half.send(f"{one}/start", {"reason": "x"}, page="/admin/me")).status == 403


def test_a_grid_has_each_block_once_and_marks_the_present_one() -> None:
    plan = a_plan(120, 28)
    grid = grid_of(plan, plan.start_of(30) + 5)
    assert len({(cell.x, cell.y) for cell in grid.cells}) == len(plan.arms)
    assert [cell.is_now for cell in grid.cells].index(True) == 30
    assert max(cell.x + cell.width for cell in grid.cells) <= grid.width
    days = grid_of(a_plan(1_440, 180), 0)
    assert max(cell.x + cell.width for cell in days.cells) <= days.width


def test_a_scale_holds_everything_that_stands_on_it() -> None:
    plan = a_plan()
    evidence = judge(plan, totals(plan, effect=-30.0), 12.0)
    scale = scale_of(evidence)
    assert scale is not None
    assert scale.least is not None
    assert 0 < scale.low < scale.effect < scale.high < scale.zero < scale.width
    assert scale_of(judge(plan, {}, None)) is None


def test_a_state_follows_from_what_was_done_and_the_time() -> None:
    made = Experiment(1, a_plan())
    plan = made.plan
    started = replace(made, started_ms=plan.from_ms - 9)
    assert state_of(made, plan.from_ms) is State.PLANNED
    assert state_of(made, plan.to_ms) is State.MISSED
    assert state_of(replace(made, stopped_ms=5), plan.from_ms) is State.MISSED
    assert state_of(started, plan.from_ms - 1) is State.WAITING
    assert state_of(started, plan.from_ms) is State.RUNNING
    assert state_of(started, plan.to_ms) is State.ENDED
    assert state_of(replace(started, stopped_ms=plan.from_ms), plan.from_ms) is State.STOPPED
