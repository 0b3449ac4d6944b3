"""Experiments planned, started and stopped; known to other processes; never edited."""

import asyncpg
import pytest

from occupancy import database, database_audit, database_experiments, experiment_desk
from occupancy.edit import BadEditError, SettledError
from occupancy.effect.block_plan import draw_arms
from occupancy.effect.experiment import Arm, arm_at
from occupancy.effect.metric import Metric
from occupancy.experiment_desk import NoSuchExperimentError, Wish, new_seed
from occupancy.experiment_shelf import ExperimentShelf
from occupancy.rollup import DAY_MS, day_start_ms, local_day
from tests.builders import MORNING_MS

NOW_MS = MORNING_MS
TOMORROW = local_day(NOW_MS) + 1
BEGINS_MS = day_start_ms(TOMORROW)
AWAY = "postgresql://nobody@/nothing?host=/nowhere"


def a_wish(**other: int) -> Wish:
    told = {"block_minutes": 120, "first_day": TOMORROW, "days": 14, **other}
    return Wish(Metric.REFUSED, **told)


async def planned(connections: asyncpg.Pool, **other: int) -> database_experiments.KeptExperiment:
    return await experiment_desk.plan(
        connections, a_wish(**other), by="li", reason="诱导有没有用", now_ms=NOW_MS
    )


async def started(connections: asyncpg.Pool, number: int, now_ms: int = NOW_MS) -> None:
    await experiment_desk.start(connections, number, by="wang", reason="批准", now_ms=now_ms)


async def stopped(connections: asyncpg.Pool, number: int, now_ms: int) -> None:
    await experiment_desk.stop(connections, number, by="wu", reason="有活动", now_ms=now_ms)


async def test_a_plan_is_kept_as_it_was_drawn_and_changes_nothing(
    connections: asyncpg.Pool,
) -> None:
    kept = await planned(connections)
    assert kept.plan.arms == draw_arms(kept.plan)
    assert (len(kept.plan.arms), kept.plan.from_ms) == (14 * 12, BEGINS_MS)
    assert kept.detectable is None  # there is no past
    assert await database_experiments.find_experiment(connections, kept.number) == kept
    assert arm_at(kept.experiment, BEGINS_MS) is None
    (trace,) = await database_audit.list_newest(connections, 9)
    assert (trace.who, trace.action, trace.reason) == ("li", "plan_experiment", "诱导有没有用")
    assert trace.after["arms"] == kept.plan.arms


async def test_the_seed_that_was_previewed_is_the_one_that_is_drawn(
    connections: asyncpg.Pool,
) -> None:
    seed = new_seed()
    shown = await experiment_desk.preview(connections, a_wish(), seed, NOW_MS)
    kept = await experiment_desk.plan(
        connections, a_wish(), by="li", reason="x", now_ms=NOW_MS, seed=seed
    )
    assert kept.plan == shown.plan


async def test_another_process_follows_start_and_stop_by_the_counter(
    connections: asyncpg.Pool,
) -> None:
    shelf = ExperimentShelf()
    await shelf.look(connections)
    kept = await planned(connections)
    await shelf.look(connections)
    assert shelf.running(BEGINS_MS) is None
    await started(connections, kept.number)
    await shelf.look(connections)
    found = shelf.running(BEGINS_MS)
    assert found is not None
    assert (found.number, found.plan) == (kept.number, kept.plan)
    assert arm_at(found, BEGINS_MS) in (Arm.GUIDED, Arm.PLAIN)
    assert shelf.running(NOW_MS) is None
    await stopped(connections, kept.number, BEGINS_MS + DAY_MS)
    await shelf.look(connections)
    assert shelf.running(BEGINS_MS) is None


async def test_without_postgresql_what_was_known_goes_on(connections: asyncpg.Pool) -> None:
    shelf = ExperimentShelf()
    await started(connections, (await planned(connections)).number)
    await shelf.look(connections)
    async with database.pool(AWAY) as nowhere:
        await shelf.look(nowhere)
        await shelf.look(nowhere)
    assert shelf.running(BEGINS_MS) is not None


async def test_only_one_runs_at_a_time(connections: asyncpg.Pool) -> None:
    first, second = await planned(connections), await planned(connections)
    later = await planned(connections, first_day=TOMORROW + 14)
    await started(connections, first.number)
    with pytest.raises(SettledError, match=f"第 {first.number} 号实验在同一时间进行"):
        await started(connections, second.number)
    await started(connections, later.number)
    await stopped(connections, first.number, NOW_MS + 1)
    await started(connections, second.number, NOW_MS + 2)


async def test_each_step_is_taken_once_and_in_order(connections: asyncpg.Pool) -> None:
    kept = await planned(connections)
    await started(connections, kept.number)
    with pytest.raises(SettledError, match="wang 已经开始了它"):
        await started(connections, kept.number)
    await stopped(connections, kept.number, BEGINS_MS)
    with pytest.raises(SettledError, match="wu 已经停止了它"):
        await stopped(connections, kept.number, BEGINS_MS)
    with pytest.raises(SettledError, match="不能再开始"):
        await started(connections, kept.number)
    late = await planned(connections)
    with pytest.raises(SettledError, match="已经过去"):
        await started(connections, late.number, late.plan.to_ms)
    with pytest.raises(SettledError, match="已经到期"):
        await stopped(connections, late.number, late.plan.to_ms)
    with pytest.raises(NoSuchExperimentError, match="没有第 99 号实验"):
        await started(connections, 99)


async def test_what_was_drawn_cannot_be_changed_afterwards(connections: asyncpg.Pool) -> None:
    kept = await planned(connections)
    flipped = kept.plan.arms.translate(str.maketrans("01", "10"))
    with pytest.raises(asyncpg.RaiseError, match="cannot be changed"):
        await connections.execute("UPDATE experiment SET arms = $1", flipped)


@pytest.mark.parametrize(
    ("other", "field", "words"),
    [
        ({"block_minutes": 60}, "block", "2 小时或一天"),
        ({"first_day": TOMORROW - 1}, "first", "最早是明天"),
        ({"first_day": TOMORROW + 400}, "first", "最晚一年以后"),
        ({"days": 0}, "days", "1 到 180 天"),
        ({"days": 181}, "days", "1 到 180 天"),
        ({"days": 7, "block_minutes": 1_440}, "days", "至少要 6 对"),
        ({"held_out_percent": 51}, "held_out", "0 到 50%"),
    ],
)
async def test_what_cannot_be_is_refused_beside_its_field(
    connections: asyncpg.Pool, other: dict[str, int], field: str, words: str
) -> None:
    with pytest.raises(BadEditError) as refusal:
        await planned(connections, **other)
    assert refusal.value.field == field
    assert words in refusal.value.words


async def test_a_metric_of_drivers_is_none_of_blocks_and_a_reason_is_needed(
    connections: asyncpg.Pool,
) -> None:
    wish = Wish(Metric.CHOSEN, 120, TOMORROW, 14)
    for given, reason, field in ((wish, "x", "metric"), (a_wish(), "  ", "reason")):
        with pytest.raises(BadEditError) as refusal:
            await experiment_desk.plan(connections, given, by="li", reason=reason, now_ms=NOW_MS)
        assert refusal.value.field == field
