"""What is kept of citizens: little, briefly, and under no name."""

import structlog
from redis.asyncio import Redis
from structlog.testing import capture_logs

from routing.patience import Patience
from tests.occupancy.web.faces import Clock
from tests.wechat.account_server import CITIZEN
from tests.wechat.conversation import talking
from wechat.pseudonym import PEPPER, PEPPER_MS, Pseudonyms

log = structlog.get_logger()


async def test_a_pseudonym_is_the_same_in_every_process(redis: Redis) -> None:
    clock = Clock()
    one = Pseudonyms(redis, clock, Patience(clock))
    two = Pseudonyms(redis, clock, Patience(clock))
    assert await one.person(CITIZEN) == await two.person(CITIZEN)
    assert await one.person(CITIZEN) != await one.person(CITIZEN + "x")
    assert 0 < await redis.pttl(PEPPER) <= PEPPER_MS


async def test_a_new_key_makes_new_pseudonyms(redis: Redis) -> None:
    clock = Clock()
    pseudonyms = Pseudonyms(redis, clock, Patience(clock))
    before = await pseudonyms.person(CITIZEN)
    await redis.delete(PEPPER)
    clock.now_ms += 60_000
    assert await pseudonyms.person(CITIZEN) != before


async def test_everything_of_a_citizen_ends_by_itself(redis: Redis) -> None:
    async with talking(redis) as account:
        for words in ("人民医院", "2", "提醒我", "免费快到提醒我", "长辈版"):
            await account.say(words)
        await account.happen("CLICK", EventKey="find")
        lasting = [
            key
            async for key in redis.scan_iter("zhibo:v1:wechat:*")
            if await redis.pttl(key) < 0 and not key.endswith((b":renewed", b":reminders"))
        ]
        assert lasting == []


async def test_the_list_of_reminders_names_nobody(redis: Redis) -> None:
    async with talking(redis) as account:
        await account.say("康乐路满了提醒我")
        listed = repr(await redis.zrange("zhibo:v1:wechat:reminders", 0, -1))
        assert "kangle" in listed
        assert CITIZEN not in listed


async def test_logs_name_nobody_and_quote_nothing(redis: Redis) -> None:
    with capture_logs() as lines:
        async with talking(redis) as account:
            account.api.is_broken = True
            await account.say("人民医院 我的秘密")
            await account.say("长辈版")
            await account.now.but(token="wrong" * 3).text("人民医院")
            await account.now.send_raw(b"<xml><Content>secret words</Content></xml>")
            await account.say("康乐路满了")
    said = repr(lines)
    assert len(lines) >= 3
    for secret in (CITIZEN, "秘密", "secret words", "access_token", "signature=", "nonce"):
        assert secret not in said


async def test_a_lost_reminder_of_another_car_park_is_replaced(redis: Redis) -> None:
    async with talking(redis) as account:
        await account.say("康乐路满了提醒我")
        await account.say("站前路满了提醒我")
        assert await redis.zcard("zhibo:v1:wechat:reminders") == 1
