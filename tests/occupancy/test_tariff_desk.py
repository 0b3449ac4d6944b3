"""A tariff version goes from draft to force through two persons; each step leaves its record."""

import asyncio
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from occupancy import database, database_audit, database_drafts, database_tariffs, tariff_desk
from occupancy.database_audit import Wanted
from occupancy.edit import BadEditError, SamePersonError, SettledError, StaleEditError
from occupancy.tariff_check import BadTariffError
from occupancy.tariff_clock import DAY_MINUTES, local_minute
from occupancy.tariff_desk import NoSuchDraftError, NoSuchVersionError
from occupancy.tariff_draft import LONGEST_TEXT, BadDraftError, Draft, DraftState
from occupancy.tariff_file import OUR_TARIFFS, read_folder
from occupancy.tariff_toml import write_tariff
from tests.builders import MORNING_MS

KANGLE = read_folder(OUR_TARIFFS)["kangle"].tariff
NOW_MS = MORNING_MS
TOMORROW = local_minute(NOW_MS) + DAY_MINUTES
NEXT = replace(KANGLE, version=2, valid_from=TOMORROW)
WHY = "发改局来文"


@pytest.fixture
async def seeded(connections: asyncpg.Pool) -> asyncpg.Pool:
    await database_tariffs.seed_tariffs(connections, [KANGLE])
    return connections


async def begun(pool: asyncpg.Pool, text: str = "") -> Draft:
    text = text or write_tariff(NEXT)
    return await tariff_desk.begin_draft(pool, "kangle", text, by="li", reason=WHY)


async def submitted(pool: asyncpg.Pool, text: str = "") -> Draft:
    draft = await begun(pool, text)
    return await submit(pool, draft)


async def submit(pool: asyncpg.Pool, draft: Draft, by: str = "li", now_ms: int = NOW_MS) -> Draft:
    return await tariff_desk.submit_draft(
        pool, draft.draft_id, edit=draft.edit, by=by, reason=WHY, now_ms=now_ms
    )


async def approve(
    pool: asyncpg.Pool, draft: Draft, by: str = "chen", now_ms: int = NOW_MS
) -> Draft:
    return await tariff_desk.approve_draft(
        pool, draft.draft_id, edit=draft.edit, by=by, reason=WHY, now_ms=now_ms
    )


async def withdraw(pool: asyncpg.Pool, version: int, now_ms: int = NOW_MS) -> None:
    await tariff_desk.withdraw_version(
        pool, "kangle", version, by="chen", reason="来文有误", now_ms=now_ms
    )


async def actions(pool: asyncpg.Pool) -> list[tuple[str, str]]:
    records = await database_audit.list_newest(pool, 50, Wanted(subject="tariff kangle"))
    return [(one.who, one.action) for one in reversed(records)]


async def test_a_version_goes_through_two_persons_and_leaves_a_record_of_each_step(
    seeded: asyncpg.Pool,
) -> None:
    draft = await begun(seeded, "half a thou")
    draft = await tariff_desk.save_draft(
        seeded, draft.draft_id, write_tariff(NEXT), edit=1, by="wang", reason=WHY
    )
    assert (draft.authors, draft.state, draft.edit) == (("li", "wang"), DraftState.DRAFT, 2)
    draft = await submit(seeded, draft)
    assert await database_tariffs.list_tariffs(seeded) == [KANGLE]
    approved = await approve(seeded, draft)
    assert (approved.state, approved.version) == (DraftState.APPROVED, 2)
    assert await database_tariffs.list_tariffs(seeded) == [KANGLE, NEXT]
    assert await actions(seeded) == [
        ("li", "begin_tariff"),
        ("wang", "edit_tariff"),
        ("li", "submit_tariff"),
        ("chen", "approve_tariff"),
    ]
    records = await database_audit.list_newest(seeded, 50)
    assert {one.reason for one in records} == {WHY}
    assert records[0].before == {"draft": 1, "edit": 3, "state": "submitted", "version": None}
    assert records[0].after == {"draft": 1, "edit": 4, "state": "approved", "version": 2}
    assert (records[2].before["text"], records[2].after["text"]) == (
        "half a thou",
        write_tariff(NEXT),
    )
    assert (await database_audit.verify(seeded))[1] is None


@pytest.mark.parametrize("author", ["li", "wang"])
async def test_nobody_who_wrote_or_handed_in_a_draft_approves_it(
    seeded: asyncpg.Pool, author: str
) -> None:
    draft = await submit(seeded, await begun(seeded), by="wang")
    with pytest.raises(SamePersonError, match=author):
        await approve(seeded, draft, by=author)
    assert await database_tariffs.list_tariffs(seeded) == [KANGLE]
    assert await database_drafts.find_draft(seeded, draft.draft_id) == draft


async def test_the_database_itself_refuses_an_author_as_approver(seeded: asyncpg.Pool) -> None:
    await submitted(seeded)
    with pytest.raises(asyncpg.CheckViolationError):
        await seeded.execute(
            "UPDATE tariff_draft SET state = 'approved', version = 2, changed_by = 'li'"
        )


async def test_who_saves_over_anothers_change_gets_both_texts(seeded: asyncpg.Pool) -> None:
    draft = await begun(seeded)
    theirs = await tariff_desk.save_draft(
        seeded, draft.draft_id, "theirs", edit=1, by="wang", reason=WHY
    )
    with pytest.raises(StaleEditError) as conflict:
        await tariff_desk.save_draft(seeded, draft.draft_id, "mine", edit=1, by="li", reason=WHY)
    assert (conflict.value.mine, conflict.value.theirs) == ("mine", theirs)
    with pytest.raises(StaleEditError):
        await submit(seeded, draft)
    assert await actions(seeded) == [("li", "begin_tariff"), ("wang", "edit_tariff")]


async def test_of_two_who_save_at_once_one_wins(seeded: asyncpg.Pool) -> None:
    draft = await begun(seeded)
    saves = [
        tariff_desk.save_draft(seeded, draft.draft_id, by, edit=1, by=by, reason=WHY)
        for by in ("li", "wang", "zhao")
    ]
    answers = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(one, Draft) for one in answers) == 1
    assert sum(isinstance(one, StaleEditError) for one in answers) == 2


async def test_an_approved_draft_is_settled_for_commands_and_for_the_database(
    seeded: asyncpg.Pool,
) -> None:
    draft = await approve(seeded, await submitted(seeded))
    with pytest.raises(SettledError, match="不可再改"):
        await tariff_desk.save_draft(
            seeded, draft.draft_id, "x", edit=draft.edit, by="li", reason=WHY
        )
    for statement in ("UPDATE tariff_draft SET text = ''", "DELETE FROM tariff_draft"):
        with pytest.raises(asyncpg.RaiseError, match="begin another"):
            await seeded.execute(statement)


@pytest.mark.usefixtures("seeded")
async def test_the_web_role_has_no_right_to_change_what_is_published(postgres_url: str) -> None:
    async with database.pool(postgres_url, database.WEB_ROLE) as web:
        await approve(web, await submitted(web))
        await withdraw(web, 2)
        for statement in (
            "UPDATE tariff_version SET published_by = 'x'",
            "DELETE FROM tariff_version",
            "TRUNCATE tariff_version",
            "UPDATE tariff_withdrawal SET reason = 'x'",
            "DELETE FROM tariff_withdrawal",
            "DELETE FROM revision",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.execute(statement)


async def test_a_withdrawal_is_never_changed(seeded: asyncpg.Pool) -> None:
    await approve(seeded, await submitted(seeded))
    await withdraw(seeded, 2)
    with pytest.raises(asyncpg.RaiseError, match="never taken back"):
        await seeded.execute("DELETE FROM tariff_withdrawal")


async def test_a_broken_draft_is_kept_but_not_handed_in(seeded: asyncpg.Pool) -> None:
    draft = await begun(seeded, write_tariff(replace(NEXT, version=1)))
    with pytest.raises(BadDraftError) as refused:
        await submit(seeded, draft)
    assert [one.field for one in refused.value.remarks] == ["version"]
    assert await database_drafts.find_draft(seeded, draft.draft_id) == draft


async def test_a_draft_whose_day_has_come_is_not_approved(seeded: asyncpg.Pool) -> None:
    draft = await submitted(seeded)
    with pytest.raises(BadDraftError, match="valid_from"):
        await approve(seeded, draft, now_ms=NOW_MS + 2 * 86_400_000)
    assert await database_tariffs.list_tariffs(seeded) == [KANGLE]


async def test_of_two_drafts_of_one_number_the_second_is_told_the_next(
    seeded: asyncpg.Pool,
) -> None:
    first, second = await submitted(seeded), await submitted(seeded)
    answers = await asyncio.gather(
        approve(seeded, first), approve(seeded, second), return_exceptions=True
    )
    (refused,) = (one for one in answers if isinstance(one, BadDraftError))
    assert "请写 3" in str(refused)
    assert len(await database_tariffs.list_tariffs(seeded)) == 2


async def test_a_draft_is_sent_back_and_comes_again(seeded: asyncpg.Pool) -> None:
    draft = await submitted(seeded)
    back = await tariff_desk.return_draft(
        seeded, draft.draft_id, edit=draft.edit, by="chen", reason="封顶偏高"
    )
    assert (back.state, back.authors) == (DraftState.DRAFT, ("li",))
    with pytest.raises(SettledError, match="起草中"):
        await approve(seeded, back)
    approved = await approve(seeded, await submit(seeded, back))
    assert approved.state is DraftState.APPROVED


async def test_a_discarded_draft_stays_readable_and_is_over(seeded: asyncpg.Pool) -> None:
    draft = await begun(seeded)
    gone = await tariff_desk.discard_draft(
        seeded, draft.draft_id, edit=draft.edit, by="li", reason="不再调价"
    )
    assert gone.state is DraftState.DISCARDED
    with pytest.raises(SettledError, match="已作废"):
        await submit(seeded, gone)
    assert await database_drafts.list_drafts(seeded, "kangle") == [gone]
    assert await database_drafts.list_drafts(seeded, "sanda") == []


async def test_a_version_is_withdrawn_before_its_day_and_its_number_is_not_given_again(
    seeded: asyncpg.Pool,
) -> None:
    await approve(seeded, await submitted(seeded))
    await withdraw(seeded, 2)
    assert await database_tariffs.list_tariffs(seeded) == [KANGLE]
    newest, first = await database_tariffs.list_versions(seeded, "kangle")
    assert newest.withdrawn is not None
    assert (newest.withdrawn.by, newest.withdrawn.reason) == ("chen", "来文有误")
    assert (newest.tariff, first.withdrawn, first.published_by) == (NEXT, None, "tariffs/*.toml")
    with pytest.raises(NoSuchVersionError):
        await withdraw(seeded, 2)
    assert "version = 3" in await tariff_desk.propose_text(seeded, "kangle", TOMORROW)
    third = replace(NEXT, version=3)
    await approve(seeded, await submitted(seeded, write_tariff(third)))
    assert await database_tariffs.list_tariffs(seeded) == [KANGLE, third]


async def test_a_version_in_force_is_not_withdrawn(seeded: asyncpg.Pool) -> None:
    await approve(seeded, await submitted(seeded))
    with pytest.raises(SettledError, match="已执行"):
        await withdraw(seeded, 2, now_ms=NOW_MS + 86_400_000)
    with pytest.raises(SettledError, match="已执行"):
        await withdraw(seeded, 1)
    assert len(await database_tariffs.list_tariffs(seeded)) == 2


async def test_a_version_between_two_others_is_not_withdrawn_if_that_leaves_a_gap(
    seeded: asyncpg.Pool,
) -> None:
    ends = replace(NEXT, valid_to=TOMORROW + DAY_MINUTES)
    await approve(seeded, await submitted(seeded, write_tariff(ends)))
    short = replace(ends, version=3, valid_from=TOMORROW + DAY_MINUTES, valid_to=None)
    await approve(seeded, await submitted(seeded, write_tariff(short)))
    later = replace(NEXT, version=4, valid_from=TOMORROW + 9 * DAY_MINUTES)
    await approve(seeded, await submitted(seeded, write_tariff(later)))
    with pytest.raises(BadTariffError, match="version_gap"):
        await withdraw(seeded, 3)


async def test_a_proposal_is_sound_but_for_what_its_author_changes(seeded: asyncpg.Pool) -> None:
    text = await tariff_desk.propose_text(seeded, "kangle", TOMORROW)
    examined = await tariff_desk.examine_text(seeded, "kangle", text, NOW_MS)
    assert (examined.errors, examined.tariff) == ((), NEXT)
    assert await tariff_desk.propose_text(seeded, "new", TOMORROW) == ""


async def test_a_review_compares_with_what_holds_before_it(seeded: asyncpg.Pool) -> None:
    await approve(seeded, await submitted(seeded))
    later = replace(NEXT, version=3, valid_from=TOMORROW + DAY_MINUTES, complaints="12345")
    seen = await tariff_desk.review_text(seeded, "kangle", write_tariff(later), NOW_MS)
    assert seen.against == 2
    assert seen.difference is not None
    assert [one.label for one in seen.difference.changes] == ["投诉电话", "生效时间"]
    assert seen.preview is not None
    between = replace(NEXT, version=3, valid_from=TOMORROW - 60)
    seen = await tariff_desk.review_text(seeded, "kangle", write_tariff(between), NOW_MS)
    assert seen.against == 1


async def test_a_review_of_the_first_version_or_of_no_tariff_has_nothing_to_compare(
    connections: asyncpg.Pool,
) -> None:
    first = await tariff_desk.review_text(connections, "kangle", write_tariff(NEXT), NOW_MS)
    assert (first.difference, first.against, first.examined.errors) == (None, None, ())
    broken = await tariff_desk.review_text(connections, "kangle", "half a thou", NOW_MS)
    assert (broken.preview, broken.difference) == (None, None)
    assert broken.examined.errors


async def test_surprises_are_found_for_the_approver(seeded: asyncpg.Pool) -> None:
    rate = replace(NEXT.rates[0], free=replace(NEXT.rates[0].free, minutes=90, jump_is_meant=True))
    found = await tariff_desk.find_surprises(seeded, replace(NEXT, rates=(rate,)))
    assert "threshold_jump" in {one.rule for one in found}


BAD_TEXTS = {"too long": "x" * (LONGEST_TEXT + 1), "nought": "a\0", "half a pair": "\udc00"}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
async def test_a_text_that_cannot_be_kept_is_refused_beside_its_field(
    seeded: asyncpg.Pool, text: str
) -> None:
    with pytest.raises(BadEditError) as refused:
        await begun(seeded, text)
    assert refused.value.field == "text"
    assert await database_drafts.list_drafts(seeded) == []


async def test_without_a_reason_nothing_happens(seeded: asyncpg.Pool) -> None:
    draft = await begun(seeded)
    number, edit = draft.draft_id, draft.edit
    given: dict[str, Any] = {"edit": edit, "by": "li", "reason": " "}
    with pytest.raises(BadEditError):
        await tariff_desk.begin_draft(seeded, "kangle", "", by="li", reason="")
    with pytest.raises(BadEditError):
        await tariff_desk.save_draft(seeded, number, "", **given)
    with pytest.raises(BadEditError):
        await tariff_desk.submit_draft(seeded, number, **given, now_ms=NOW_MS)
    with pytest.raises(BadEditError):
        await tariff_desk.discard_draft(seeded, number, **given)
    assert await database_drafts.list_drafts(seeded) == [draft]


async def test_a_draft_that_is_not_there_is_named(seeded: asyncpg.Pool) -> None:
    with pytest.raises(NoSuchDraftError, match="99"):
        await tariff_desk.discard_draft(seeded, 99, edit=1, by="li", reason=WHY)
    assert await database_drafts.find_draft(seeded, 99) is None


async def test_each_change_counts_a_revision(seeded: asyncpg.Pool) -> None:
    before = await database_tariffs.read_revisions(seeded)
    await approve(seeded, await submitted(seeded))
    after = await database_tariffs.read_revisions(seeded)
    assert after["tariffs"] == before["tariffs"] + 1
    assert after["calendar"] == before["calendar"]
