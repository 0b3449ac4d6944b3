"""Our calls of WeChat's API, against a stand-in that checks them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.occupancy.web.faces import Clock
from tests.wechat.stage import settings_with
from tests.wechat.stand_in import SECRET, StandIn, standing_in
from wechat.account import Account, opened
from wechat.account_errors import (
    BadCodeError,
    BadSecretError,
    NoConsentError,
    QuotaUsedUpError,
    TokenRefusedError,
    TooFastError,
    UnreachableError,
    WechatError,
)

SEND = "/cgi-bin/message/custom/send"
TOKEN = "/cgi-bin/stable_token"  # noqa: S105  # a path


@pytest.fixture
async def api() -> AsyncIterator[StandIn]:
    async with standing_in() as made:
        yield made
        assert made.wrong == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def account(redis: Redis, api: StandIn, clock: Clock) -> AsyncIterator[Account]:
    async with opened(redis, settings_with(SECRET=SECRET, API=api.address), clock) as made:
        yield made


async def test_a_text_goes_out_in_chinese(account: Account, api: StandIn) -> None:
    await account.send_text("oCitizen", "康乐路已满")
    assert api.said == [("oCitizen", "康乐路已满")]


async def test_many_processes_fetch_one_token(redis: Redis, api: StandIn, clock: Clock) -> None:
    settings = settings_with(SECRET=SECRET, API=api.address)
    async with opened(redis, settings, clock) as one, opened(redis, settings, clock) as two:
        calls = [account.token() for account in (one, two) for _ in range(20)]
        assert set(await asyncio.gather(*calls)) == {"token-1"}
    assert api.calls[TOKEN] == 1


async def test_an_expired_token_is_renewed_once_for_all(
    redis: Redis, api: StandIn, clock: Clock
) -> None:
    settings = settings_with(SECRET=SECRET, API=api.address)
    async with opened(redis, settings, clock) as one, opened(redis, settings, clock) as two:
        await one.token()
        api.expire()
        sending = [account.send_text("o", "好") for account in (one, two) for _ in range(10)]
        await asyncio.gather(*sending)
    assert len(api.said) == 20
    assert api.issued == 2


async def test_a_token_refused_again_is_not_asked_for_for_ever(
    account: Account, api: StandIn
) -> None:
    api.fail_next[SEND] = [40001, 42001, 40001]
    with pytest.raises(TokenRefusedError):
        await account.send_text("o", "好")
    assert api.calls[SEND] == 2


async def test_a_refused_token_that_comes_back_is_renewed_by_force(
    account: Account, api: StandIn
) -> None:
    api.fail_next[SEND] = [40001]
    await account.send_text("o", "好")
    assert (api.forced, api.said) == (1, [("o", "好")])


async def test_a_wrong_secret_names_itself(redis: Redis, api: StandIn, clock: Clock) -> None:
    settings = settings_with(SECRET=SECRET[::-1], API=api.address)
    async with opened(redis, settings, clock) as account:
        with pytest.raises(BadSecretError, match="ZHIBO_WECHAT_SECRET"):
            await account.token()


@pytest.mark.parametrize(
    ("code", "kind", "minutes"), [(45009, QuotaUsedUpError, 60), (45011, TooFastError, 1)]
)
async def test_a_quota_that_is_used_up_is_left_alone(
    account: Account, api: StandIn, clock: Clock, code: int, kind: type[WechatError], minutes: int
) -> None:
    api.fail_next[SEND] = [code]
    for _ in range(3):
        with pytest.raises(kind):
            await account.send_text("o", "好")
    assert api.calls[SEND] == 1
    clock.now_ms += minutes * 60_000
    await account.send_text("o", "好")
    assert api.said == [("o", "好")]


async def test_a_broken_api_is_named_and_no_secret_stands_in_the_words(
    account: Account, api: StandIn
) -> None:
    await account.token()
    api.is_broken = True
    with pytest.raises(UnreachableError) as trouble:
        await account.send_text("o", "好")
    assert "token-1" not in str(trouble.value)


async def test_an_api_that_is_not_there_is_named(redis: Redis, clock: Clock) -> None:
    settings = settings_with(SECRET=SECRET, API="http://127.0.0.1:9")
    async with opened(redis, settings, clock) as account:
        with pytest.raises(UnreachableError):
            await account.token()


async def test_one_consent_sends_one_notice(account: Account, api: StandIn) -> None:
    api.consents = [("o", "template")]
    await account.send_notice("o", "template", {"thing1": "康乐路"})
    with pytest.raises(NoConsentError):
        await account.send_notice("o", "template", {"thing1": "康乐路"})
    assert len(api.notices) == 1


async def test_a_qr_code_carries_its_scene(account: Account) -> None:
    assert (await account.make_qr("lot:kangle")).endswith("lot:kangle")
    assert (await account.make_qr("lot:sanda", is_permanent=False)).endswith("lot:sanda")


async def test_who_signs_in_is_known_by_his_openid(account: Account) -> None:
    page = account.sign_in_page("https://zhibo.example/m/", "state")
    assert "scope=snsapi_base" in page
    assert await account.openid_of("good") == "oSignedIn"
    with pytest.raises(BadCodeError):
        await account.openid_of("used")


async def test_the_ticket_of_the_pages_is_shared_too(account: Account, api: StandIn) -> None:
    assert {await account.jsapi_ticket() for _ in range(3)} == {"ticket-1"}
    assert api.calls["/cgi-bin/ticket/getticket"] == 1


async def test_without_redis_there_is_a_token_all_the_same(api: StandIn, clock: Clock) -> None:
    settings = settings_with(SECRET=SECRET, API=api.address)
    async with Redis(port=1) as away, opened(away, settings, clock) as account:
        assert await account.token() == "token-1"
        assert await account.token() == "token-1"
    assert api.calls[TOKEN] == 1
