"""What several car parks share is changed only by who answers for all of them."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import calendar_desk, database_drafts, database_restrictions, database_tariffs
from occupancy.permissions import ForbiddenError, Permission, Person, Role
from occupancy.tariff_file import shipped_tariffs
from occupancy.web.admin.fields import local_field
from tests.builders import a_lot
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.admin.test_calibration import now_of

CALENDAR, TARIFFS = "/admin/calendar/2027", "/admin/tariffs"
SIGN = "/admin/signs/junction-north"
HOLIDAY = {"days": "2027-12-06", "day_type": "public_holiday", "reason": "来文"}


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    """Two car parks, one price: both take kangle's."""
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    lots = [a_lot(), a_lot(lot_id="sanda", name="三达路", short_name="三达路")]
    async with desk(connections, redis, lots) as running:
        running.served.clock.now_ms = await now_of(connections)
        yield running


async def test_the_towns_calendar_is_for_who_holds_the_town(office: Desk) -> None:
    wu = await office.at_work("wu", Role.MANAGER, ["kangle"])
    page = await wu.get(CALENDAR)
    assert page.status == 200
    assert "把选中的日子改成" not in page.words
    refused = await wu.post(CALENDAR, {"csrf": await wu.token(), **HOLIDAY})
    assert refused.status == 403
    assert "wu（车场经理）不管 sanda" in refused.words
    undo = await wu.post(CALENDAR + "/undo", {"csrf": await wu.token(), "number": "1"})
    assert undo.status == 403
    days = await calendar_desk.read_year(office.connections, 2027)
    assert all(one.override is None for one in days)
    chen = await office.at_work("chen", Role.MANAGER, ["kangle", "sanda"])
    assert (await chen.send(CALENDAR, HOLIDAY)).status == 303


async def test_rules_of_the_town_are_for_who_holds_the_town(office: Desk) -> None:
    wu = await office.at_work("wu", Role.MANAGER, ["kangle"])
    assert (await wu.get("/admin/rules")).status == 200
    assert 'href="/admin/rules/drift"' not in (await wu.get("/admin/rules")).text
    assert (await wu.get("/admin/rules/drift")).status == 403
    assert (await wu.post("/admin/rules/drift", {"csrf": await wu.token()})).status == 403


async def test_every_town_wide_page_is_closed_to_who_holds_a_part(office: Desk) -> None:
    admin = office.served.face.admin
    assert admin is not None
    wide = [page for page in admin.pages if page.town_wide]
    assert wide
    browser = await office.at_work("part", Role.ADMIN, ["kangle"])
    names = {"year": "2027", "kind": "drift", "severity": "major", "step": "2", "number": "1"}
    names |= {"joining": "xinyuan", "lot": "kangle"}
    for page in wide:
        address = page.path.format(**names)
        if page.method == "GET":
            assert (await browser.get(address)).status == 403, address
        else:
            form = {"csrf": await browser.token()}
            assert (await browser.post(address, form)).status == 403, address


async def test_a_shared_price_is_drafted_and_approved_by_who_holds_every_lot_of_it(
    office: Desk,
) -> None:
    wu = await office.at_work("wu", Role.MANAGER, ["kangle"])
    assert "起草下一版" not in (await wu.get(TARIFFS)).words
    begin = {"csrf": await wu.token(), "reason": "来文"}
    refused = await wu.post(f"{TARIFFS}/kangle", begin)
    assert refused.status == 403
    assert "不管 sanda" in refused.words
    assert await database_drafts.list_drafts(office.connections) == []
    chen = await office.at_work("chen", Role.MANAGER, ["sanda", "kangle"])
    begun = await chen.send(f"{TARIFFS}/kangle", {"reason": "来文"}, page=TARIFFS)
    assert begun.status == 303
    path = begun.where.partition("?")[0]
    assert (await wu.get(path)).status == 200
    hidden = (await chen.get(path)).hidden()
    mine = {**hidden, "csrf": await wu.token(), "deed": "discard", "reason": "不要"}
    assert (await wu.post(path, mine)).status == 403
    assert (await chen.send(path, {"deed": "submit", "reason": "请审"})).status == 303
    lin = await office.at_work("lin", Role.APPROVER, ["kangle"])
    approve = {**hidden, "csrf": await lin.token(), "edit": "2", "deed": "approve", "reason": "可"}
    assert (await lin.post(path, approve)).status == 403
    versions = await database_tariffs.list_versions(office.connections, "kangle")
    assert len(versions) == 1
    withdraw = {"csrf": await lin.token(), "reason": "撤"}
    assert (await lin.post(f"{TARIFFS}/kangle/1", withdraw)).status == 403


async def test_a_sign_of_several_lots_is_taken_over_by_who_holds_them_all(office: Desk) -> None:
    until = local_field(office.served.clock.now_ms + 3_600_000)
    form = {"line1": "满", "line2": "12", "until": until, "reason": "活动"}
    wu = await office.at_work("wu", Role.OPERATOR, ["kangle"])
    assert "人工接管" not in (await wu.get(SIGN)).words
    assert (await wu.post(SIGN, {"csrf": await wu.token(), **form})).status == 403
    assert await database_restrictions.list_overrides_in_force(office.connections) == []
    chen = await office.at_work("chen", Role.OPERATOR)
    assert (await chen.send(SIGN, form)).status == 303


def test_who_holds_no_named_lots_holds_all() -> None:
    everywhere, here = Person("a", Role.MANAGER), Person("b", Role.MANAGER, ("kangle",))
    assert everywhere.covers(["kangle", "sanda"])
    assert here.covers(["kangle"])
    assert not here.covers(["kangle", "sanda"])
    here.require_all(Permission.EDIT_RULES, ["kangle"])
    with pytest.raises(ForbiddenError, match="sanda"):
        here.require_all(Permission.EDIT_RULES, ["kangle", "sanda"])
    with pytest.raises(ForbiddenError, match="may not approve_tariff"):
        here.require_all(Permission.APPROVE_TARIFF, ["kangle"])
