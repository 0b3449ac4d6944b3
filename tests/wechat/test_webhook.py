"""The account's address: who is let in, what is answered, and how often."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.waiting import until
from tests.wechat.account_server import (
    ACCOUNT,
    CITIZEN,
    OLD_AES_KEY,
    OLD_TOKEN,
    AccountServer,
    Heard,
    as_xml,
)
from tests.wechat.stage import Served, served
from wechat.message import Message

SIX_MINUTES_MS = 360_000


@pytest.fixture
async def safe(redis: Redis) -> AsyncIterator[Served]:
    async with served(redis) as made:
        yield made


def assert_refused(heard: Heard) -> None:
    assert heard.status == 403
    assert heard.content_type == "text/plain"


async def test_the_address_proves_itself_by_its_echo(safe: Served) -> None:
    heard = await safe.account.verify("1234567890")
    assert (heard.status, heard.body, heard.content_type) == (200, b"1234567890", "text/plain")


async def test_an_echo_is_never_a_page(safe: Served) -> None:
    heard = await safe.account.verify("<script>alert(1)</script>")
    assert heard.content_type == "text/plain"


async def test_nobody_else_gets_an_echo(safe: Served) -> None:
    assert_refused(await safe.account.but(token=OLD_TOKEN).verify())


async def test_a_sealed_message_is_answered_sealed(safe: Served) -> None:
    heard = await safe.account.text("三水广场")
    assert heard.text == "收到：三水广场"
    assert (heard.fields["ToUserName"], heard.fields["FromUserName"]) == (CITIZEN, ACCOUNT)
    assert b"Encrypt" in heard.body


@pytest.mark.parametrize("mode", ["plain", "compatible"])
async def test_other_modes_are_answered_as_they_ask(redis: Redis, mode: str) -> None:
    async with served(redis, MODE=mode) as stage:
        heard = await stage.account.but(mode=mode).text("三水广场")
        assert heard.text == "收到：三水广场"
        assert (b"Encrypt" in heard.body) == (mode == "compatible")


async def test_safe_mode_takes_nothing_plain(safe: Served) -> None:
    assert_refused(await safe.account.but(mode="plain").text("三水广场"))
    assert not safe.answerer.asked


async def test_plain_mode_takes_nothing_sealed(redis: Redis) -> None:
    async with served(redis, MODE="plain") as stage:
        assert_refused(await stage.account.text("三水广场"))


async def test_a_body_the_signature_does_not_cover_is_refused(safe: Served) -> None:
    heard = await safe.account.but(query={"msg_signature": "0" * 40}).text("三水广场")
    assert_refused(heard)
    assert not safe.answerer.asked


@pytest.mark.parametrize(
    "query",
    [
        {"signature": "0" * 40},
        {"signature": "é" * 40},
        {"signature": ""},
        {"timestamp": "now"},
        {"timestamp": "9" * 40},
        {"timestamp": "１２３"},
        {"nonce": "n" * 5_000},
        {"encrypt_type": "rot13"},
        {"msg_signature": ""},
    ],
)
async def test_a_false_query_is_refused(safe: Served, query: dict[str, str]) -> None:
    assert_refused(await safe.account.but(query=query).text("三水广场"))


async def test_a_name_that_stands_twice_is_refused(safe: Served) -> None:
    account = safe.account.but(url=f"{safe.account.url}?nonce=1")
    assert_refused(await account.text("三水广场"))


@pytest.mark.parametrize("off_ms", [-SIX_MINUTES_MS, SIX_MINUTES_MS])
async def test_a_query_of_another_time_is_refused(safe: Served, off_ms: int) -> None:
    assert_refused(await safe.account.but(now_ms=safe.clock.now_ms + off_ms).text("三水广场"))


async def test_before_and_after_a_rotation_both_secrets_hold(redis: Redis) -> None:
    async with served(redis, TOKEN_PREVIOUS=OLD_TOKEN, AES_KEY_PREVIOUS=OLD_AES_KEY) as stage:
        assert (await stage.account.text("新", msg_id=1)).text == "收到：新"
        before = stage.account.but(token=OLD_TOKEN, aes_key=OLD_AES_KEY)
        assert (await before.text("旧", msg_id=2)).text == "收到：旧"


async def test_without_a_rotation_the_old_token_is_refused(safe: Served) -> None:
    assert_refused(await safe.account.but(token=OLD_TOKEN).text("旧"))


async def test_what_no_key_opens_is_authentic_and_gets_success(safe: Served) -> None:
    heard = await safe.account.but(aes_key=OLD_AES_KEY).text("旧")
    assert (heard.status, heard.body) == (200, b"success")


async def test_a_message_for_another_account_gets_success(safe: Served) -> None:
    heard = await safe.account.but(app_id="wx_other").text("三水广场")
    assert (heard.status, heard.body) == (200, b"success")
    assert not safe.answerer.asked


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    "]><xml><Content>&b;</Content></xml>"
)
HOSTILE = {
    "nothing": b"",
    "no XML": b"hello",
    "half": b"<xml><Content>",
    "entities": BOMB.encode(),
    "foreign file": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml>&e;</xml>',
    "instruction": b"<?php echo 1?><xml></xml>",
    "deep": b"<xml>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</xml>",
    "many": b"<xml>" + b"<a>1</a>" * 3_000 + b"</xml>",
    "attributes": b'<xml a="1"></xml>',
    "other root": b"<html></html>",
    "not UTF-8": b"<xml><Content>\xff\xfe</Content></xml>",
    "other encoding": '<?xml version="1.0" encoding="utf-16"?><xml></xml>'.encode("utf-16"),
    "nobody": as_xml({"ToUserName": ACCOUNT, "MsgType": "text"}).encode(),
    "no time": as_xml({"ToUserName": ACCOUNT, "FromUserName": CITIZEN}).encode(),
    "a field twice": b"<xml><Content>a</Content><Content>b</Content></xml>",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_xml_gets_success_and_nobody_is_asked(safe: Served, body: bytes) -> None:
    heard = await safe.account.send_raw(body)
    assert (heard.status, heard.body) == (200, b"success")
    assert not safe.answerer.asked


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_envelope_is_refused(redis: Redis, body: bytes) -> None:
    async with served(redis, MODE="compatible") as stage:
        signed = stage.account._signed()  # noqa: SLF001  # what an eavesdropper replays
        query = {**signed, "encrypt_type": "aes", "msg_signature": "0" * 40}
        assert_refused(await stage.account.post(body, query))


async def test_a_packed_body_is_refused_unread(safe: Served) -> None:
    account = safe.account.but(mode="plain", headers={"Content-Encoding": "gzip"})
    heard = await account.post(gzip.compress(b"0" * 10_000_000), account._signed())  # noqa: SLF001
    assert heard.status == 403


async def test_a_long_body_is_refused(safe: Served) -> None:
    heard = await safe.account.text("长" * 70_000)
    assert (heard.status, heard.content_type) == (413, "text/plain")


async def test_what_breaks_inside_is_no_error_to_wechat(redis: Redis) -> None:
    async def break_down(_: Message) -> str:
        raise KeyError("nobody expected it")

    async with served(redis, break_down) as stage:
        heard = await stage.account.text("三水广场")
        assert (heard.status, heard.body) == (200, b"success")
        assert (await stage.account.text("还在吗", msg_id=2)).status == 200


@pytest.mark.parametrize(
    "text",
    [
        "]]>",
        "a]]>b",
        "]]]]>>",
        "<![CDATA[x]]>",
        "\x00\x08\x1f广场\ufffe",
        "&lt;&amp;",
        "👍🏽𠮷\ud800",
    ],
)
async def test_no_text_breaks_out_of_a_reply(redis: Redis, text: str) -> None:
    async def say(_: Message) -> str:
        return f"「{text}」"

    async with served(redis, say) as stage:
        heard = await stage.account.text("三水广场")
        kept = "".join(c for c in text if c >= " " and c not in "\ufffe\ud800")
        assert heard.text == f"「{kept}」"


async def test_a_long_answer_is_cut_at_a_character(redis: Redis) -> None:
    async def say(_: Message) -> str:
        return "停" * 1_000

    async with served(redis, say) as stage:
        heard = await stage.account.text("三水广场")
        assert heard.text == "停" * 682


async def test_no_answer_is_cut_inside_a_link(redis: Redis) -> None:
    async def say(_: Message) -> str:
        return "停" * 670 + '<a href="https://example.org/long">导航</a>'

    async with served(redis, say) as stage:
        assert (await stage.account.text("三水广场")).text == "停" * 670


async def test_a_repeated_message_gets_the_same_answer_and_is_computed_once(
    redis: Redis,
) -> None:
    async def say(_: Message) -> str:
        return f"第{len(stage.answerer.asked)}次"

    async with served(redis, say) as stage:
        first = await stage.account.text("三水广场", msg_id=7)
        again = await asyncio.gather(*(stage.account.text("三水广场", msg_id=7) for _ in range(9)))
        assert {heard.text for heard in [first, *again]} == {"第1次"}
        assert len({heard.fields["CreateTime"] for heard in [first, *again]}) == 1
        assert (await stage.account.text("三水广场", msg_id=8)).text == "第2次"


async def test_two_workers_compute_a_message_once(redis: Redis) -> None:
    release = asyncio.Event()

    async def say(_: Message) -> str:
        await release.wait()
        return "一次"

    async with served(redis, say) as one, served(redis, say) as two:
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(worker.account.text("三水广场", msg_id=number))
                for number in range(10)
                for worker in (one, two)
            ]
            await until(lambda: len(one.answerer.asked) + len(two.answerer.asked) == 10)
            release.set()
        assert {task.result().text for task in asking} == {"一次"}
        assert len(one.answerer.asked) + len(two.answerer.asked) == 10


async def test_the_other_worker_repeats_what_one_has_answered(redis: Redis) -> None:
    async with served(redis) as one, served(redis) as two:
        first = await one.account.text("三水广场")
        again = await two.account.text("三水广场")
        assert again.fields == first.fields
        assert not two.answerer.asked


async def test_an_event_is_known_by_its_time_and_key(safe: Served) -> None:
    async def click(account: AccountServer, key: str) -> Heard:
        return await account.event("CLICK", EventKey=key)

    await click(safe.account, "find")
    await click(safe.account, "find")
    assert len(safe.answerer.asked) == 1
    await click(safe.account, "fees")
    await click(safe.account.but(now_ms=safe.clock.now_ms + 1_000), "find")
    assert len(safe.answerer.asked) == 3


async def test_what_comes_late_is_delivered_and_the_repetition_gets_success(redis: Redis) -> None:
    release = asyncio.Event()

    async def say(_: Message) -> str:
        await release.wait()
        return "迟来的回答"

    async with served(redis, say, answer_seconds=0.05) as stage, served(redis) as other:
        assert (await stage.account.text("三水广场")).body == b"success"
        assert (await stage.account.text("三水广场")).body == b"success"
        assert (await other.account.text("三水广场")).body == b"success"
        release.set()
        await until(lambda: stage.answerer.late == ["迟来的回答"])
        assert (await stage.account.text("三水广场")).body == b"success"
    assert len(stage.answerer.asked) == 1
    assert not other.answerer.asked


async def test_without_redis_messages_are_answered_once_a_process() -> None:
    async with Redis(port=1, retry=None) as away, served(away) as stage:  # type: ignore[arg-type]
        first = await stage.account.text("三水广场")
        again = await stage.account.text("三水广场")
        assert first.text == again.text == "收到：三水广场"
        assert len(stage.answerer.asked) == 1


async def test_answers_are_forgotten_after_a_minute(safe: Served) -> None:
    await safe.account.text("三水广场", msg_id=1)
    safe.clock.now_ms += 61_000
    later = safe.account.but(now_ms=safe.clock.now_ms)
    await later.text("三水广场", msg_id=2)
    assert len(safe.answerer.asked) == 2
