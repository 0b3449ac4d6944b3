"""PostgreSQL for the forecaster: the past by quarters of an hour, and what was learned from it."""

import datetime as dt
from typing import NamedTuple

from occupancy.database import Pool

QUARTER_MS = 900_000


class Learned(NamedTuple):
    """When a model was learned, and with which state of the operators' calendar."""

    at_ms: int
    calendar_revision: int


class QuarterRow(NamedTuple):
    """One lot as a quarter of an hour begins, and its lanes' totals then."""

    start_ms: int
    epoch: int
    occupied: int | None
    free: int | None
    entries_total: int
    exits_total: int


async def read_quarters(
    connections: Pool, lot_id: str, from_ms: int, to_ms: int
) -> list[QuarterRow]:
    """The last row of the quarter before each quarter's beginning; silent quarters are left out."""
    rows = await connections.fetch(_QUARTERS, lot_id, _time(from_ms), _time(to_ms))
    return [
        QuarterRow(
            int(row["start"].timestamp()) * 1_000,
            row["epoch"],
            row["occupied"],
            row["free"],
            row["entries_total"],
            row["exits_total"],
        )
        for row in rows
    ]


async def find_first_ms(connections: Pool, lot_id: str) -> int | None:
    """When the history of a lot begins."""
    first = await connections.fetchval(
        "SELECT observed_at FROM observation WHERE lot_id = $1 ORDER BY observed_at LIMIT 1", lot_id
    )
    return None if first is None else int(first.timestamp() * 1_000)


async def read_learned(connections: Pool) -> Learned:
    """What the stored model was learned from; noughts when there is none."""
    row = await connections.fetchrow("SELECT learned_at, calendar_revision FROM forecast_model")
    if row is None:
        return Learned(0, 0)
    return Learned(int(row["learned_at"].timestamp() * 1_000), row["calendar_revision"])


async def read_model(connections: Pool) -> bytes | None:
    model = await connections.fetchval("SELECT model FROM forecast_model")
    return None if model is None else bytes(model)


async def write_model(connections: Pool, learned: Learned, model: bytes) -> None:
    """Keep the model unless that kept is newer and knows the same calendar."""
    await connections.execute(
        "INSERT INTO forecast_model (learned_at, model, calendar_revision) VALUES ($1, $2, $3) "
        "ON CONFLICT (is_the_one) DO UPDATE SET learned_at = EXCLUDED.learned_at, "
        "model = EXCLUDED.model, calendar_revision = EXCLUDED.calendar_revision "
        "WHERE forecast_model.learned_at < EXCLUDED.learned_at "
        "OR forecast_model.calendar_revision < EXCLUDED.calendar_revision",
        *(_time(learned.at_ms), model, learned.calendar_revision),
    )


# A few rows by the index for each quarter, rather than all rows of all quarters.
_QUARTERS = """
SELECT quarter.start, o.* FROM generate_series($2::timestamptz,
    $3::timestamptz - interval '1 microsecond', interval '15 minutes') AS quarter(start)
CROSS JOIN LATERAL (
    SELECT epoch, occupied, free, entries_total, exits_total FROM observation
    WHERE lot_id = $1 AND observed_at <= quarter.start
      AND observed_at > quarter.start - interval '15 minutes'
    ORDER BY observed_at DESC LIMIT 1
) AS o ORDER BY quarter.start
"""


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)
