"""Alarms as people deal with them: four states, all or none, never over somebody else's head."""

from collections.abc import Mapping

import asyncpg
import pytest

from occupancy import (
    alarm_desk,
    alarm_rules,
    database_alarm_desk,
    database_alarm_rules,
    database_alarms,
    database_audit,
    database_users,
)
from occupancy.alarm import RULES, Alarm, AlarmKind, Key, Rule, Severity
from occupancy.alarm_rules import RuleChange
from occupancy.database_alarm_desk import AlarmFilter, DeskAlarm, DeskState
from occupancy.database_audit import Wanted
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.permissions import Role
from tests.builders import a_lot

HOUR_MS = 3_600_000


async def now_of(connections: asyncpg.Pool) -> int:
    return int(await connections.fetchval("SELECT extract(epoch FROM now()) * 1000"))


async def raised(
    connections: asyncpg.Pool, *subjects: str, severity: Severity = Severity.MAJOR
) -> list[DeskAlarm]:
    """Alarms of a minute ago, as the desk sees them, the oldest first."""
    at_ms = await now_of(connections) - 60_000
    for subject in subjects:
        key = Key(AlarmKind.DEVICE_OFFLINE, "kangle", subject)
        await database_alarms.save(connections, Alarm(key, severity, f"{subject} silent", at_ms))
    return (await listed(connections))[::-1]


async def cleared(connections: asyncpg.Pool, alarm: DeskAlarm) -> None:
    key = Key(alarm.kind, alarm.lot_id, alarm.subject)
    over_ms = await now_of(connections)
    await database_alarms.save(
        connections, Alarm(key, alarm.severity, alarm.words, alarm.raised_at_ms, over_ms)
    )


async def listed(connections: asyncpg.Pool, **wanted: object) -> list[DeskAlarm]:
    return await database_alarm_desk.list_alarms(connections, AlarmFilter(**wanted), 50)  # type: ignore[arg-type]


def picks(*alarms: DeskAlarm) -> Mapping[int, int]:
    return {alarm.alarm_id: alarm.version for alarm in alarms}


async def acknowledge(connections: asyncpg.Pool, *alarms: DeskAlarm, note: str = "") -> None:
    now_ms = await now_of(connections)
    await alarm_desk.acknowledge(connections, picks(*alarms), by="wang", note=note, now_ms=now_ms)


async def waiting(connections: asyncpg.Pool) -> int:
    return (await database_alarm_desk.read_waiting(connections)).alarms


async def test_an_alarm_leaves_the_desk_when_it_is_over_and_somebody_has_seen_it(
    connections: asyncpg.Pool,
) -> None:
    one, two, three = await raised(connections, "a", "b", "c")
    await acknowledge(connections, one, note="在看")
    await cleared(connections, one)
    await cleared(connections, two)
    states = {a.subject: (a.is_active, a.is_acknowledged) for a in await listed(connections)}
    assert states == {"b": (False, False), "c": (True, False)}
    await acknowledge(connections, three)
    assert await waiting(connections) == 1
    every = {a.subject: a for a in await listed(connections, is_open=False)}
    assert every["a"].note == "在看"
    assert every["a"].acknowledged_by == "wang"
    assert len(every) == 3


async def test_each_deed_leaves_its_record(connections: asyncpg.Pool) -> None:
    (one,) = await raised(connections, "a")
    await acknowledge(connections, one, note="在看")
    (trace,) = await database_audit.list_newest(connections, 9)
    assert (trace.who, trace.action, trace.subject, trace.lot_id) == (
        "wang",
        "acknowledge",
        f"alarm {one.alarm_id}",
        "kangle",
    )
    assert trace.before["acknowledged_by"] is None
    assert trace.after["acknowledged_by"] == "wang"


async def test_many_at_once_are_all_or_none(connections: asyncpg.Pool) -> None:
    one, two = await raised(connections, "a", "b")
    await acknowledge(connections, two)
    with pytest.raises(StaleEditError) as refusal:
        await acknowledge(connections, one, two)
    assert isinstance(refusal.value.theirs, DeskAlarm)
    assert refusal.value.theirs.acknowledged_by == "wang"
    assert {a.subject: a.is_acknowledged for a in await listed(connections)} == {
        "a": False,
        "b": True,
    }
    assert len(await database_audit.list_newest(connections, 9)) == 1


async def test_what_is_acknowledged_is_not_acknowledged_again(connections: asyncpg.Pool) -> None:
    (one,) = await raised(connections, "a")
    await acknowledge(connections, one)
    (now,) = await listed(connections)
    with pytest.raises(StaleEditError):
        await acknowledge(connections, now)
    with pytest.raises(BadEditError):
        await acknowledge(connections)


async def test_an_alarm_is_given_only_to_somebody_who_may_come_in(
    connections: asyncpg.Pool,
) -> None:
    async with connections.acquire() as connection:
        await database_users.add_operator(connection, "li", Role.OPERATOR, "x", "test")
    (one,) = await raised(connections, "a")
    with pytest.raises(BadEditError, match="没有可以登录的用户"):
        await alarm_desk.assign(connections, picks(one), to="nobody", by="wang", reason="")
    await alarm_desk.assign(connections, picks(one), to="li", by="wang", reason="")
    (now,) = await listed(connections)
    assert now.assigned_to == "li"
    await alarm_desk.assign(connections, picks(now), to="", by="li", reason="不归我")
    assert (await listed(connections))[0].assigned_to is None


async def test_what_is_put_off_waits_for_nobody_until_then(connections: asyncpg.Pool) -> None:
    (one,) = await raised(connections, "a")
    now_ms = await now_of(connections)
    for hours in (0, 25):
        with pytest.raises(BadEditError):
            await alarm_desk.snooze(
                connections,
                picks(one),
                until_ms=now_ms + hours * HOUR_MS,
                by="w",
                reason="等件",
                now_ms=now_ms,
            )
    await alarm_desk.snooze(
        connections, picks(one), until_ms=now_ms + HOUR_MS, by="w", reason="等件", now_ms=now_ms
    )
    (now,) = await listed(connections)
    assert not now.waits(now_ms)
    assert now.waits(now_ms + HOUR_MS)
    assert await waiting(connections) == 0


async def test_planned_work_keeps_its_alarms_quiet_and_no_others(
    connections: asyncpg.Pool,
) -> None:
    now_ms = await now_of(connections)
    window = await alarm_desk.keep_quiet(
        connections,
        a_lot(),
        ["device_offline"],
        from_ms=now_ms - 1,
        until_ms=now_ms + HOUR_MS,
        by="wang",
        reason="换线",
        now_ms=now_ms,
    )
    (one,) = await raised(connections, "a")
    assert one.is_quiet
    other = Alarm(Key(AlarmKind.DRIFT, "kangle", ""), Severity.MAJOR, "drift", now_ms)
    await database_alarms.save(connections, other)
    assert await waiting(connections) == 1
    await alarm_desk.end_quiet(connections, window.number, by="wang", reason="完工")
    assert await waiting(connections) == 2
    with pytest.raises(SettledError):
        await alarm_desk.end_quiet(connections, window.number, by="wang", reason="完工")


async def test_what_was_over_during_planned_work_stays_quiet_when_the_work_ends_early(
    connections: asyncpg.Pool,
) -> None:
    now_ms = await now_of(connections)
    window = await alarm_desk.keep_quiet(
        connections,
        a_lot(),
        [],
        from_ms=now_ms - 1,
        until_ms=now_ms + HOUR_MS,
        by="wang",
        reason="换线",
        now_ms=now_ms,
    )
    over, _ = await raised(connections, "over", "lasts")
    await cleared(connections, over)
    await alarm_desk.end_quiet(connections, window.number, by="wang", reason="完工")
    assert {a.subject: a.is_quiet for a in await listed(connections)} == {
        "over": True,
        "lasts": False,
    }
    (later,) = [a for a in await raised(connections, "later") if a.subject == "later"]
    assert not later.is_quiet


async def test_each_alarm_is_found_by_its_state_alone(connections: asyncpg.Pool) -> None:
    made = await raised(connections, *DeskState)
    by_name = {alarm.subject: alarm for alarm in made}
    await acknowledge(connections, by_name[DeskState.ACTIVE_ACK], by_name[DeskState.CLEARED_ACK])
    for state in (DeskState.CLEARED_UNACK, DeskState.CLEARED_ACK):
        await cleared(connections, by_name[state])
    for state in DeskState:
        (found,) = await listed(connections, state=state)
        assert (found.subject, found.state) == (state, state)


async def test_alarms_are_found_by_when_they_were_raised(connections: asyncpg.Pool) -> None:
    (one,) = await raised(connections, "a")
    at_ms = one.raised_at_ms
    assert await listed(connections, from_ms=at_ms, until_ms=at_ms + 1) == [one]
    assert await listed(connections, from_ms=at_ms + 1) == []
    assert await listed(connections, until_ms=at_ms) == []


async def test_comments_are_kept_in_their_order(connections: asyncpg.Pool) -> None:
    (one,) = await raised(connections, "a")
    for words in ("派人去了", "<b>修好了"):
        await alarm_desk.comment(connections, one.alarm_id, by="wang", words=words)
    said = await database_alarm_desk.list_comments(connections, one.alarm_id)
    assert [comment.words for comment in said] == ["派人去了", "<b>修好了"]
    with pytest.raises(BadEditError):
        await alarm_desk.comment(connections, one.alarm_id, by="wang", words=" ")
    with pytest.raises(SettledError):
        await alarm_desk.comment(connections, 999, by="wang", words="x")


async def test_alarms_are_found_by_what_one_knows_of_them(connections: asyncpg.Pool) -> None:
    await raised(connections, "kangle-g1", "kangle-g2")
    assert [a.subject for a in await listed(connections, text="G2")] == ["kangle-g2"]
    assert await listed(connections, lots=("sanda",)) == []
    assert len(await listed(connections, lots=("sanda", "kangle"), severity="major")) == 2
    assert await listed(connections, kind="drift") == []
    assert await listed(connections, severity="critical") == []
    newest, oldest = await listed(connections, lot_id="kangle")
    assert await listed(connections, before_id=newest.alarm_id) == [oldest]


CHANGE = RuleChange(60.0, 5.0, 10.0, 20.0, is_on=True, severity=Severity.MINOR)


async def change(
    connections: asyncpg.Pool, rule: RuleChange, version: int = 0, lot_id: str = ""
) -> None:
    await alarm_rules.change_rule(
        connections,
        AlarmKind.DEVICE_OFFLINE,
        rule,
        version=version,
        by="wang",
        reason="夜里慢",
        lot_id=lot_id,
    )


async def rule_at(connections: asyncpg.Pool, lot_id: str = "") -> Rule:
    book = await database_alarm_rules.read_rules(connections)
    return book.of(AlarmKind.DEVICE_OFFLINE, lot_id)


async def test_a_rule_is_changed_with_its_record_and_not_over_another_change(
    connections: asyncpg.Pool,
) -> None:
    await change(connections, CHANGE)
    rule = await rule_at(connections)
    assert (rule.threshold, rule.hysteresis, rule.raise_after_seconds) == (60.0, 5.0, 10.0)
    assert rule.severity is Severity.MINOR
    with pytest.raises(StaleEditError):
        await change(connections, CHANGE)
    await change(connections, CHANGE, 1)
    traces = await database_audit.list_newest(connections, 9, Wanted(action="change_rule"))
    assert [one.before["threshold"] for one in traces] == [60.0, 30.0]


async def test_a_car_park_has_its_own_rule_until_it_is_taken_back(
    connections: asyncpg.Pool,
) -> None:
    await change(connections, CHANGE, lot_id="kangle")
    assert (await rule_at(connections, "kangle")).threshold == 60.0
    shipped = RULES[AlarmKind.DEVICE_OFFLINE]
    assert [await rule_at(connections, lot) for lot in ("sanda", "")] == [shipped, shipped]
    await change(connections, a_change(90.0, 5.0, 10.0, 20.0))
    assert (await rule_at(connections, "kangle")).threshold == 60.0
    await withdraw(connections, 1)
    assert (await rule_at(connections, "kangle")).threshold == 90.0
    with pytest.raises(SettledError):
        await withdraw(connections, 2)
    with pytest.raises(StaleEditError):
        await change(connections, CHANGE, 1, "kangle")  # seen before it was taken back
    await change(connections, CHANGE, 2, "kangle")
    with pytest.raises(StaleEditError):
        await withdraw(connections, 1)
    traces = await database_audit.list_newest(connections, 9, Wanted(lots=("kangle",)))
    assert [(one.action, one.before["threshold"], one.after["threshold"]) for one in traces] == [
        ("change_rule", 90.0, 60.0),
        ("withdraw_rule", 60.0, 90.0),
        ("change_rule", 30.0, 60.0),
    ]


async def withdraw(connections: asyncpg.Pool, version: int) -> None:
    await alarm_rules.withdraw_rule(
        connections,
        AlarmKind.DEVICE_OFFLINE,
        "kangle",
        version=version,
        by="wang",
        reason="恢复",
    )


def a_change(
    threshold: float, hysteresis: float, raise_after: float, clear_after: float
) -> RuleChange:
    return RuleChange(
        threshold, hysteresis, raise_after, clear_after, is_on=True, severity=Severity.MAJOR
    )


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (a_change(0.0, 0.0, 0.0, 0.0), "threshold"),
        (a_change(float("nan"), 0.0, 0.0, 0.0), "threshold"),
        (a_change(float("inf"), 0.0, 0.0, 0.0), "threshold"),
        (a_change(5.0, 5.0, 0.0, 0.0), "hysteresis"),
        (a_change(5.0, -1.0, 0.0, 0.0), "hysteresis"),
        (a_change(5.0, 1.0, -1.0, 0.0), "raise_after_seconds"),
        (a_change(5.0, 1.0, 0.0, 90_000.0), "clear_after_seconds"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(
    connections: asyncpg.Pool, rule: RuleChange, field: str
) -> None:
    with pytest.raises(BadEditError) as refusal:
        await change(connections, rule)
    assert refusal.value.field == field
    assert await rule_at(connections) == RULES[AlarmKind.DEVICE_OFFLINE]
