"""Which spans of vital signs the command centre must still be told, in PostgreSQL."""

import datetime as dt

from occupancy.database import Pool
from occupancy.vital_push import DuePush
from occupancy.vital_signs import Grain

# What was worked out long after its span only stands beside others: nobody is told of it.
_LATE = {Grain.QUARTER: 1, Grain.DAY: 4 * 24, Grain.MONTH: 33 * 24}


async def list_due(connections: Pool, now_ms: int) -> list[DuePush]:
    """Spans that are whole (the district comes last) and were not told in this state."""
    rows = await connections.fetch(
        _DUE, _time(now_ms), [grain.value for grain in _LATE], list(_LATE.values())
    )
    return [
        DuePush(
            Grain(row["grain"]),
            round(row["from_at"].timestamp() * 1_000),
            row["up_to"],
            row["attempts"],
        )
        for row in rows
    ]


async def claim(connections: Pool, due: DuePush, now_ms: int, hold_seconds: float) -> bool:
    """Count an attempt and keep others from making it meanwhile; False: it is not due any more."""
    claimed = await connections.fetchval(
        "INSERT INTO vital_push (grain, from_at, up_to, attempts, next_at) "
        "VALUES ($1, $2, $3, 1, $4) ON CONFLICT (grain, from_at, up_to) DO UPDATE "
        "SET attempts = vital_push.attempts + 1, next_at = excluded.next_at "
        "WHERE vital_push.delivered_at IS NULL AND vital_push.next_at <= $5 RETURNING true",
        *_key(due),
        *(_time(now_ms + round(hold_seconds * 1_000)), _time(now_ms)),
    )
    return bool(claimed)


async def note_delivered(connections: Pool, due: DuePush, now_ms: int) -> None:
    await connections.execute(
        "UPDATE vital_push SET delivered_at = $4, trouble = '' "
        "WHERE grain = $1 AND from_at = $2 AND up_to = $3",
        *_key(due),
        _time(now_ms),
    )


async def note_trouble(
    connections: Pool, due: DuePush, trouble: str, now_ms: int, pause_seconds: float
) -> None:
    """To be tried again after the pause."""
    await connections.execute(
        "UPDATE vital_push SET trouble = $4, next_at = $5 "
        "WHERE grain = $1 AND from_at = $2 AND up_to = $3",
        *_key(due),
        *(trouble, _time(now_ms + round(pause_seconds * 1_000))),
    )


def _key(due: DuePush) -> tuple[str, dt.datetime, int]:
    return due.grain.value, _time(due.from_ms), due.up_to


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


_DUE = """
SELECT v.grain, v.from_at, v.up_to, coalesce(p.attempts, 0) AS attempts
FROM (
    SELECT grain, from_at, max(number) AS up_to FROM vital
    JOIN unnest($2::text[], $3::int[]) AS late (of_grain, hours) ON of_grain = grain
    WHERE until_at > $1::timestamptz - make_interval(hours => hours) - interval '1 day'
      AND made_at < until_at + make_interval(hours => hours)
    GROUP BY grain, from_at HAVING bool_or(subject = 'district')
) AS v
LEFT JOIN vital_push p ON (p.grain, p.from_at, p.up_to) = (v.grain, v.from_at, v.up_to)
WHERE p.delivered_at IS NULL AND coalesce(p.next_at <= $1::timestamptz, true)
ORDER BY v.from_at, v.grain LIMIT 200
"""
