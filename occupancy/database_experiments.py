"""Experiments with guidance in PostgreSQL: planned, started, stopped; and how their drivers did."""

from typing import Any

import msgspec

from occupancy.database import Connection, Pool
from occupancy.database_restrictions import time_of
from occupancy.effect.experiment import Arm, Experiment, Plan
from occupancy.effect.held_out import Drivers
from occupancy.effect.metric import Metric


class KeptExperiment(msgspec.Struct, frozen=True):
    """An experiment with who planned it and why, and what it could see, computed beforehand."""

    experiment: Experiment
    detectable: float | None
    reason: str
    planned_by: str
    planned_ms: int
    started_by: str | None = None
    stopped_by: str | None = None
    stop_reason: str | None = None

    @property
    def number(self) -> int:
        return self.experiment.number

    @property
    def plan(self) -> Plan:
        return self.experiment.plan


class ArmDrivers(msgspec.Struct, frozen=True):
    """Trips of one arm whose time is over: set out for the first car park, asked again."""

    chose_first: Drivers
    asked_again: Drivers


async def add_experiment(
    connection: Connection, plan: Plan, detectable: float | None, reason: str, by: str
) -> KeptExperiment:
    row = await connection.fetchrow(
        "INSERT INTO experiment (metric, block_minutes, from_at, seed, arms, kinds, "
        "held_out_percent, detectable, reason, planned_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *",
        *(plan.metric.value, plan.block_minutes, time_of(plan.from_ms), plan.seed, plan.arms),
        *(plan.kinds, plan.held_out_percent, detectable, reason, by),
    )
    return _kept(row)


async def lock_experiments(connection: Connection) -> list[KeptExperiment]:
    """All of them, and nobody else starts or stops one until this transaction ends."""
    await connection.execute("LOCK TABLE experiment IN SHARE ROW EXCLUSIVE MODE")
    rows = await connection.fetch("SELECT * FROM experiment ORDER BY number DESC")
    return [_kept(row) for row in rows]


async def list_experiments(connections: Pool) -> list[KeptExperiment]:
    """The newest first."""
    rows = await connections.fetch("SELECT * FROM experiment ORDER BY number DESC")
    return [_kept(row) for row in rows]


async def find_experiment(connections: Pool, number: int) -> KeptExperiment | None:
    row = await connections.fetchrow("SELECT * FROM experiment WHERE number = $1", number)
    return None if row is None else _kept(row)


async def list_started(connections: Pool) -> list[Experiment]:
    """Those that change something now or will, by what was decided; the clock is the reader's."""
    rows = await connections.fetch(
        "SELECT * FROM experiment WHERE started_at IS NOT NULL AND stopped_at IS NULL "
        "ORDER BY number DESC"
    )
    return [_kept(row).experiment for row in rows]


async def mark_started(connection: Connection, number: int, by: str, now_ms: int) -> None:
    await connection.execute(
        "UPDATE experiment SET started_at = $3, started_by = $2 WHERE number = $1",
        *(number, by, time_of(now_ms)),
    )


async def mark_stopped(
    connection: Connection, number: int, by: str, reason: str, now_ms: int
) -> None:
    await connection.execute(
        "UPDATE experiment SET stopped_at = $4, stopped_by = $2, stop_reason = $3 "
        "WHERE number = $1",
        *(number, by, reason, time_of(now_ms)),
    )


async def read_drivers(connections: Pool, number: int, now_ms: int) -> dict[Arm, ArmDrivers]:
    """Of this experiment's trips that are still kept (thirty days), by arm."""
    rows = await connections.fetch(_DRIVERS, number, time_of(now_ms))
    return {
        Arm(row["arm"]): ArmDrivers(
            Drivers(row["shown"], row["first"]), Drivers(row["shown"], row["again"])
        )
        for row in rows
    }


_DRIVERS = """
SELECT arm, count(*) AS shown, count(*) FILTER (WHERE stage = 'replaced') AS again,
       count(*) FILTER (WHERE lot_id = shown_lots[1] AND stage IN ('chosen', 'arrived')) AS first
FROM trip WHERE experiment = $1 AND expires_at < $2 AND arm IS NOT NULL
GROUP BY arm
"""


def _kept(row: Any) -> KeptExperiment:  # noqa: ANN401  # asyncpg's record
    plan = Plan(
        metric=Metric(row["metric"]),
        block_minutes=row["block_minutes"],
        from_ms=_ms(row["from_at"]) or 0,
        seed=row["seed"],
        arms=row["arms"],
        kinds=row["kinds"],
        held_out_percent=row["held_out_percent"],
    )
    started_ms, stopped_ms = _ms(row["started_at"]), _ms(row["stopped_at"])
    return KeptExperiment(
        experiment=Experiment(row["number"], plan, started_ms, stopped_ms),
        detectable=row["detectable"],
        reason=row["reason"],
        planned_by=row["planned_by"],
        planned_ms=_ms(row["planned_at"]) or 0,
        started_by=row["started_by"],
        stopped_by=row["stopped_by"],
        stop_reason=row["stop_reason"],
    )


def _ms(at: Any) -> int | None:  # noqa: ANN401
    return None if at is None else round(at.timestamp() * 1_000)
