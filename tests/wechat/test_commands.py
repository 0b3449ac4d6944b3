"""The account from the command line: menu, door codes, doctor, forgetting."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateway.settings import BadSettingError
from tests.occupancy.web.faces import Clock
from tests.wechat.account_server import CITIZEN
from tests.wechat.conversation import talking
from tests.wechat.stage import settings_with
from tests.wechat.stand_in import SECRET, StandIn, check_menu, standing_in
from wechat.answering import CLICKS
from wechat.commands import NotForgottenError, check_account, erase, make_codes, put_menu
from wechat.config import WechatSettings
from wechat.menu import elders_menu, everybodys_menu, keys_of
from wechat.texts import load_texts

URL = "https://zhibo.example"


@pytest.fixture
async def api() -> AsyncIterator[StandIn]:
    async with standing_in() as made:
        yield made
        assert made.wrong == []


@pytest.fixture
def settings(api: StandIn) -> WechatSettings:
    return settings_with(SECRET=SECRET, API=api.address)


async def test_the_menu_is_put_up_with_one_for_elders(
    redis: Redis, api: StandIn, settings: WechatSettings
) -> None:
    said = await put_menu(redis, settings, URL, Clock())
    assert [one["name"] for one in api.menus[0]["button"]] == ["找车位", "收费规则", "我的服务"]
    (elders,) = api.conditional_menus
    assert elders["matchrule"] == {"tag_id": "100"}
    assert "elders (tag 100)" in said
    await put_menu(redis, settings, URL, Clock())
    assert len(api.made_tags) == 1


async def test_a_menu_without_a_public_address_is_refused(
    redis: Redis, settings: WechatSettings
) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_PUBLIC_URL"):
        await put_menu(redis, settings, "", Clock())


async def test_without_a_secret_nothing_can_be_called(redis: Redis) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_WECHAT_SECRET"):
        await make_codes(redis, settings_with(), ["kangle"], Clock())


def test_every_click_of_the_menus_is_known() -> None:
    texts = load_texts()
    for menu in (everybodys_menu(texts, f"{URL}/m/"), elders_menu(texts, 100)):
        check_menu(menu["button"])
        assert keys_of(menu) <= set(CLICKS)


async def test_every_door_has_its_code(redis: Redis, settings: WechatSettings) -> None:
    lines = (await make_codes(redis, settings, ["kangle", "new"], Clock())).splitlines()
    assert [line.split()[0] for line in lines] == ["kangle", "new"]


async def test_the_doctor_knows_a_sound_account(redis: Redis, settings: WechatSettings) -> None:
    assert (await check_account(redis, settings, Clock())).ok


async def test_the_doctor_names_what_is_wrong(redis: Redis, api: StandIn) -> None:
    wrong = settings_with(SECRET=SECRET[::-1], API=api.address)
    finding = await check_account(redis, wrong, Clock())
    assert not finding.ok
    assert "ZHIBO_WECHAT_SECRET" in finding.cure
    assert SECRET[::-1] not in finding.line()
    api.fail_next["/cgi-bin/stable_token"] = [40164]
    finding = await check_account(redis, settings_with(SECRET=SECRET, API=api.address), Clock())
    assert "IP whitelist" in finding.line()
    assert "ZHIBO_WECHAT_SECRET" in (await check_account(redis, settings_with(), Clock())).line()


async def test_no_account_is_no_trouble(redis: Redis) -> None:
    assert (await check_account(redis, WechatSettings(), Clock())).ok


async def test_an_account_without_a_token_is_named(redis: Redis) -> None:
    finding = await check_account(redis, WechatSettings(app_id="wx"), Clock())
    assert "ZHIBO_WECHAT_TOKEN" in finding.line()


async def test_a_citizen_is_erased_by_his_openid(redis: Redis) -> None:
    async with talking(redis) as account:
        await account.say("人民医院")
        await account.say("提醒我")
        await account.say("长辈版")
        assert account.api.tagged == {CITIZEN}
        told = settings_with(SECRET=SECRET, API=account.api.address)
        assert (await erase(redis, told, CITIZEN, account.clock)).startswith("4 things deleted")
        assert (await erase(redis, settings_with(), CITIZEN, account.clock)).startswith("0 things")
        assert account.api.tagged == set()
        account.api.is_broken = True
        assert "stays with WeChat" in await erase(redis, told, CITIZEN, account.clock)
        account.api.is_broken = False
        assert "请先告诉我目的地" in await account.say("换一个")


async def test_what_cannot_be_deleted_now_is_said() -> None:
    async with Redis(port=1) as away:
        with pytest.raises(NotForgottenError):
            await erase(away, settings_with(), CITIZEN, Clock())


async def test_the_elders_menu_comes_and_goes_with_the_words(redis: Redis) -> None:
    async with talking(redis) as account:
        await account.happen("CLICK", EventKey="elder")
        assert account.api.tagged == {CITIZEN}
        await account.happen("CLICK", EventKey="elder_ask")
        assert "2. " not in await account.say("人民医院")
        await account.happen("CLICK", EventKey="standard")
        assert account.api.tagged == set()
        assert "2. " in await account.say("人民医院")
        account.api.is_broken = True
        assert "长辈版" in await account.say("长辈版")
