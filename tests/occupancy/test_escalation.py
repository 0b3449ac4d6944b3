"""Alarms that nobody acknowledges are told outside: once, signed, again after a failure."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.header import decode_header, make_header

import asyncpg
import msgspec
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.settings import BadSettingError
from occupancy import (
    alarm_desk,
    database_audit,
    database_escalation,
    database_escalation_steps,
    escalation_desk,
)
from occupancy.alarm import Severity
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.escalation import (
    DELIVERY,
    PAUSES_SECONDS,
    SIGNATURE,
    Channel,
    Step,
    pause_seconds,
)
from occupancy.escalation_config import EscalationSettings, MailServer, load_settings
from occupancy.escalator import Escalator
from tests.free_port import free_port
from tests.occupancy.test_alarm_desk import listed, now_of, picks, raised
from tests.waiting import until

SECRET = "a-secret-of-the-receiver"  # noqa: S105
AT_ONCE = {Severity.CRITICAL: 0, Severity.MAJOR: 0}


class Receiver:
    """Takes what it is told, or refuses it while `status` is no success."""

    def __init__(self) -> None:
        self.status = 204
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.first: Callable[[web.Request], Awaitable[web.Response]] | None = None

    async def take(self, request: web.Request) -> web.Response:
        self.told.append((dict(request.headers), await request.read()))
        if self.first is not None:
            return await self.first(request)
        return web.Response(status=self.status)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/alarms", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield receiver, f"http://127.0.0.1:{runner.addresses[0][1]}/alarms"
    finally:
        await runner.cleanup()


class Mailbox:
    """A mail server's handler that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(content)
        return "250 taken"


def by_webhook(url: str, **minutes: int) -> EscalationSettings:
    wanted = {Severity(name): value for name, value in minutes.items()} or AT_ONCE
    return EscalationSettings(wanted, url, SECRET, public_url="https://parking.example")


def escalator(connections: asyncpg.Pool, settings: EscalationSettings) -> Escalator:
    return Escalator(connections, settings, lambda: True)


async def at_once(connections: asyncpg.Pool) -> None:
    await database_escalation_steps.keep_defaults(connections, by_webhook("x").first_steps)


async def test_a_webhook_is_told_once_and_can_check_who_told_it(connections: asyncpg.Pool) -> None:
    (alarm,) = await raised(connections, "kangle-g1")
    async with receiving() as (receiver, url):
        loop = escalator(connections, by_webhook(url))
        await loop.look()
        await loop.look()
    ((headers, body),) = receiver.told
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={expected}"
    assert headers[DELIVERY] == f"alarm-{alarm.alarm_id}-webhook"
    told = msgspec.json.decode(body)
    assert (told["lot"], told["kind"], told["severity"]) == ("kangle", "device_offline", "major")
    assert told["link"] == f"https://parking.example/admin/alarms/{alarm.alarm_id}"


async def test_who_refuses_is_told_again_after_a_pause(connections: asyncpg.Pool) -> None:
    (alarm,) = await raised(connections, "kangle-g1")
    async with receiving() as (receiver, url):
        receiver.status = 500
        loop = escalator(connections, by_webhook(f"{url}?key=of-the-receiver"))
        await loop.look()
        await loop.look()
        assert len(receiver.told) == 1, "not again before the pause is over"
        ((step, channel, attempts, is_done, trouble),) = await database_escalation.list_told(
            connections, alarm.alarm_id
        )
        assert (step, channel, attempts, is_done) == (1, "webhook", 1, False)
        assert "500" in trouble
        assert "of-the-receiver" not in trouble
        await connections.execute("UPDATE escalation SET next_at = now()")
        receiver.status = 200
        await loop.look()
    assert [headers[DELIVERY] for headers, _ in receiver.told] == [
        f"alarm-{alarm.alarm_id}-webhook"
    ] * 2
    (told,) = await database_escalation.list_told(connections, alarm.alarm_id)
    assert told == (1, "webhook", 2, True, "")


async def test_a_receiver_that_is_away_stops_nothing(connections: asyncpg.Pool) -> None:
    (alarm,) = await raised(connections, "kangle-g1")
    await escalator(connections, by_webhook(f"http://127.0.0.1:{free_port()}/")).look()
    ((_, _, attempts, is_done, trouble),) = await database_escalation.list_told(
        connections, alarm.alarm_id
    )
    assert (attempts, is_done) == (1, False)
    assert trouble


async def test_nobody_is_told_of_what_somebody_has_seen_put_off_or_not_for_long(
    connections: asyncpg.Pool,
) -> None:
    seen, later, _ = await raised(connections, "a", "b", "c")
    now_ms = await now_of(connections)
    await alarm_desk.acknowledge(connections, picks(seen), by="wang", note="", now_ms=now_ms)
    await alarm_desk.snooze(
        connections, picks(later), until_ms=now_ms + 60_000, by="wang", reason="等件", now_ms=now_ms
    )
    async with receiving() as (receiver, url):
        await escalator(connections, by_webhook(url, major=5)).look()
        assert receiver.told == []
        await escalator(connections, by_webhook(url, critical=0)).look()
        assert receiver.told == []
        await escalator(connections, by_webhook(url, major=1)).look()
    assert [msgspec.json.decode(body)["subject"] for _, body in receiver.told] == ["c"]


async def test_of_two_recorders_that_list_the_same_alarm_one_tells_it(
    connections: asyncpg.Pool,
) -> None:
    await raised(connections, "a")
    await at_once(connections)
    (due,) = await database_escalation.list_due(connections, [Channel.WEBHOOK])
    assert await database_escalation.claim(connections, due, 60.0)
    assert not await database_escalation.claim(connections, due, 60.0)
    assert await database_escalation.list_due(connections, [Channel.WEBHOOK]) == []


async def test_what_is_acknowledged_while_others_are_told_is_not_told(
    connections: asyncpg.Pool,
) -> None:
    _, second = await raised(connections, "a", "b")

    async def acknowledge_second(_: web.Request) -> web.Response:
        now_ms = await now_of(connections)
        await alarm_desk.acknowledge(connections, picks(second), by="w", note="", now_ms=now_ms)
        return web.Response()

    async with receiving() as (receiver, url):
        receiver.first = acknowledge_second
        await escalator(connections, by_webhook(url)).look()
    assert [msgspec.json.decode(body)["subject"] for _, body in receiver.told] == ["a"]


async def test_a_recorder_that_died_while_telling_is_followed(connections: asyncpg.Pool) -> None:
    await raised(connections, "a")
    await at_once(connections)
    (due,) = await database_escalation.list_due(connections, [Channel.WEBHOOK])
    assert await database_escalation.claim(connections, due, 0.0)
    async with receiving() as (receiver, url):
        await escalator(connections, by_webhook(url)).look()
    assert len(receiver.told) == 1


async def test_a_webhook_that_hangs_holds_up_no_mail(connections: asyncpg.Pool) -> None:
    await raised(connections, "a")
    box, is_mailed = Mailbox(), asyncio.Event()
    server = Controller(box, hostname="127.0.0.1", port=free_port())

    async def hang(_: web.Request) -> web.Response:
        await is_mailed.wait()
        return web.Response()

    server.start()
    try:
        async with receiving() as (receiver, url), asyncio.TaskGroup() as group:
            receiver.first = hang
            settings = EscalationSettings(
                AT_ONCE,
                url,
                SECRET,
                mail_to=("duty@parking.example",),
                mail_server=MailServer("smtp+plain", "127.0.0.1", server.port, "", ""),
                mail_from="zhibo@parking.example",
            )
            group.create_task(escalator(connections, settings).look())
            await until(lambda: bool(box.mails))
            is_mailed.set()
    finally:
        server.stop()


async def test_a_mail_says_in_chinese_what_is_wrong_and_where(connections: asyncpg.Pool) -> None:
    (alarm,) = await raised(connections, "kangle-g1")
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        settings = EscalationSettings(
            AT_ONCE,
            mail_to=("duty@parking.example", "boss@parking.example"),
            mail_from="zhibo@parking.example",
            mail_server=MailServer("smtp+plain", "127.0.0.1", server.port, "", ""),
            public_url="https://parking.example",
        )
        loop = escalator(connections, settings)
        await loop.look()
        await loop.look()
    finally:
        server.stop()
    (mail,) = [message_from_bytes(one) for one in box.mails]
    assert str(make_header(decode_header(mail["Subject"]))) == (
        "[三水智泊] 重要告警：kangle 设备离线"
    )
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert f"/admin/alarms/{alarm.alarm_id}" in body.decode()
    assert "没有人确认" in body.decode()


def a_step(number: int, minutes: int, *mail_to: str) -> Step:
    return Step(Severity.MAJOR, number, minutes, by_webhook=not mail_to, mail_to=mail_to)


async def set_step(connections: asyncpg.Pool, step: Step, version: int = 0) -> None:
    await escalation_desk.change_step(connections, step, version=version, by="chen", reason="值班")


async def grows_older(connections: asyncpg.Pool, minutes: int) -> None:
    await connections.execute(
        "UPDATE alarm SET raised_at = raised_at - make_interval(mins => $1)", minutes
    )


async def told_of(receiver: Receiver) -> list[tuple[int, str]]:
    return [
        (msgspec.json.decode(body)["step"], headers[DELIVERY]) for headers, body in receiver.told
    ]


async def test_the_next_step_is_told_later_and_once_as_long_as_nobody_has_seen_it(
    connections: asyncpg.Pool,
) -> None:
    (alarm,) = await raised(connections, "kangle-g1")
    async with receiving() as (receiver, url):
        loop = escalator(connections, by_webhook(url, major=0))
        await loop.look()
        await set_step(connections, a_step(2, 10))
        await set_step(connections, a_step(3, 20))
        await loop.look()
        assert await told_of(receiver) == [(1, f"alarm-{alarm.alarm_id}-webhook")]
        await grows_older(connections, 10)
        await loop.look()
        await loop.look()
        assert (await told_of(receiver))[1:] == [(2, f"alarm-{alarm.alarm_id}-step2-webhook")]
        now_ms = await now_of(connections)
        (now,) = await listed(connections)
        await alarm_desk.acknowledge(connections, picks(now), by="wang", note="", now_ms=now_ms)
        await grows_older(connections, 30)
        await loop.look()
    assert len(receiver.told) == 2
    told = await database_escalation.list_told(connections, alarm.alarm_id)
    assert [(one.step, one.is_delivered) for one in told] == [(1, True), (2, True)]


async def test_a_first_step_that_fails_does_not_hold_up_the_second(
    connections: asyncpg.Pool,
) -> None:
    await raised(connections, "kangle-g1")
    async with receiving() as (receiver, url):
        receiver.status = 500
        loop = escalator(connections, by_webhook(url, major=0))
        await loop.look()
        await set_step(connections, a_step(2, 1))
        receiver.status = 200
        await loop.look()
    assert [step for step, _ in await told_of(receiver)] == [1, 2]


async def test_a_snooze_or_planned_work_begins_the_wait_anew(connections: asyncpg.Pool) -> None:
    (alarm,) = await raised(connections, "kangle-g1")
    await grows_older(connections, 60)
    async with receiving() as (receiver, url):
        loop = escalator(connections, by_webhook(url, major=30))
        await connections.execute("UPDATE alarm SET snoozed_until = now() - interval '20 min'")
        await loop.look()
        assert receiver.told == []
        await connections.execute("UPDATE alarm SET snoozed_until = NULL")
        await connections.execute(
            "INSERT INTO quiet_window (lot_id, from_at, until_at, reason, made_by) VALUES "
            "('kangle', now() - interval '50 min', now() - interval '20 min', 'x', 'wang')"
        )
        await loop.look()
        assert receiver.told == []
        await grows_older(connections, 60)
        await connections.execute("UPDATE quiet_window SET ended_at = now() - interval '40 min'")
        await loop.look()
    assert await told_of(receiver) == [(1, f"alarm-{alarm.alarm_id}-webhook")]


async def test_each_step_mails_its_own_people(connections: asyncpg.Pool) -> None:
    await raised(connections, "kangle-g1")
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        settings = EscalationSettings(
            AT_ONCE,
            mail_to=("duty@parking.example",),
            mail_from="zhibo@parking.example",
            mail_server=MailServer("smtp+plain", "127.0.0.1", server.port, "", ""),
        )
        await escalator(connections, settings).look()
        await set_step(connections, a_step(2, 1, "boss@parking.example"))
        await escalator(connections, settings).look()
    finally:
        server.stop()
    mails = [message_from_bytes(one) for one in box.mails]
    assert [mail["To"] for mail in mails] == ["duty@parking.example", "boss@parking.example"]
    assert mails[0]["Message-ID"] != mails[1]["Message-ID"]
    assert "第 2 次升级" in str(make_header(decode_header(mails[1]["Subject"])))


async def test_the_settings_are_the_first_step_until_somebody_edits_it(
    connections: asyncpg.Pool,
) -> None:
    async def first() -> list[tuple[int, bool]]:
        found = await database_escalation_steps.list_steps(connections)
        return [(s.after_minutes, s.from_settings) for s in found if s.severity is Severity.MAJOR]

    async def keep(minutes: int) -> None:
        wanted = by_webhook("https://x.example", major=minutes).first_steps
        await database_escalation_steps.keep_defaults(connections, wanted)

    await keep(30)
    await keep(40)
    assert await first() == [(40, True)]
    await set_step(connections, a_step(1, 7), version=2)
    await keep(50)
    assert await first() == [(7, False)]
    await escalation_desk.withdraw_step(
        connections, Severity.MAJOR, 1, version=3, by="chen", reason="x"
    )
    await keep(50)
    assert await first() == [(50, True)]
    traces = await database_audit.list_newest(connections, 9)
    assert [one.action for one in traces] == ["withdraw_escalation", "change_escalation"]


async def test_steps_come_one_after_the_other_and_are_taken_back_from_the_end(
    connections: asyncpg.Pool,
) -> None:
    await set_step(connections, a_step(1, 5))
    await set_step(connections, a_step(2, 10))
    await set_step(connections, a_step(3, 20))
    for step, version, words in (
        (a_step(2, 5), 1, "要晚于第 1 步的 5 分钟"),
        (a_step(2, 20), 1, "要早于第 3 步的 20 分钟"),
        (a_step(5, 50), 0, "请先设第 4 步"),
        (a_step(6, 50), 0, "最多 5 步"),
    ):
        with pytest.raises(BadEditError, match=words):
            await set_step(connections, step, version)
    with pytest.raises(StaleEditError):
        await set_step(connections, a_step(2, 11), 9)

    async def withdraw(number: int, version: int) -> None:
        await escalation_desk.withdraw_step(
            connections, Severity.MAJOR, number, version=version, by="chen", reason="x"
        )

    with pytest.raises(SettledError, match="请先撤销后面的第 3 步"):
        await withdraw(2, 1)
    with pytest.raises(StaleEditError):
        await withdraw(3, 9)
    await withdraw(3, 1)
    with pytest.raises(SettledError, match="已经撤销"):
        await withdraw(3, 2)
    await set_step(connections, a_step(3, 25), 2)


def test_pauses_grow_and_never_end() -> None:
    assert [pause_seconds(n) for n in range(1, 9)] == [*PAUSES_SECONDS, 1_800, 1_800]


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"ZHIBO_ALARM_WEBHOOK": "http://far.example/x"}, "ZHIBO_ALARM_WEBHOOK"),
        ({"ZHIBO_ALARM_WEBHOOK": "https://far.example/x"}, "ZHIBO_ALARM_WEBHOOK_SECRET"),
        ({"ZHIBO_ALARM_MAIL_TO": "a@b"}, "ZHIBO_SMTP_URL"),
        ({"ZHIBO_SMTP_URL": "ftp://a", "ZHIBO_ALARM_MAIL_TO": "a@b"}, "ZHIBO_SMTP_URL"),
        ({"ZHIBO_ALARM_CRITICAL_MINUTES": "soon"}, "ZHIBO_ALARM_CRITICAL_MINUTES"),
    ],
)
def test_half_a_channel_is_refused_by_its_name(environ: dict[str, str], name: str) -> None:
    with pytest.raises(BadSettingError, match=name):
        load_settings(environ)


def test_whole_channels_are_read() -> None:
    settings = load_settings(
        {
            "ZHIBO_ALARM_WEBHOOK": "https://far.example/x",
            "ZHIBO_ALARM_WEBHOOK_SECRET": "s",
            "ZHIBO_ALARM_MAIL_TO": "a@b, c@d",
            "ZHIBO_SMTP_URL": "smtps://us%40er:p%3Aw@mail.example",
        }
    )
    assert settings.channels == (Channel.WEBHOOK, Channel.MAIL)
    assert settings.mail_to == ("a@b", "c@d")
    assert settings.mail_server == MailServer("smtps", "mail.example", 465, "us@er", "p:w")
    assert settings.minutes == {Severity.CRITICAL: 5, Severity.MAJOR: 30}
    assert load_settings({}).channels == ()
