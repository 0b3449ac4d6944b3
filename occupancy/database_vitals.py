"""Vital signs in PostgreSQL: added, never changed; read back as the newest of each span."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from occupancy.database import Pool
from occupancy.indicator import Indicator
from occupancy.vital_signs import Grain, Vital, VitalQuery, seal_of

_FIGURES = tuple[Indicator, ...]


async def add(
    connections: Pool, query: VitalQuery, figures: Sequence[Indicator], made_at_ms: int
) -> bool:
    """Keep it; False where the newest of its span says the same already."""
    seal = seal_of(query, figures)
    added = await connections.fetchval(
        "INSERT INTO vital (subject, grain, from_at, until_at, made_at, query, figures, seal) "
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $8 IS DISTINCT FROM (SELECT seal FROM vital "
        "WHERE subject = $1 AND grain = $2 AND from_at = $3 ORDER BY number DESC LIMIT 1) "
        "RETURNING true",
        *(query.subject, query.grain.value, _time(query.from_ms), _time(query.until_ms)),
        *(_time(made_at_ms), msgspec.json.encode(query, order="deterministic").decode()),
        *(msgspec.json.encode(tuple(figures)).decode(), seal),
    )
    return bool(added)


async def find(connections: Pool, number: int) -> Vital | None:
    row = await connections.fetchrow("SELECT * FROM vital WHERE number = $1", number)
    return None if row is None else _vital(row)


async def list_newest(connections: Pool, grain: Grain) -> list[Vital]:
    """Each subject's newest span, as it was last worked out; the district first."""
    rows = await connections.fetch(
        "SELECT * FROM (SELECT DISTINCT ON (subject) * FROM vital WHERE grain = $1 "
        "ORDER BY subject, from_at DESC, number DESC) AS newest "
        "ORDER BY subject <> 'district', subject",
        grain.value,
    )
    return [_vital(row) for row in rows]


async def list_spans(
    connections: Pool, grain: Grain, subjects: Sequence[str], from_ms: int, until_ms: int
) -> list[Vital]:
    """Every span that begins in a time, as it was last worked out, in order; no subject: all."""
    rows = await connections.fetch(
        "SELECT DISTINCT ON (subject, from_at) * FROM vital WHERE grain = $1 "
        "AND (cardinality($2::text[]) = 0 OR subject = ANY($2)) "
        "AND from_at >= $3 AND from_at < $4 ORDER BY subject, from_at, number DESC",
        *(grain.value, list(subjects), _time(from_ms), _time(until_ms)),
    )
    return [_vital(row) for row in rows]


async def list_starts(connections: Pool, grain: Grain, subject: str, from_ms: int) -> set[int]:
    """The spans of a subject that are there, by when they begin."""
    rows = await connections.fetch(
        "SELECT DISTINCT from_at FROM vital WHERE grain = $1 AND subject = $2 AND from_at >= $3",
        *(grain.value, subject, _time(from_ms)),
    )
    return {_ms(row["from_at"]) for row in rows}


async def drop_quarters(connections: Pool, before_ms: int) -> None:
    """Quarters are kept for some weeks; days and months for ever."""
    await connections.execute(
        "DELETE FROM vital WHERE grain = 'quarter' AND from_at < $1", _time(before_ms)
    )


def _vital(row: "dict[str, object]") -> Vital:
    return Vital(
        row["number"],  # type: ignore[arg-type]
        _ms(row["made_at"]),
        msgspec.json.decode(str(row["query"]), type=VitalQuery),
        msgspec.json.decode(str(row["figures"]), type=_FIGURES),
        str(row["seal"]),
    )


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


def _ms(at: object) -> int:
    return round(at.timestamp() * 1_000)  # type: ignore[attr-defined,no-any-return]
