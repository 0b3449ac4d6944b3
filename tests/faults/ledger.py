"""Reads every count event of the truth and every row of the history, and has them compared."""

from gateway.config import Role
from tests.faults.history_checker import Crossing, Row, Verdict, check
from tests.faults.stage import Stage

TOGETHER_REAL_MS = 5_000  # lanes are polled one after the other, on a slow bus and a busy machine
ROWS = (
    "SELECT lot_id, epoch, sequence, recorded_at, lane_totals FROM observation "
    "ORDER BY lot_id, epoch, sequence"
)


async def read_truth(stage: Stage) -> list[Crossing]:
    """Raises AssertionError when the simulator has forgotten some."""
    cars: list[Crossing] = []
    after = 0
    while True:
        page = await stage.get(f"{stage.sim}/truth/events?after={after}")
        assert page["oldest_kept"] in (None, 1), "the simulator has forgotten events"
        if not page["events"]:
            return cars
        cars += [Crossing(e["lot_id"], e["lane"], e["total"], e["at_ms"]) for e in page["events"]]
        after = page["events"][-1]["number"]


async def read_history(stage: Stage) -> list[Row]:
    lanes = {
        lot_id: [device.device_id for device in config.devices_of(Role.LANE)]
        for lot_id, config in stage.configs.items()
    }
    return [
        Row(
            row["lot_id"],
            row["epoch"],
            row["sequence"],
            int(row["recorded_at"].timestamp() * 1_000),
            dict(zip(lanes[row["lot_id"]], row["lane_totals"], strict=True)),
        )
        for row in await stage.fetch(ROWS)
    ]


async def spoil(stage: Stage, doubled_lot: str, lost_lot: str) -> None:
    """Plant what the checker must find: one row twice, and the later half of a history gone.

    Nobody may write any more: the next row would tell all that was lost.
    """
    for part in (*stage.gateways(), *stage.recorders()):
        await part.end()
    await stage.fetch(
        "INSERT INTO observation SELECT * FROM observation WHERE lot_id = $1 "
        "ORDER BY epoch DESC, sequence DESC LIMIT 1",
        doubled_lot,
    )
    await stage.fetch(
        "DELETE FROM observation WHERE lot_id = $1 AND entries_total > "
        "(SELECT max(entries_total) / 2 FROM observation WHERE lot_id = $1)",
        lost_lot,
    )


async def compare(stage: Stage, fastest: float) -> Verdict:
    """`fastest`: the most simulated seconds a second that the town has run at."""
    truth = await read_truth(stage)
    return check(truth, await read_history(stage), int(TOGETHER_REAL_MS * max(1.0, fastest)))
