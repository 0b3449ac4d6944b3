"""Prices by the pages: drafted, looked at, approved by a second person, never changed after."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database_drafts, database_tariffs
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.tariff_draft import DraftState
from occupancy.tariff_file import shipped_tariffs
from tests.occupancy.web.admin.desk import Browser, Desk, desk
from tests.occupancy.web.admin.test_calibration import now_of

HOME = "/admin/tariffs"


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    async with desk(connections, redis, load_shipped()) as running:
        running.served.clock.now_ms = await now_of(connections)
        yield running


async def begun(browser: Browser) -> str:
    """The address of a new draft of kangle's next version."""
    answer = await browser.send(f"{HOME}/kangle", {"reason": "发改局来文"}, page=HOME)
    assert answer.status == 303, answer.words
    return answer.where.partition("?")[0]


async def text_of(office: Desk, path: str) -> str:
    draft = await database_drafts.find_draft(office.connections, int(path.rsplit("/", 1)[1]))
    assert draft is not None
    return draft.text


async def test_a_version_goes_from_draft_to_approval_through_two_persons(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    path = await begun(chen)
    text = (await text_of(office, path)).replace('name = "', 'name = "新', 1)
    assert (await chen.send(path, {"deed": "save", "text": text, "reason": "改名"})).status == 303
    assert (await chen.send(path, {"deed": "submit", "text": text, "reason": "请审"})).status == 303
    lin = await office.at_work("lin", Role.APPROVER)
    page = await lin.get(path)
    assert "与第 1 版的差别" in page.words
    assert "价目牌" in page.words
    forbidden = await chen.send(path, {"deed": "approve", "reason": "自己批"})
    assert forbidden.status == 403
    assert (await lin.send(path, {"deed": "approve", "reason": "同意"})).status == 303
    versions = await database_tariffs.list_versions(office.connections, "kangle")
    assert [one.tariff.version for one in versions] in ([1, 2], [2, 1])
    late = await lin.send(path, {"deed": "save", "text": text, "reason": "再改"})
    assert late.status == 409
    withdrawn = await lin.send(f"{HOME}/kangle/2", {"reason": "来文有误"})
    assert withdrawn.status == 303
    again = await lin.post(f"{HOME}/kangle/2", {"csrf": await lin.token(), "reason": "x"})
    assert again.status == 409
    in_force = await lin.post(f"{HOME}/kangle/1", {"csrf": await lin.token(), "reason": "x"})
    assert in_force.status == 409
    assert "已执行" in in_force.words


async def test_an_author_does_not_approve_his_own_draft(office: Desk) -> None:
    lin = await office.at_work("lin", Role.APPROVER)
    path = await begun(lin)
    text = await text_of(office, path)
    assert (await lin.send(path, {"deed": "submit", "text": text, "reason": "请审"})).status == 303
    own = await lin.send(path, {"deed": "approve", "reason": "自己批"})
    assert own.status == 409
    assert "须由另一人审批" in own.words


async def test_two_editors_see_each_others_versions_and_nothing_typed_is_lost(
    office: Desk,
) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    wu = await office.at_work("wu", Role.MANAGER)
    path = await begun(chen)
    before, text = (await wu.get(path)).hidden(), await text_of(office, path)
    await chen.send(path, {"deed": "save", "text": "# chen\n" + text, "reason": "改"})
    late = await wu.post(
        path, {**before, "deed": "save", "text": "# wu <b>\n" + text, "reason": "我的"}
    )
    assert late.status == 409
    assert "chen 刚刚改过" in late.words
    assert "# chen" in late.text
    assert "# wu &lt;b&gt;" in late.text
    assert (await text_of(office, path)).startswith("# chen")


async def test_a_broken_draft_is_kept_but_not_handed_in(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    path = await begun(chen)
    broken = "version = \n"
    assert (await chen.send(path, {"deed": "save", "text": broken, "reason": "改"})).status == 303
    refused = await chen.send(path, {"deed": "submit", "text": broken, "reason": "请审"})
    assert refused.status == 400
    assert "还有错误" in refused.words
    assert "错误" in refused.words
    draft = await database_drafts.find_draft(office.connections, int(path.rsplit("/", 1)[1]))
    assert draft is not None
    assert draft.state is DraftState.DRAFT


async def test_the_preview_follows_what_is_typed(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    path = await begun(chen)
    token = await chen.token()
    text = await text_of(office, path)
    good = await chen.post(path + "/preview", {"csrf": token, "text": text})
    assert "09:00 进场，停" in good.words
    bad = await chen.post(path + "/preview", {"csrf": token, "text": "<script>"})
    assert "<script>" not in bad.text
    assert "错误" in bad.words
    long = await chen.post(path + "/preview", {"csrf": token, "text": "x" * 60_000})
    assert long.status == 200


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"deed": "save", "reason": ""}, "请填写原因"),
        ({"deed": "dance", "reason": "x"}, "请选择要做什么"),
        ({"deed": "approve", "reason": "x"}, "可以"),
    ],
)
async def test_what_cannot_be_done_is_said(office: Desk, form: dict[str, str], words: str) -> None:
    person = await office.at_work("boss", Role.ADMIN)
    path = await begun(person)
    text = (await text_of(office, path)) + "\n"
    answer = await person.send(path, {"text": text, **form})
    assert answer.status in (400, 409)
    if words != "可以":
        assert words in answer.words


async def test_what_is_not_there_is_not_found(office: Desk) -> None:
    chen = await office.at_work("chen", Role.MANAGER)
    for path in (f"{HOME}/drafts/99", f"{HOME}/kangle/99", f"{HOME}/nothing/1"):
        assert (await chen.get(path)).status == 404


async def test_a_draft_of_a_car_park_that_is_not_his_is_not_there(office: Desk) -> None:
    path = await begun(await office.at_work("chen", Role.MANAGER))
    text = await text_of(office, path)
    other = await office.at_work("hu", Role.APPROVER, ["sanda"])
    token = await other.token()
    assert (await other.get(path)).status == 404
    for form in ({"deed": "save", "text": "# mine"}, {"deed": "submit", "text": text}):
        answer = await other.post(path, {"csrf": token, "edit": "1", "reason": "x", **form})
        assert answer.status == 404
    assert (await other.post(path + "/preview", {"csrf": token, "text": text})).status == 404
    assert await text_of(office, path) == text
