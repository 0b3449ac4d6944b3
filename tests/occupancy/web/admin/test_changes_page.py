"""A change by the pages: named with what it could show, judged with its picture, withdrawn."""

import datetime as dt
from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database_changes, database_sites, experiment_desk
from occupancy.calendar import date_of
from occupancy.effect.metric import Metric
from occupancy.experiment_desk import Wish
from occupancy.permissions import Role
from occupancy.report.gathering import gather
from occupancy.report.period import parse_period
from occupancy.report.section_guidance import write
from occupancy.report.study import Study
from occupancy.rollup import DAY_MS, date_start_ms, local_day
from occupancy.site import Site, Stage
from tests.occupancy.web.admin.desk import Browser, Desk, desk
from tests.recorded_month import Past, record_period

GUIDANCE = "/admin/guidance"
NEW = f"{GUIDANCE}/changes/new"
FIRST = dt.date(2026, 6, 29)
DAYS = 70
CHANGE = FIRST + dt.timedelta(days=49)
NOW_MS = date_start_ms(FIRST) + DAYS * DAY_MS + 9 * 3_600_000


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.clock.now_ms = NOW_MS
        running.served.show("kangle", 1)
        yield running


def a_form(**other: str) -> dict[str, str]:
    usual = {"name": "中山路口加诱导屏", "kind": "sign", "lot": "kangle", "place": "人民路口"}
    usual |= {"since": CHANGE.isoformat(), "metric": "saturated_minutes"}
    return {**usual, "before": "28", "after": "21", "reason": "年度评估", **other}


async def named(browser: Browser, **other: str) -> str:
    done = await browser.send(NEW, a_form(**other))
    assert done.status == 303, done.words
    return done.where.partition("?")[0]


async def recorded(connections: asyncpg.Pool) -> None:
    await record_period(connections, Past(first=FIRST, days=DAYS, raw_days=0))


async def test_a_change_is_named_judged_printed_and_withdrawn(
    office: Desk, connections: asyncpg.Pool
) -> None:
    await recorded(connections)
    browser = await office.at_work("li", Role.PLANNER)
    form = (await browser.get(NEW)).hidden()
    shown = await browser.post(f"{NEW}/preview", {**form, **a_form()})
    assert "能看出的最小变化" in shown.words
    assert "车场·分钟（每天）" in shown.words
    one = await named(browser)
    page = await browser.get(one)
    assert "满位时长：" in page.words
    assert "比较了变化前 28 天和变化后 21 天" in page.words
    assert "data:image/svg+xml;base64," in page.text
    assert 'class="effect"' in page.text
    assert "人民路口" in page.words
    listed = await browser.get(GUIDANCE)
    assert "中山路口加诱导屏 可以看结果 诱导屏" in listed.words
    period = parse_period("2026-08")
    facts = await gather(connections, period, (), NOW_MS)
    section = write(Study(facts))
    assert "中山路口加诱导屏（诱导屏，人民路口，8 月 17 日起）前后：满位时长" in repr(section)
    assert "change_1" in repr(section)
    done = await browser.send(f"{one}/withdraw", {"reason": "登记错了"}, page=one)
    assert done.status == 303
    assert "已撤销：li" in (await browser.get(one)).words
    again = await browser.send(f"{one}/withdraw", {"reason": "x"}, page="/admin/me")
    assert (again.status, "已经有人撤销了它" in again.words) == (409, True)
    assert (await gather(connections, period, (), NOW_MS)).changes == ()
    (kept,) = await database_changes.list_changes(connections)
    assert kept.detectable is not None


async def test_nothing_is_shown_before_the_days_after_it_are_over(office: Desk) -> None:
    browser = await office.at_work("li", Role.PLANNER)
    today = date_of(local_day(NOW_MS))
    page = await browser.get(await named(browser, since=today.isoformat()))
    assert "变化后的 21 天过完才显示结果，还有 21 天" in page.words
    assert "结果还不能" not in page.words
    assert "data:image" not in page.text
    assert "等变化后的日子过完" in (await browser.get(GUIDANCE)).words


async def test_without_a_past_it_is_said_that_there_is_none(office: Desk) -> None:
    browser = await office.at_work("li", Role.PLANNER)
    form = (await browser.get(NEW)).hidden()
    shown = await browser.post(f"{NEW}/preview", {**form, **a_form()})
    assert "过去的数据不够，算不出来" in shown.words
    page = await browser.get(await named(browser))
    assert "数据不够，还不能下结论" in page.words
    assert "现有 0 天和 0 天" in page.words


async def test_what_else_happened_in_the_same_days_is_told(
    office: Desk, connections: asyncpg.Pool
) -> None:
    browser = await office.at_work("li", Role.PLANNER)
    await named(browser, name="中山路涨价", kind="price")
    then_ms = date_start_ms(CHANGE) - 3 * DAY_MS
    wish = Wish(Metric.BALANCE, 120, local_day(then_ms) + 1, 14)
    kept = await experiment_desk.plan(connections, wish, by="li", reason="x", now_ms=then_ms)
    await experiment_desk.start(connections, kept.number, by="li", reason="x", now_ms=then_ms)
    opened = Site("north", "北停车场", Stage.BUILT, built_spaces=100, opened_on=CHANGE)
    await database_sites.seed_sites(connections, [opened])
    page = await browser.get(await named(browser))
    assert "分不清是谁的作用" in page.words
    for words in ("2026-08-17 中山路涨价", "第 1 号实验", "2026-08-17 北停车场 开放"):
        assert words in page.words
    far = await browser.get(await named(browser, since="2026-01-15"))
    assert "分不清是谁的作用" not in far.words


async def test_wrong_fields_are_said_beside_them_and_nothing_is_kept(office: Desk) -> None:
    browser = await office.at_work("li", Role.PLANNER)
    for other, words in (
        ({"since": "昨天"}, "“昨天”不是日期"),
        ({"before": "x"}, "“x”不是天数"),
        ({"metric": "luck"}, "请选择看什么指标"),
        ({"kind": "luck"}, "请选择变化的类别"),
        ({"after": "7"}, "前后各可以取 21 到 180 天"),
        ({"lot": "nowhere"}, "没有 nowhere 这个车场"),
        ({"name": " "}, "请填写变化是什么"),
        ({"reason": " "}, "请填写原因"),
    ):
        refused = await browser.send(NEW, a_form(**other))
        assert refused.status == 400, other
        assert words in refused.words
        preview = await browser.post(
            f"{NEW}/preview", {"csrf": await browser.token(), **a_form(**other)}
        )
        assert (words in preview.words) == (not {"name", "reason"} & set(other))
    assert await database_changes.list_changes(office.connections) == []
    missing = await browser.get(f"{GUIDANCE}/changes/99")
    assert (missing.status, "没有第 99 号变化" in missing.words) == (404, True)


async def test_only_who_may_experiment_in_the_whole_town_names_and_withdraws(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    one = await named(planner)
    assert (await planner.send(f"{one}/withdraw", {"reason": ""}, page=one)).status == 400
    duty = await office.at_work("wang", Role.OPERATOR)
    assert "withdraw-reason" not in (await duty.get(one)).text
    assert (await duty.get(NEW)).status == 403
    half = await office.at_work("zhao", Role.PLANNER, ["kangle"])
    assert (await half.send(f"{one}/withdraw", {"reason": "x"}, page="/admin/me")).status == 403
