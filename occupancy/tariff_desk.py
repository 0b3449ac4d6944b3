"""Tariff versions from draft to force: each step one transaction with its audit record."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from occupancy import database_audit, database_drafts, database_tariffs
from occupancy.audit import Entry
from occupancy.calendar import Calendar
from occupancy.database import Connection, Pool
from occupancy.edit import (
    BadEditError,
    SamePersonError,
    SettledError,
    StaleEditError,
    is_unkeepable,
    require_reason,
)
from occupancy.tariff import Tariff
from occupancy.tariff_check import BadTariffError, Finding, Severity, check_versions
from occupancy.tariff_clock import local_minute, written
from occupancy.tariff_draft import (
    LONGEST_TEXT,
    Draft,
    DraftState,
    Examined,
    examine,
    require_publishable,
)
from occupancy.tariff_review import Review, review
from occupancy.tariff_toml import write_tariff
from occupancy.tariff_warnings import warnings_of

_STATES = {
    DraftState.DRAFT: "起草中",
    DraftState.SUBMITTED: "待审批",
    DraftState.APPROVED: "已发布，不可再改；请另起一版",
    DraftState.DISCARDED: "已作废",
}


class NoSuchDraftError(Exception):
    """There is no draft of this number."""


class NoSuchVersionError(Exception):
    """No such version is published, or it was withdrawn already."""


async def propose_text(connections: Pool, tariff_id: str, valid_from: int) -> str:
    """What a new draft may begin with: the newest version under the next number, or nothing."""
    published = await database_tariffs.read_published(connections, tariff_id)
    if not published.versions:
        return ""
    newest = max(published.versions, key=lambda one: (one.valid_from, one.version))
    version = published.last_version + 1
    return write_tariff(replace(newest, version=version, valid_from=valid_from, valid_to=None))


async def examine_text(connections: Pool, tariff_id: str, text: str, now_ms: int) -> Examined:
    """Remarks beside their fields, and the tariff for preview and difference if it can be read."""
    require_keepable(text)
    published = await database_tariffs.read_published(connections, tariff_id)
    return examine(text, published, await read_calendar(connections), local_minute(now_ms))


async def review_text(connections: Pool, tariff_id: str, text: str, now_ms: int) -> Review:
    """What its author and its approver look at, worked out anew from the text."""
    require_keepable(text)
    published = await database_tariffs.read_published(connections, tariff_id)
    return review(text, published, await read_calendar(connections), local_minute(now_ms))


async def find_surprises(connections: Pool, tariff: Tariff) -> list[Finding]:
    """Warnings for the approver at exact moments; searched on a thread, it takes a while."""
    calendar = await read_calendar(connections)
    return await asyncio.to_thread(warnings_of, tariff, calendar)


async def read_calendar(connections: Connection | Pool) -> Calendar:
    return Calendar(await database_tariffs.list_overrides(connections))


def require_keepable(text: str) -> None:
    """Raises BadEditError for what is too long or no text at all."""
    if len(text) > LONGEST_TEXT:
        words = f"最多 {LONGEST_TEXT} 个字，现有 {len(text)} 个，请检查是否粘贴了别的内容"
        raise BadEditError("text", words)
    if any(is_unkeepable(mark) for mark in text):
        raise BadEditError("text", "含有不可保存的控制字符，请删去后重新粘贴")


async def begin_draft(
    connections: Pool, tariff_id: str, text: str, *, by: str, reason: str
) -> Draft:
    """A draft may be broken; it is examined when it is handed in. Raises BadEditError."""
    require_keepable(text)
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        draft = await database_drafts.add_draft(connection, tariff_id, text, by)
        await _record(connection, "begin_tariff", draft, why, None)
    return draft


async def save_draft(
    connections: Pool, draft_id: int, text: str, *, edit: int, by: str, reason: str
) -> Draft:
    """Keep another text. Raises BadEditError, StaleEditError (both drafts), SettledError."""
    require_keepable(text)
    why = require_reason(reason)
    async with _step(connections, draft_id, edit, DraftState.DRAFT, text) as (connection, draft):
        return await _keep(connection, "edit_tariff", draft, _written_by(draft, by, text), why)


async def submit_draft(
    connections: Pool, draft_id: int, *, edit: int, by: str, reason: str, now_ms: int
) -> Draft:
    """Hand it in for approval. Raises BadDraftError besides what `save_draft` raises."""
    why = require_reason(reason)
    async with _step(connections, draft_id, edit, DraftState.DRAFT) as (connection, draft):
        await _publishable(connection, draft, now_ms)
        handed = replace(_written_by(draft, by, draft.text), state=DraftState.SUBMITTED)
        return await _keep(connection, "submit_tariff", draft, handed, why)


async def return_draft(
    connections: Pool, draft_id: int, *, edit: int, by: str, reason: str
) -> Draft:
    """Back to its authors: refused by who should approve it, or taken back by who wrote it."""
    why = require_reason(reason)
    async with _step(connections, draft_id, edit, DraftState.SUBMITTED) as (connection, draft):
        back = replace(draft, state=DraftState.DRAFT, changed_by=by)
        return await _keep(connection, "return_tariff", draft, back, why)


async def approve_draft(
    connections: Pool, draft_id: int, *, edit: int, by: str, reason: str, now_ms: int
) -> Draft:
    """Publish it: it holds from its date on and never changes. Raises SamePersonError, too."""
    why = require_reason(reason)
    async with _step(connections, draft_id, edit, DraftState.SUBMITTED) as (connection, draft):
        if by in draft.authors:
            raise SamePersonError(f"{by} 参与了起草，须由另一人审批")
        tariff = await _publishable(connection, draft, now_ms)
        await database_tariffs.add_version(connection, tariff, by)
        approved = replace(draft, state=DraftState.APPROVED, changed_by=by, version=tariff.version)
        return await _keep(connection, "approve_tariff", draft, approved, why)


async def discard_draft(
    connections: Pool, draft_id: int, *, edit: int, by: str, reason: str
) -> Draft:
    """Give it up; it stays readable."""
    why = require_reason(reason)
    async with _step(connections, draft_id, edit, DraftState.DRAFT) as (connection, draft):
        gone = replace(draft, state=DraftState.DISCARDED, changed_by=by)
        return await _keep(connection, "discard_tariff", draft, gone, why)


async def withdraw_version(
    connections: Pool, tariff_id: str, version: int, *, by: str, reason: str, now_ms: int
) -> None:
    """Take back an approved version before its first minute.

    Raises NoSuchVersionError, SettledError once it is in force, BadTariffError where the others
    would leave a gap without it.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        published = await database_tariffs.lock_published(connection, tariff_id)
        found = [one for one in published.versions if one.version == version]
        if not found:
            raise NoSuchVersionError(f"{tariff_id} 没有可撤回的第 {version} 版")
        _require_not_in_force(found[0], now_ms)
        rest = [one for one in published.versions if one.version != version]
        gaps = [one for one in check_versions(rest) if one.severity is Severity.ERROR]
        if gaps:
            raise BadTariffError(gaps)
        await database_tariffs.withdraw_version(connection, found[0], by, why)
        before = {"version": version, "valid_from": written(found[0].valid_from)}
        subject = f"tariff {tariff_id}"
        entry = Entry(by, "withdraw_tariff", subject, why, before=before, after=None)
        await database_audit.append(connection, entry)


def _require_not_in_force(tariff: Tariff, now_ms: int) -> None:
    if tariff.valid_from <= local_minute(now_ms):
        since = written(tariff.valid_from)
        raise SettledError(f"第 {tariff.version} 版自 {since} 起已执行，不能撤回；请另发一版")


@asynccontextmanager
async def _step(
    connections: Pool, draft_id: int, edit: int, state: DraftState, text: str | None = None
) -> AsyncIterator[tuple[Connection, Draft]]:
    """A transaction with the draft locked, in this state and as the person saw it."""
    async with connections.acquire() as connection, connection.transaction():
        draft = await database_drafts.lock_draft(connection, draft_id)
        if draft is None:
            raise NoSuchDraftError(f"没有第 {draft_id} 号草稿")
        if draft.edit != edit:
            raise StaleEditError(text, draft)
        if draft.state is not state:
            raise SettledError(f"第 {draft_id} 号草稿{_STATES[draft.state]}")
        yield connection, draft


async def _publishable(connection: Connection, draft: Draft, now_ms: int) -> Tariff:
    published = await database_tariffs.lock_published(connection, draft.tariff_id)
    calendar = await read_calendar(connection)
    return require_publishable(draft.text, published, calendar, local_minute(now_ms))


def _written_by(draft: Draft, by: str, text: str) -> Draft:
    authors = draft.authors if by in draft.authors else (*draft.authors, by)
    return replace(draft, text=text, authors=authors, changed_by=by)


async def _keep(
    connection: Connection, action: str, before: Draft, changed: Draft, reason: str
) -> Draft:
    kept = await database_drafts.change_draft(connection, changed)
    await _record(connection, action, kept, reason, before)
    return kept


async def _record(
    connection: Connection, action: str, draft: Draft, reason: str, before: Draft | None
) -> None:
    entry = Entry(
        who=draft.changed_by,
        action=action,
        subject=f"tariff {draft.tariff_id}",
        reason=reason,
        before=None if before is None else _facts(before, draft),
        after=_facts(draft, before),
    )
    await database_audit.append(connection, entry)


def _facts(draft: Draft, other: Draft | None) -> dict[str, Any]:
    """What the audit keeps; the text where it changed."""
    facts: dict[str, Any] = {
        "draft": draft.draft_id,
        "edit": draft.edit,
        "state": draft.state.value,
        "version": draft.version,
    }
    if other is None or other.text != draft.text:
        facts["text"] = draft.text
    return facts
