"""A car park is brought in and taken out on a page, by those who may; each step in the audit."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database, database_audit, database_lots, snapshot
from occupancy.database_tariffs import seed_tariffs
from occupancy.lot_file import load_shipped
from occupancy.lot_stage import Stage
from occupancy.permissions import Role
from occupancy.tariff_file import shipped_tariffs
from tests.builders import MORNING_MS
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.faces import a_picture

JOINING = "/admin/joining"
ONE = f"{JOINING}/xinyuan"
NEW = {
    "version": "0",
    "lot_id": "xinyuan",
    "tariff_id": "kangle",
    "name": "新源路立体停车场",
    "short_name": "新源路",
    "address": "新源路",
    "hotline": "0757-00000000",
    "datum": "bd09",
    "latitude": "23.1640",
    "longitude": "112.9020",
    "capacity": "36",
    "groups": "g1 6 6 6\ng2 6 6 6",
    "length_metres": "5",
    "width_metres": "1.95",
    "height_metres": "2",
    "weight_tonnes": "2",
    "almost_full_free": "8",
    "full_free": "2",
    "hysteresis_free": "1",
    "almost_full_percent": "0",
    "full_percent": "0",
    "hysteresis_percent": "0",
    "opening": "open",
    "covered": "",
    "takes_new_energy": "yes",
    "unconfirmed": "name",
    "reason": "合同 2026-12",
}


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await database.seed_lots(connections, load_shipped())
    await seed_tariffs(connections, shipped_tariffs())
    async with desk(connections, redis, load_shipped()) as running:
        yield running


async def hear(redis: Redis, office: Desk) -> None:
    """As if the gateway of the new car park had been heard."""
    kept = await database_lots.find_lot(office.connections, "xinyuan")
    assert kept is not None
    picture = a_picture(kept.lot, at_ms=MORNING_MS)
    assert await snapshot.write(redis, await snapshot.read_run_id(redis), picture)


async def test_it_waits_for_readings_shows_them_and_goes_live_by_a_button(
    office: Desk, redis: Redis
) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    begun = await boss.send(JOINING + "/new", NEW)
    assert (begun.status, begun.where.split("?")[0]) == (303, ONE), begun.words
    assert "等待首批数据" in (await boss.get(ONE)).words
    assert "xinyuan" not in office.served.lots

    early = await boss.send(ONE + "/live", {"reason": "太早"}, ONE)
    assert early.status == 409
    assert "还没有收到网关的数据" in early.words

    await hear(redis, office)
    readings = await boss.get(ONE + "/open")
    assert "车位 36，可用 36，空闲 24" in readings.words
    assert "可以上线" in readings.words
    assert (await boss.send(ONE + "/live", {"reason": " "}, ONE)).status == 400
    live = await boss.send(ONE + "/live", {"reason": "核对无误"}, ONE)
    assert (live.status, live.where.split("?")[0]) == (303, "/admin/lots/xinyuan")
    assert "新源路" in (await boss.get("/admin/lots")).words
    assert (await boss.get(ONE)).status == 404
    trail = await database_audit.list_newest(office.connections, 5)
    assert [one.action for one in trail if one.lot_id == "xinyuan"] == ["live_lot", "join_lot"]


async def test_wrong_facts_are_told_beside_their_fields_and_nothing_is_kept(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    for wrong, words in (
        ({"lot_id": "Xin Yuan"}, "编号要以小写字母开头"),
        ({"lot_id": "kangle"}, "已上线"),
        ({"tariff_id": "nothing"}, "请选择收费标准"),
        ({"capacity": "35"}, "36"),
        ({"latitude": "39.9", "longitude": "116.4"}, "不在本区"),
        ({"reason": ""}, "原因"),
    ):
        page = await boss.send(JOINING + "/new", {**NEW, **wrong})
        assert page.status in (400, 409), wrong
        assert words in page.words, wrong
    assert await database_lots.find_lot(office.connections, "xinyuan") is None


async def test_facts_are_corrected_while_it_joins_and_only_by_who_saw_the_last(
    office: Desk,
) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    await boss.send(JOINING + "/new", NEW)
    assert 'value="xinyuan"' in (await boss.get(f"{JOINING}/new?lot=xinyuan")).text
    other = {**NEW, "name": "新源路停车楼"}
    assert (await boss.send(JOINING + "/new", other)).status == 409
    assert (await boss.send(JOINING + "/new", {**other, "version": "1"})).status == 303
    kept = await database_lots.find_lot(office.connections, "xinyuan")
    assert kept is not None
    assert (kept.lot.name, kept.stage) == ("新源路停车楼", Stage.JOINING)


async def test_it_is_given_up_with_a_reason(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    await boss.send(JOINING + "/new", NEW)
    assert (await boss.send(ONE + "/withdraw", {"reason": ""}, ONE)).status == 400
    assert (await boss.send(ONE + "/withdraw", {"reason": "不来了"}, ONE)).status == 303
    assert "没有接入中的车场" in (await boss.get(JOINING)).words
    assert (await boss.send(ONE + "/withdraw", {"reason": "再来"}, JOINING + "/new")).status == 404


async def test_a_car_park_is_removed_with_a_reason_and_may_come_again(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    leave = "/admin/lots/sanda/remove"
    assert "全部历史数据" in (await boss.get(leave)).words
    assert "请勾选确认" in (await boss.send(leave, {"reason": "合同到期"})).words
    assert (await boss.send(leave, {"sure": "yes", "reason": ""})).status == 400
    gone = await boss.send(leave, {"sure": "yes", "reason": "合同到期"})
    assert (gone.status, gone.where.split("?")[0]) == (303, "/admin/lots")
    assert "sanda" not in office.served.lots
    assert (await boss.get("/admin/lots/sanda")).status == 404
    page = await boss.get(JOINING)
    assert "已移除" in page.words
    assert "/admin/joining/new?lot=sanda" in page.text


async def test_only_who_answers_for_the_whole_town_brings_in_or_takes_out(office: Desk) -> None:
    for name, role, lots in (
        ("wang", Role.OPERATOR, ()),
        ("li", Role.PLANNER, ()),
        ("zhao", Role.MANAGER, ("sanda",)),
    ):
        person = await office.at_work(name, role, lots)
        assert (await person.get(JOINING)).status == 403, name
        assert (await person.send(JOINING + "/new", NEW, "/admin/lots")).status == 403, name
        leave = {"sure": "yes", "reason": "x"}
        sent = await person.send("/admin/lots/sanda/remove", leave, "/admin/lots")
        assert sent.status == 403, name
    assert "sanda" in office.served.lots
