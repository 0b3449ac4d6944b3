"""Reminders: asked for, sent once, within WeChat's limits; and answers that come late."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from tests.waiting import until
from tests.wechat.account_server import CITIZEN
from tests.wechat.conversation import Account, talking
from wechat import person_store, reminders

HOUR_MS, MINUTE_MS = 3_600_000, 60_000


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders, "LOOK_SECONDS", 0.01)


@pytest.fixture
async def account(redis: Redis) -> AsyncIterator[Account]:
    async with talking(redis) as made:
        yield made


async def nobody_waits(account: Account) -> bool:
    return not await account.redis.zcard(person_store.DUE)


async def test_a_full_car_park_reminds_once_with_the_next_best(account: Account) -> None:
    await account.say("人民医院")
    assert "康乐路如果满了，会提醒您一次" in await account.say("提醒我")
    account.see("kangle", 0)
    await until(lambda: bool(account.api.said))
    assert await nobody_waits(account)
    account.see("kangle", 5)
    account.see("kangle", 0)
    ((openid, text),) = account.api.said
    assert openid == CITIZEN
    lines = text.splitlines()
    assert lines[0] == "【提醒】康乐路已满。"
    assert lines[1].startswith("可改去")
    assert lines[2].startswith('<a href="https://')


async def test_two_processes_send_a_reminder_once(redis: Redis) -> None:
    async with talking(redis) as one, talking(redis) as two:
        await one.say("康乐路满了提醒我")
        two.see("kangle", 0)
        one.see("kangle", 0)
        await until(lambda: bool(one.api.said or two.api.said))
        assert await nobody_waits(one)
        assert len(one.api.said) + len(two.api.said) == 1


async def test_the_end_of_the_free_period_reminds_ten_minutes_before(account: Account) -> None:
    await account.happen("SCAN", EventKey="lot:kangle")
    assert "08:20会提醒您一次" in await account.say("免费快到提醒我")
    account.clock.now_ms += 19 * MINUTE_MS
    assert account.api.said == []
    account.clock.now_ms += 2 * MINUTE_MS
    await until(lambda: bool(account.api.said))
    assert account.api.said == [(CITIZEN, "【提醒】康乐路的免费时段08:30结束，还剩10分钟。")]


async def test_a_free_period_that_ends_at_once_is_said_at_once(account: Account) -> None:
    await account.happen("SCAN", EventKey="lot:kangle")
    account.clock.now_ms += 25 * MINUTE_MS
    assert "不到10分钟了" in await account.say("免费快到提醒我")
    assert await nobody_waits(account)


async def test_a_full_car_park_needs_no_reminder(account: Account) -> None:
    account.see("kangle", 0)
    assert "现在就是满的" in await account.say("康乐路满了提醒我")


async def test_nothing_to_be_reminded_of_is_asked_for(account: Account) -> None:
    assert "请先告诉我目的地" in await account.say("提醒我")


async def test_a_cancelled_reminder_is_not_sent(account: Account) -> None:
    await account.say("康乐路满了提醒我")
    assert await account.say("取消提醒") == "已取消提醒。"
    account.see("kangle", 0)
    await until(lambda: nobody_waits(account))
    assert account.api.said == []


async def test_a_watch_ends_silently(account: Account) -> None:
    await account.say("康乐路满了提醒我")
    account.clock.now_ms += 3 * HOUR_MS
    await until(lambda: nobody_waits(account))
    assert account.api.said == []


async def test_a_refused_reminder_is_not_sent_again(account: Account) -> None:
    await account.say("康乐路满了提醒我")
    path = "/cgi-bin/message/custom/send"
    account.api.fail_next[path] = [45047]
    account.see("kangle", 0)
    await until(lambda: account.api.calls[path] == 1)
    assert await nobody_waits(account)
    account.see("kangle", 5)
    account.see("kangle", 0)
    assert account.api.said == []


async def test_one_consent_sends_one_notice(redis: Redis) -> None:
    async with talking(redis, REMINDER_TEMPLATE="tmpl") as account:
        account.api.consents = [(CITIZEN, "tmpl")]
        await account.say("人民医院")
        heard = await account.happen(
            "subscribe_msg_popup_event",
            SubscribeMsgPopupEvent={
                "List": {"TemplateId": "tmpl", "SubscribeStatusString": "accept", "PopupScene": 2}
            },
        )
        assert "康乐路如果满了" in heard.text
        account.see("kangle", 0)
        await until(lambda: bool(account.api.notices))
        (notice,) = account.api.notices
        assert notice == (CITIZEN, "tmpl", {"thing1": "康乐路", "thing2": "康乐路已满"})
        assert account.api.said == []


async def test_a_refused_consent_is_no_reminder(account: Account) -> None:
    await account.say("人民医院")
    popup = {"List": {"TemplateId": "tmpl", "SubscribeStatusString": "reject", "PopupScene": 2}}
    heard = await account.happen("subscribe_msg_popup_event", SubscribeMsgPopupEvent=popup)
    assert heard.body == b"success"
    assert await nobody_waits(account)


async def test_messages_of_our_own_keep_to_the_limits(redis: Redis) -> None:
    now_ms = 1_000_000

    async def allowed(at_ms: int) -> int:
        return sum([await person_store.take_message(redis, "p", at_ms) for _ in range(9)])

    assert await allowed(now_ms) == 0
    await person_store.open_window(redis, "p", now_ms, is_talk=True)
    assert await allowed(now_ms + 47 * HOUR_MS) == 5
    await person_store.open_window(redis, "p", now_ms, is_talk=False)
    assert await allowed(now_ms + 59_000) == 3
    await person_store.open_window(redis, "p", now_ms, is_talk=False)
    assert await allowed(now_ms + 61_000) == 0
    await person_store.open_window(redis, "p", now_ms, is_talk=True)
    assert await allowed(now_ms + 49 * HOUR_MS) == 0


async def test_a_session_of_an_older_version_is_a_new_one(redis: Redis) -> None:
    await redis.set("zhibo:v1:wechat:{p}:session", b"\xc1 nothing we know")
    assert (await person_store.find_session(redis, "p")).destination == ""


async def test_a_late_answer_is_a_message_of_our_own(redis: Redis) -> None:
    async with talking(redis, answer_seconds=0.0) as account:
        assert (await account.send("text", Content="人民医院")).body == b"success"
        await until(lambda: bool(account.api.said))
        ((openid, text),) = account.api.said
        assert openid == CITIZEN
        assert text.startswith("去三水区人民医院，停2小时：")
        assert "</a>" in text


async def test_a_late_answer_that_is_not_taken_breaks_nothing(redis: Redis) -> None:
    async with talking(redis, answer_seconds=0.0) as account:
        path = "/cgi-bin/message/custom/send"
        account.api.fail_next[path] = [45015]
        await account.send("text", Content="人民医院")
        await until(lambda: account.api.calls[path] == 1)
        await account.send("text", Content="人民医院")
        await until(lambda: len(account.api.said) == 1)


async def test_without_redis_nobody_counts_so_nothing_late_is_said() -> None:
    async with Redis(port=1) as away, talking(away, answer_seconds=0.0) as account:
        with capture_logs() as lines:
            await account.send("text", Content="人民医院")
            await until(lambda: any("could not be said" in line["event"] for line in lines))
        assert account.api.said == []
