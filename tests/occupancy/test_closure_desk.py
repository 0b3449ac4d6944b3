"""Closing, reserving and taking signs over: kept with who and why, refused in words."""

import asyncpg
import pytest

from occupancy import closure_desk, database_audit, database_restrictions, sign_desk
from occupancy.closure_desk import NoSuchRestrictionError, Wish
from occupancy.edit import BadEditError, SettledError
from occupancy.override import TEST_LINE
from occupancy.restriction import Extent
from occupancy.sign_desk import NoSuchOverrideError
from occupancy.sign_faces import TownSign
from tests.builders import a_lot

HOUR_MS = 3_600_000
SIGN = TownSign("junction", "kangle", ("kangle", "sanda"))


async def now_of(connections: asyncpg.Pool) -> int:
    return int(await connections.fetchval("SELECT extract(epoch FROM now()) * 1000"))


def wish(now_ms: int, extent: Extent = Extent.LOT, **other: object) -> Wish:
    told = {"from_ms": now_ms, "until_ms": now_ms + HOUR_MS, "wording": "检修", **other}
    return Wish(extent, **told)  # type: ignore[arg-type]


async def test_what_is_closed_holds_until_somebody_opens_it(connections: asyncpg.Pool) -> None:
    now_ms = await now_of(connections)
    made = await closure_desk.restrict(
        connections, a_lot(), wish(now_ms), by="wang", reason="年检", now_ms=now_ms
    )
    assert await database_restrictions.list_in_force(connections) == [made]
    await closure_desk.end(connections, made.number, by="li", reason="修好了", now_ms=now_ms)
    assert await database_restrictions.list_in_force(connections) == []
    (kept,) = await database_restrictions.list_restrictions(connections, 9)
    assert (kept.made_by, kept.reason, kept.ended_by) == ("wang", "年检", "li")
    traces = await database_audit.list_newest(connections, 9)
    assert [(one.who, one.action, one.lot_id) for one in traces] == [
        ("li", "reopen", "kangle"),
        ("wang", "close", "kangle"),
    ]
    with pytest.raises(SettledError, match="li 已经结束"):
        await closure_desk.end(connections, made.number, by="x", reason="y", now_ms=now_ms)


async def test_what_is_over_is_not_ended_again(connections: asyncpg.Pool) -> None:
    now_ms = await now_of(connections)
    made = await closure_desk.restrict(
        connections, a_lot(), wish(now_ms), by="wang", reason="年检", now_ms=now_ms
    )
    with pytest.raises(SettledError, match="到期"):
        await closure_desk.end(
            connections, made.number, by="li", reason="y", now_ms=now_ms + HOUR_MS
        )
    with pytest.raises(NoSuchRestrictionError):
        await closure_desk.end(connections, 999, by="li", reason="y", now_ms=now_ms)


@pytest.mark.parametrize(
    ("extent", "other", "field"),
    [
        (Extent.LOT, {"wording": " "}, "wording"),
        (Extent.LOT, {"wording": "长" * 61}, "wording"),
        (Extent.LOT, {"from_ms": -HOUR_MS}, "from"),
        (Extent.LOT, {"until_ms": 0}, "until"),
        (Extent.LOT, {"until_ms": 400 * 24 * HOUR_MS}, "until"),
        (Extent.GROUP, {"part": "g9"}, "part"),
        (Extent.LEVEL, {"part": "4"}, "part"),
        (Extent.LEVEL, {"part": "x"}, "part"),
        (Extent.SPACES, {"spaces": 0}, "spaces"),
        (Extent.SPACES, {"spaces": 37}, "spaces"),
        (Extent.SPACES, {"spaces": 3, "until_ms": None}, "until"),
    ],
)
async def test_what_cannot_be_is_refused_at_its_field(
    connections: asyncpg.Pool, extent: Extent, other: dict[str, object], field: str
) -> None:
    now_ms = await now_of(connections)
    told = {
        name: now_ms + value if name.endswith("_ms") and isinstance(value, int) else value
        for name, value in other.items()
    }
    with pytest.raises(BadEditError) as refusal:
        await closure_desk.restrict(
            connections, a_lot(), wish(now_ms, extent, **told), by="w", reason="r", now_ms=now_ms
        )
    assert refusal.value.field == field
    assert await database_restrictions.list_restrictions(connections, 9) == []
    assert await database_audit.list_newest(connections, 9) == []


async def test_a_sign_is_taken_over_and_given_back(connections: asyncpg.Pool) -> None:
    now_ms = await now_of(connections)
    made = await sign_desk.take_over(
        connections,
        SIGN,
        ("满", "12"),
        until_ms=now_ms + HOUR_MS,
        by="wang",
        reason="活动",
        now_ms=now_ms,
    )
    assert await database_restrictions.list_overrides_in_force(connections) == [made]
    newer = await sign_desk.light_all(connections, SIGN, by="li", reason="验屏", now_ms=now_ms)
    assert newer.lines == (TEST_LINE, TEST_LINE)
    assert await database_restrictions.list_overrides_in_force(connections) == [newer]
    with pytest.raises(SettledError):
        await sign_desk.give_back(connections, SIGN, made.number, by="li", reason="x")
    await sign_desk.give_back(connections, SIGN, newer.number, by="li", reason="x")
    assert await database_restrictions.list_overrides_in_force(connections) == []
    other = TownSign("other", "kangle", ("kangle",))
    with pytest.raises(NoSuchOverrideError):
        await sign_desk.give_back(connections, other, newer.number, by="li", reason="x")
    actions = [one.action for one in await database_audit.list_newest(connections, 9)]
    assert actions == ["give_sign_back", "test_sign", "override_sign"]


@pytest.mark.parametrize(
    ("lines", "hours", "reason", "field"),
    [
        (("满",), 1, "r", "line1"),
        (("满", "12345"), 1, "r", "line2"),
        (("<b>", "1"), 1, "r", "line1"),
        (("", "1"), 1, "r", "line1"),
        (("٣", "1"), 1, "r", "line1"),
        (("1", "2"), 0, "r", "until"),
        (("1", "2"), 25, "r", "until"),
        (("1", "2"), 1, " ", "reason"),
    ],
)
async def test_what_a_sign_cannot_show_is_refused(
    connections: asyncpg.Pool, lines: tuple[str, ...], hours: int, reason: str, field: str
) -> None:
    now_ms = await now_of(connections)
    with pytest.raises(BadEditError) as refusal:
        await sign_desk.take_over(
            connections,
            SIGN,
            lines,
            until_ms=now_ms + hours * HOUR_MS,
            by="w",
            reason=reason,
            now_ms=now_ms,
        )
    assert refusal.value.field == field
    assert await database_restrictions.list_overrides_in_force(connections) == []
