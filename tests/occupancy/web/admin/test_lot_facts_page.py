"""Facts of a car park by the page: in both datums, refused beside the field, never half kept."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from occupancy import database, database_audit
from occupancy.coordinates import to_gcj02
from occupancy.database_audit import Wanted
from occupancy.lot import Lot, OpeningHours, OpeningState, Place
from occupancy.lot_change import distance_km
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.web.admin.lot_form import as_form, in_gcj02, read_form
from tests.builders import a_lot
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.faces import two_lots

FACTS = "/admin/lots/kangle/facts"


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await database.seed_lots(connections, two_lots())
    async with desk(connections, redis) as running:
        running.served.show("kangle", 1)
        yield running


def form(**other: str) -> dict[str, str]:
    return {**as_form(a_lot()), "reason": "现场丈量", **other}


async def kept(office: Desk) -> Lot:
    return next(
        lot for lot in await database.list_lots(office.connections) if lot.lot_id == "kangle"
    )


async def test_a_name_is_changed_and_every_page_says_it_at_once(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    answer = await chen.send(FACTS, form(name="康乐停车楼", almost_full_percent="50"))
    assert answer.status == 303, answer.words
    assert "康乐停车楼" in (await chen.get("/admin/lots/kangle")).words
    told = await office.served.get("/v1/lots/kangle")
    assert told["name"] == "康乐停车楼"
    assert told["thresholds"]["almost_full_free"] == 18
    assert (await kept(office)).name == "康乐停车楼"
    log = await chen.get("/admin/lots/kangle/log")
    assert "现场丈量" in log.words


async def test_a_confirmed_fact_loses_its_mark(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    await chen.send(FACTS, form(unconfirmed="name\nhotline"))
    assert (await kept(office)).placeholders == ("name", "hotline")
    await chen.send(FACTS, form(unconfirmed="hotline"))
    assert (await kept(office)).placeholders == ("hotline",)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"capacity": "37"}, "超过机组钢架：各机组一共只有 36 个车位"),
        ({"capacity": "9" * 30}, "不是整数"),
        ({"capacity": "<b>"}, "不是整数"),
        ({"groups": "g1 6 six"}, "读不懂"),
        ({"groups": ""}, "要有 1 到 100 个机组"),
        ({"height_metres": "nan"}, "不是数字"),
        ({"height_metres": "1e400"}, "不是数字"),
        ({"latitude": "112.8902", "longitude": "23.1569"}, "是否与经度填反了"),
        ({"latitude": "23.3"}, "确实移了这么远"),
        ({"datum": "beijing54"}, "请选择坐标是哪一种"),
        ({"opens": "25:00"}, "请填时刻"),
        ({"opens": "06:00"}, "请填时刻"),
        ({"hotline": "javascript:alert(1)"}, "电话只能是数字"),
        ({"name": "长" * 41}, "最多 40 个字"),
        ({"reason": ""}, "请填写原因"),
        ({}, "没有任何改动"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_kept(
    office: Desk, wrong: dict[str, str], words: str
) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    answer = await chen.send(FACTS, form(**({"name": "新名", **wrong} if wrong else {})))
    assert answer.status == 400
    assert words in answer.words
    assert await kept(office) == a_lot()


async def test_two_at_once_see_both_versions_and_nothing_typed_is_lost(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    wu = await office.at_work("wu", Role.MANAGER)
    seen = (await wu.get(FACTS)).hidden()
    await chen.send(FACTS, form(name="陈的名字"))
    late = await wu.post(FACTS, {**seen, **form(name="吴的<b>名字")})
    assert late.status == 409
    assert "chen 刚刚改过" in late.words
    assert "吴的<b>名字" in late.words
    assert "陈的名字" in late.words
    assert "吴的<b>" not in late.text
    assert (await kept(office)).name == "陈的名字"
    again = await wu.post(FACTS, {**late.hidden(), **form(name="吴的名字")})
    assert again.status == 303


async def test_only_who_may_and_only_his_own(office: Desk) -> None:
    for name, role, lots in (
        ("wang", Role.OPERATOR, []),
        ("li", Role.MANAGER, ["sanda"]),
        ("pan", Role.PLANNER, []),
    ):
        browser = await office.at_work(name, role, lots)
        refused = await browser.post(FACTS, {"csrf": await browser.token(), **form(name="x")})
        assert refused.status == 403
        assert "/facts" not in (await browser.get("/admin/lots/sanda")).text or lots
    assert await kept(office) == a_lot()
    assert (
        await database_audit.list_newest(office.connections, 5, Wanted(action="change_lot")) == []
    )


async def test_the_page_tells_the_entrance_in_both_datums(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    page = await chen.get(FACTS)
    gcj = to_gcj02(a_lot().entrance)
    assert "23.156900, 112.890200" in page.words
    assert f"{gcj.latitude:.6f}, {gcj.longitude:.6f}" in page.words


async def test_facts_that_are_not_in_the_database_yet_are_said_to_be_missing(
    connections: asyncpg.Pool, redis: Redis
) -> None:
    async with desk(connections, redis) as running:
        chen = await running.at_work("chen", Role.MANAGER)
        answer = await chen.get(FACTS)
        assert answer.status == 404
        assert "zhibo migrate" in answer.words


@pytest.mark.parametrize(
    "lot",
    [
        *load_shipped(),
        a_lot(
            opening=OpeningState.CLOSED,
            opening_hours=OpeningHours(360, 1_380),
            covered=False,
            takes_new_energy=False,
        ),
    ],
    ids=lambda lot: lot.lot_id,
)
def test_a_form_that_nobody_touched_changes_nothing(lot: Lot) -> None:
    assert read_form(as_form(lot), lot) == (lot, {})


@given(st.floats(23.0, 23.3), st.floats(112.8, 113.0))
def test_a_place_typed_in_either_datum_is_the_same_place(latitude: float, longitude: float) -> None:
    place = Place(latitude, longitude)
    shown = in_gcj02(place)
    typed = form(datum="gcj02", latitude=str(shown.latitude), longitude=str(shown.longitude))
    lot, errors = read_form(typed, a_lot())
    assert errors == {}
    assert distance_km(lot.entrance, place) < 0.001
