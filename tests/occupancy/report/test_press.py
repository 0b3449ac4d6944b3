"""Reports are made by one, once; never changed; corrected beside the old one; mailed once."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

import asyncpg
import msgspec
import pytest
from aiosmtpd.controller import Controller

from occupancy import (
    database,
    database_audit,
    database_report_jobs,
    database_report_mail,
    database_report_versions,
)
from occupancy.database import Pool
from occupancy.database_report_versions import find_file, find_report, list_versions
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.escalation_config import EscalationSettings, MailServer
from occupancy.report import desk, pdf
from occupancy.report.kept import PDF, QUARTERS, JobState, Subject, find_changes
from occupancy.report.period import PeriodKind
from occupancy.report.press import MOST_ATTEMPTS, CannotBeMadeError, Made, Press, Say
from occupancy.report.schedule import Plan
from occupancy.rollup import Window
from tests.free_port import free_port
from tests.occupancy.test_escalation import Mailbox
from tests.report_builder import OCTOBER, sample_report

NOBODY = EscalationSettings({})
ALL_OF_OCTOBER = Subject(OCTOBER)
RAW = {"kangle": [Window("kangle", OCTOBER.start_ms, 15, 900_000)]}
NOVEMBER_2_MS = OCTOBER.end_ms + 86_400_000 + 7 * 3_600_000
FIRST_DAYS = Plan(PeriodKind.MONTH, 2, 6 * 60, ("plan@parking.example", "boss@parking.example"))


async def make_sample(_: Pool, subject: Subject, now_ms: int, say: Say) -> Made:
    say(0.5)
    report = sample_report(subject.period, version=0, note="")
    return Made(msgspec.structs.replace(report, generated_at_ms=now_ms), RAW)


def press(
    connections: asyncpg.Pool, mail: EscalationSettings = NOBODY, now_ms: int = NOVEMBER_2_MS
) -> Press:
    return Press(connections, lambda: now_ms, make_sample, mail)


async def made(connections: asyncpg.Pool) -> None:
    await desk.ask_first(connections, ALL_OF_OCTOBER, "wang")
    assert await press(connections).work_next()


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, EscalationSettings]]:
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield (
            box,
            EscalationSettings(
                {},
                mail_from="zhibo@parking.example",
                mail_server=MailServer("smtp+plain", "127.0.0.1", server.port, "", ""),
                public_url="https://parking.example",
            ),
        )
    finally:
        server.stop()


async def test_a_report_is_kept_letter_by_letter_with_its_pdf_and_its_quarters(
    connections: asyncpg.Pool,
) -> None:
    await made(connections)
    kept = await find_report(connections, ALL_OF_OCTOBER)
    assert kept is not None
    assert (kept.report.version, kept.report.note, kept.head.made_by) == (1, "首次生成", "wang")
    assert hashlib.sha256(kept.document).digest() == kept.head.sha256
    assert msgspec.json.decode(kept.document, type=type(kept.report)) == kept.report
    file = await find_file(connections, kept.head.report_id, PDF)
    assert file is not None
    assert file == pdf.pdf(kept.report)
    assert await find_file(connections, kept.head.report_id, QUARTERS)
    job = await database_report_jobs.find_newest(connections, ALL_OF_OCTOBER)
    assert job is not None
    assert (job.state, job.progress, job.report_id) == (JobState.DONE, 1, kept.head.report_id)


@pytest.mark.parametrize("role", ["", database.WEB_ROLE])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE report_version SET note = 'x'",
        "DELETE FROM report_version",
        "UPDATE report_file SET content = 'x'",
        "DELETE FROM report_file",
        "UPDATE report_publication SET reason = 'x'",
        "DELETE FROM report_publication",
    ],
)
async def test_nobody_changes_a_version(
    connections: asyncpg.Pool, postgres_url: str, role: str, change: str
) -> None:
    await made(connections)
    async with database.pool(postgres_url, role) as theirs:
        with pytest.raises(asyncpg.PostgresError):
            await theirs.execute(change)


async def test_who_asks_again_for_what_is_being_made_waits_for_the_same_job(
    connections: asyncpg.Pool,
) -> None:
    first = await desk.ask_first(connections, ALL_OF_OCTOBER, "wang")
    second = await desk.ask_first(connections, ALL_OF_OCTOBER, "li")
    assert first.job_id == second.job_id
    await asyncio.gather(*(press(connections).work_next() for _ in range(3)))
    assert [one.version for one in await list_versions(connections, ALL_OF_OCTOBER)] == [1]


async def test_a_correction_is_a_new_version_with_its_note_beside_the_old_one(
    connections: asyncpg.Pool,
) -> None:
    await made(connections)
    with pytest.raises(BadEditError):
        await desk.ask_again(connections, ALL_OF_OCTOBER, by="li", note=" ")
    await desk.ask_again(connections, ALL_OF_OCTOBER, by="li", note="补录火车站数据")
    await press(connections).work_next()
    versions = await list_versions(connections, ALL_OF_OCTOBER)
    assert [(one.version, one.note) for one in versions] == [(2, "补录火车站数据"), (1, "首次生成")]
    old = await find_report(connections, ALL_OF_OCTOBER, 1)
    assert old is not None
    assert old.report.note == "首次生成"
    (record,) = await database_audit.list_newest(connections, 1)
    assert (record.who, record.action, record.reason) == ("li", "correct_report", "补录火车站数据")


async def test_history_that_was_corrected_afterwards_is_noticed(
    connections: asyncpg.Pool,
) -> None:
    await made(connections)
    kept = await find_report(connections, ALL_OF_OCTOBER)
    assert kept is not None
    same = await database_report_versions.read_sources(connections, ALL_OF_OCTOBER)
    assert find_changes(kept.sources, same) == []
    await connections.execute(
        "CREATE TABLE rollup_60_old PARTITION OF rollup_60 "
        "FOR VALUES FROM ('2026-10-01') TO ('2026-11-01')"
    )
    await connections.execute(
        "INSERT INTO rollup_60 VALUES "
        "('sanda', '2026-10-09 04:00+00', 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0)"
    )
    now = await database_report_versions.read_sources(connections, ALL_OF_OCTOBER)
    assert find_changes(kept.sources, now) == ["sanda"]


async def test_a_person_stands_for_a_version_once_and_it_is_recorded(
    connections: asyncpg.Pool,
) -> None:
    await made(connections)
    kept = await find_report(connections, ALL_OF_OCTOBER)
    assert kept is not None
    with pytest.raises(BadEditError):
        await desk.publish(connections, kept, by="li", reason="")
    await desk.publish(connections, kept, by="li", reason="局务会通过")
    with pytest.raises(SettledError):
        await desk.publish(connections, kept, by="wang", reason="再发一次")
    (head,) = await list_versions(connections, ALL_OF_OCTOBER)
    assert (head.published_by, head.publication_reason) == ("li", "局务会通过")
    (record,) = await database_audit.list_newest(connections, 1)
    assert (record.action, record.subject) == ("publish_report", "report 2026-10")
    assert record.after["sha256"] == kept.head.sha256.hex()


async def test_what_cannot_be_made_says_why(connections: asyncpg.Pool) -> None:
    async def refuse(_: Pool, __: Subject, ___: int, ____: Say) -> Made:
        raise CannotBeMadeError("没有 x 这个车场")

    await desk.ask_first(connections, ALL_OF_OCTOBER, "wang")
    await Press(connections, lambda: NOVEMBER_2_MS, refuse, NOBODY).work_next()
    job = await database_report_jobs.find_newest(connections, ALL_OF_OCTOBER)
    assert job is not None
    assert (job.state, job.trouble) == (JobState.FAILED, "没有 x 这个车场")


async def test_a_report_that_postgresql_left_is_made_once_it_is_back(
    connections: asyncpg.Pool,
) -> None:
    async def lose(_: Pool, __: Subject, ___: int, ____: Say) -> Made:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")

    await desk.ask_first(connections, ALL_OF_OCTOBER, "wang")
    assert await Press(connections, lambda: NOVEMBER_2_MS, lose, NOBODY).work_next()
    await connections.execute("UPDATE report_job SET held_until = now()")
    assert await press(connections).work_next()
    job = await database_report_jobs.find_newest(connections, ALL_OF_OCTOBER)
    assert job is not None
    assert (job.state, job.attempts) == (JobState.DONE, 2)


async def test_a_worker_that_died_is_followed_and_changes_nothing_when_it_wakes(
    connections: asyncpg.Pool,
) -> None:
    await desk.ask_first(connections, ALL_OF_OCTOBER, "wang")
    dead = await database_report_jobs.claim(connections, 0.0)
    assert dead is not None
    assert await press(connections).work_next()
    assert not await database_report_jobs.note_progress(connections, dead, 0.9, "排版", 60.0)
    await database_report_jobs.fail(connections, dead, "late")
    job = await database_report_jobs.find_newest(connections, ALL_OF_OCTOBER)
    assert job is not None
    assert (job.state, job.attempts) == (JobState.DONE, 2)


async def test_what_kills_its_workers_is_given_up(connections: asyncpg.Pool) -> None:
    await desk.ask_first(connections, ALL_OF_OCTOBER, "wang")
    for _ in range(MOST_ATTEMPTS):
        assert await database_report_jobs.claim(connections, -1.0)
    assert await press(connections).work_next()
    job = await database_report_jobs.find_newest(connections, ALL_OF_OCTOBER)
    assert job is not None
    assert job.state is JobState.FAILED


async def test_one_person_does_not_fill_the_queue(connections: asyncpg.Pool) -> None:
    period = OCTOBER
    for _ in range(desk.MOST_OPEN):
        await desk.ask_first(connections, Subject(period), "wang")
        period = period.previous()
    with pytest.raises(desk.TooManyJobsError):
        await desk.ask_first(connections, Subject(period), "wang")
    assert (await desk.ask_first(connections, Subject(period), "li")).is_open


async def test_a_plan_makes_publishes_and_mails_each_once(connections: asyncpg.Pool) -> None:
    number = await desk.add_plan(connections, FIRST_DAYS, by="li", reason="月度例会")
    await connections.execute("UPDATE report_schedule SET set_at = '2026-10-20'")
    with mail_server() as (box, mail):
        for _ in range(3):
            one = press(connections, mail)
            await one.look_at_plans()
            await one.work_next()
            one.planned_at_ms = 0
            await one.look_at_plans()
            await one.mail_due()
    kept = await find_report(connections, ALL_OF_OCTOBER)
    assert kept is not None
    assert kept.head.published_by == "li"
    assert kept.head.publication_reason == f"按 {number} 号发送计划发布"
    mails = [message_from_bytes(one) for one in box.mails]
    assert sorted(one["To"] for one in mails) == sorted(FIRST_DAYS.recipients)
    assert len({one["Message-ID"] for one in mails}) == 2
    mailed = await database_report_mail.list_mailed(connections, kept.head.report_id)
    assert all(one.delivered_at_ms is not None for one in mailed)


def parts(mail: Message) -> dict[str, bytes]:
    return {
        part.get_content_type(): payload
        for part in mail.walk()
        if isinstance(payload := part.get_payload(decode=True), bytes)
    }


async def test_the_mail_says_what_the_report_says(connections: asyncpg.Pool) -> None:
    await desk.add_plan(connections, FIRST_DAYS, by="li", reason="月度例会")
    await connections.execute("UPDATE report_schedule SET set_at = '2026-10-20'")
    with mail_server() as (box, mail):
        one = press(connections, mail)
        await one.look_at_plans()
        await one.work_next()
        one.planned_at_ms = 0
        await one.look_at_plans()
        await one.mail_due()
    mailed = message_from_bytes(box.mails[0])
    subject = str(make_header(decode_header(mailed["Subject"])))
    assert subject == "[三水智泊] 三水区公共停车拥堵报告 2026 年 10 月 第 1 版"
    told = parts(mailed)
    text = told["text/plain"].decode()
    assert "高峰饱和度：91.8%" in text
    assert "https://parking.example/reports/2026-10/v1" in text
    assert told["application/pdf"].startswith(b"%PDF")
    assert told["image/png"].startswith(b"\x89PNG")


async def test_whoever_got_a_version_gets_its_correction_when_somebody_stands_for_it(
    connections: asyncpg.Pool,
) -> None:
    await made(connections)
    first = await find_report(connections, ALL_OF_OCTOBER)
    assert first is not None
    async with connections.acquire() as connection:
        await database_report_mail.address(connection, first.head.report_id, ["a@parking.example"])
    await desk.ask_again(connections, ALL_OF_OCTOBER, by="li", note="补录")
    await press(connections).work_next()
    second = await find_report(connections, ALL_OF_OCTOBER)
    assert second is not None
    await desk.publish(connections, second, by="li", reason="更正")
    with mail_server() as (box, mail):
        await press(connections, mail).mail_due()
    subjects = {
        str(make_header(decode_header(message_from_bytes(one)["Subject"]))) for one in box.mails
    }
    assert any("第 2 版（更正版）" in one for one in subjects)


async def test_a_mail_server_that_is_away_is_tried_again_later(connections: asyncpg.Pool) -> None:
    await made(connections)
    kept = await find_report(connections, ALL_OF_OCTOBER)
    assert kept is not None
    async with connections.acquire() as connection:
        await database_report_mail.address(connection, kept.head.report_id, ["a@parking.example"])
    away = EscalationSettings(
        {}, mail_server=MailServer("smtp+plain", "127.0.0.1", free_port(), "", "")
    )
    await press(connections, away).mail_due()
    (mailed,) = await database_report_mail.list_mailed(connections, kept.head.report_id)
    assert (mailed.attempts, mailed.delivered_at_ms) == (1, None)
    assert mailed.trouble


async def test_what_was_due_before_a_plan_was_set_is_not_made_up_for(
    connections: asyncpg.Pool,
) -> None:
    await desk.add_plan(connections, FIRST_DAYS, by="li", reason="月度例会")
    await connections.execute("UPDATE report_schedule SET set_at = '2026-11-02 23:00+08'")
    await press(connections, now_ms=NOVEMBER_2_MS + 86_400_000).look_at_plans()
    assert await database_report_jobs.list_open(connections, 5) == []


async def test_of_two_who_change_a_plan_the_second_sees_both(connections: asyncpg.Pool) -> None:
    number = await desk.add_plan(connections, FIRST_DAYS, by="li", reason="月度例会")
    other = msgspec.structs.replace(FIRST_DAYS, day=3)
    await desk.set_plan(connections, number, other, edit=1, by="wang", reason="改到三号")
    with pytest.raises(StaleEditError):
        await desk.set_plan(connections, number, FIRST_DAYS, edit=1, by="li", reason="改回")
    (kept,) = await database_report_mail.list_schedules(connections)
    assert kept.plan == other
    assert kept.plan.lots == ()
    assert dt.datetime.fromtimestamp(kept.set_at_ms / 1_000, tz=dt.UTC).year >= 2026
