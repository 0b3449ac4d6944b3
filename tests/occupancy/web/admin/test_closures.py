"""Closing, reserving and signs by the pages: previewed, refused in words, never half applied."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from gateway.observation import FaceState
from occupancy import database_proofs, database_restrictions
from occupancy.database_proofs import Proof
from occupancy.permissions import Role
from occupancy.restriction import Extent
from occupancy.web.admin.fields import local_field, local_moment
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.admin.test_calibration import now_of

CLOSE, RESERVE, SIGN = "/admin/closures/kangle", "/admin/reservations/kangle", "/admin/signs"
HOUR_MS = 3_600_000


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis) as running:
        running.served.clock.now_ms = await now_of(connections)
        running.served.show("kangle", 1)
        yield running


def later(office: Desk, hours: float = 1) -> str:
    return local_field(office.served.clock.now_ms + round(hours * HOUR_MS))


async def test_a_lot_is_closed_and_opened_again(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    form = {"extent": "lot", "until": later(office), "wording": "检修", "reason": "年检"}
    assert (await browser.send(CLOSE, form)).status == 303
    (made,) = await database_restrictions.list_in_force(office.connections)
    assert (made.extent, made.lot_id, made.wording) == (Extent.LOT, "kangle", "检修")
    page = await browser.get("/admin/closures")
    assert "检修" in page.words
    end = f"/admin/closures/{made.number}/end"
    missing = await browser.send(end, {"reason": ""}, page="/admin/closures")
    assert missing.status == 400
    assert (await browser.send(end, {"reason": "好了"}, page="/admin/closures")).status == 303
    assert await database_restrictions.list_in_force(office.connections) == []
    twice = await browser.send(end, {"reason": "好了"}, page="/admin/me")
    assert twice.status == 409
    assert "wang 已经结束了它" in twice.words


async def test_the_preview_tells_what_would_become_of_room_signs_and_drivers(
    office: Desk,
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    token = await browser.token()

    async def effect(path: str, **form: str) -> str:
        return (await browser.post(path + "/preview", {"csrf": token, **form})).words

    assert "24 → 关" in await effect(CLOSE, extent="lot")
    assert "junction-north" in await effect(CLOSE, extent="lot")
    assert "24 → 12" in await effect(CLOSE, extent="group", group="g1")
    assert "24 → 18" in await effect(CLOSE, extent="level", level="1")
    assert "24 → 20" in await effect(RESERVE, spaces="4", until=later(office))
    assert "没有机组 g9" in await effect(CLOSE, extent="group", group="g9")
    assert await database_restrictions.list_in_force(office.connections) == []


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (CLOSE, {}, "请选择停用整个车场"),
        (CLOSE, {"extent": "spaces"}, "请选择停用整个车场"),
        (CLOSE, {"extent": "lot", "until": "2020-01-01T00:00"}, "恢复时间要在"),
        (CLOSE, {"extent": "lot", "until": "tomorrow"}, "不是时间"),
        (CLOSE, {"extent": "lot", "from": "<b>"}, "不是时间"),
        (CLOSE, {"extent": "lot", "wording": ""}, "给市民看的说明"),
        (CLOSE, {"extent": "lot", "reason": ""}, "请填写原因"),
        (RESERVE, {"spaces": "999", "until": "later"}, "共 36 个车位"),
        (RESERVE, {"spaces": "x", "until": "later"}, "不是车位数"),
        (RESERVE, {"spaces": "3"}, "预留必须有结束时间"),
    ],
)
async def test_what_cannot_be_is_refused_and_what_was_typed_stays(
    office: Desk, path: str, form: dict[str, str], words: str
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    if form.get("until") == "later":
        form = {**form, "until": later(office)}
    answer = await browser.send(path, {"wording": "检修工作", "reason": "年检计划", **form})
    assert answer.status == 400
    assert words in answer.words
    if "reason" not in form:
        assert "年检计划" in answer.text
    assert await database_restrictions.list_in_force(office.connections) == []


async def test_nobody_opens_what_is_not_his(office: Desk) -> None:
    wang = await office.at_work("wang", Role.OPERATOR)
    form = {"extent": "lot", "wording": "检修", "reason": "年检"}
    await wang.send(CLOSE, form)
    (made,) = await database_restrictions.list_in_force(office.connections)
    li = await office.at_work("li", Role.OPERATOR, ["sanda"])
    answer = await li.post(
        f"/admin/closures/{made.number}/end", {"csrf": await li.token(), "reason": "x"}
    )
    assert answer.status == 404
    assert len(await database_restrictions.list_in_force(office.connections)) == 1


async def test_a_sign_is_taken_over_tested_and_given_back(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    path = f"{SIGN}/junction-north"
    form = {"line1": "满", "line2": "12", "until": later(office), "reason": "<i>活动"}
    assert (await browser.send(path, form)).status == 303
    page = await browser.get(path)
    assert "&lt;i&gt;活动" in page.text
    assert (await browser.send(path + "/test", {"reason": "验屏"}, page=path)).status == 303
    assert (await browser.send(path + "/test", {"reason": ""}, page=path)).status == 400
    assert (await browser.send(path + "/end", {}, page=path)).status == 303
    assert await database_restrictions.list_overrides_in_force(office.connections) == []
    gone = await browser.post(path + "/end", {"csrf": await browser.token(), "number": "1"})
    assert gone.status == 409


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"line1": "满员"}, "显示不了"),
        ({"line1": "1", "line2": ""}, "显示不了"),
        ({"line1": "1", "line2": "2", "until": ""}, "请填写结束时间"),
        ({"line1": "1", "line2": "2", "until": "2020-01-01T00:00"}, "结束时间已过"),
        ({"line1": "1", "line2": "2", "reason": ""}, "请填写原因"),
    ],
)
async def test_a_sign_is_not_taken_over_by_what_it_cannot_show(
    office: Desk, form: dict[str, str], words: str
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    told = {"until": later(office), "reason": "活动", **form}
    answer = await browser.send(f"{SIGN}/junction-north", told)
    assert answer.status == 400
    assert words in answer.words
    assert await database_restrictions.list_overrides_in_force(office.connections) == []


async def test_what_a_sign_showed_is_told_for_any_minute(office: Desk) -> None:
    now_ms = office.served.clock.now_ms
    for hours, text in ((2, "77"), (1, "66")):
        proof = Proof(
            "junction-north",
            "kangle",
            now_ms - hours * HOUR_MS,
            (text, "1"),
            (text, "1"),
            FaceState.AS_DESIRED,
        )
        await database_proofs.add_proof(office.connections, proof)
    browser = await office.at_work("wang", Role.OPERATOR)
    then = local_field(now_ms - 3 * HOUR_MS // 2)
    page = await browser.get(f"{SIGN}/junction-north?at={then}")
    assert "77 1" in page.words
    assert "66 1" not in page.words
    assert "66 1" in (await browser.get(f"{SIGN}/junction-north")).words


async def test_a_sign_nobody_has_is_not_found(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    assert (await browser.get(f"{SIGN}/nothing")).status == 404


def test_a_time_of_a_field_is_sanshui_time() -> None:
    assert local_moment("1970-01-01T08:00") == 0
    assert local_moment("1970-01-01T08:00:30") is None
    assert local_moment("") is None
    assert local_field(0) == "1970-01-01T08:00"
    assert local_field(None) == ""
