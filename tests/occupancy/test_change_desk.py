"""Changes are named with what they could show, judged when their days are over, never edited."""

import asyncpg
import pytest
from msgspec.structs import replace

from occupancy import change_desk, database_audit, database_changes
from occupancy.calendar import date_of
from occupancy.change_desk import NoSuchChangeError
from occupancy.edit import BadEditError, SettledError
from occupancy.effect.change import Change, ChangeKind
from occupancy.effect.metric import Metric
from occupancy.rollup import local_day
from tests.builders import MORNING_MS

NOW_MS = MORNING_MS
TODAY = local_day(NOW_MS)
LOTS = ("kangle", "sanda")
A_WISH = Change(" 加屏 ", ChangeKind.SIGN, None, " 路口 ", TODAY, Metric.REFUSED, 28, 21)


async def noted(connections: asyncpg.Pool, **other: object) -> database_changes.KeptChange:
    wish = replace(A_WISH, **other)
    return await change_desk.note(
        connections, LOTS, wish, by="li", reason="城管局第 7 号文", now_ms=NOW_MS
    )


async def test_a_change_is_kept_with_who_named_it_and_why(connections: asyncpg.Pool) -> None:
    kept = await noted(connections)
    assert await database_changes.find_change(connections, kept.number) == kept
    assert (kept.change.name, kept.change.place) == ("加屏", "路口")
    assert (kept.noted_by, kept.noted_ms, kept.detectable) == ("li", NOW_MS, None)
    (trace,) = await database_audit.list_newest(connections, 9)
    assert (trace.who, trace.action, trace.reason) == ("li", "note_change", "城管局第 7 号文")
    assert trace.after["since"] == date_of(TODAY).isoformat()


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "长" * 61}),
        ("place", {"place": "\0"}),
        ("lot", {"lot_id": "nowhere"}),
        ("metric", {"metric": Metric.CHOSEN}),
        ("since", {"day": TODAY + 400}),
        ("since", {"day": TODAY - 2_000}),
        ("before", {"before_days": 20}),
        ("after", {"after_days": 181}),
    ],
)
async def test_what_cannot_be_is_refused_field_by_field(
    connections: asyncpg.Pool, field: str, other: dict[str, object]
) -> None:
    with pytest.raises(BadEditError) as refusal:
        await noted(connections, **other)
    assert refusal.value.field == field
    assert await database_changes.list_changes(connections) == []


async def test_it_is_withdrawn_once_with_a_reason(connections: asyncpg.Pool) -> None:
    number = (await noted(connections)).number

    async def withdraw(reason: str = "写错了日期", number: int = number) -> None:
        await change_desk.withdraw(connections, number, by="wu", reason=reason, now_ms=NOW_MS)

    with pytest.raises(BadEditError):
        await withdraw(" ")
    with pytest.raises(NoSuchChangeError, match="没有第 99 号变化"):
        await withdraw(number=99)
    await withdraw()
    with pytest.raises(SettledError):
        await withdraw()
    kept = await database_changes.find_change(connections, number)
    assert kept is not None
    assert (kept.withdrawn_by, kept.withdrawn_ms) == ("wu", NOW_MS)
    assert kept.withdraw_reason == "写错了日期"
    newest = (await database_audit.list_newest(connections, 9))[0]
    assert (newest.who, newest.action) == ("wu", "withdraw_change")


async def test_no_hand_edits_what_was_named(connections: asyncpg.Pool) -> None:
    await noted(connections)
    for statement in (
        "UPDATE known_change SET metric = 'balance'",
        "UPDATE known_change SET since = since + 1",
        "UPDATE known_change SET detectable = 1",
        "DELETE FROM known_change",
    ):
        with pytest.raises(asyncpg.RaiseError, match="never edited"):
            await connections.execute(statement)
