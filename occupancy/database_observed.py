"""What was observed of car parks in a period, read from PostgreSQL: facts, closures and windows."""

import datetime as dt

from occupancy import refused
from occupancy.calendar import Calendar, date_of
from occupancy.database import Pool
from occupancy.database_lots import list_staged
from occupancy.database_rollup import find_first_start_ms, read_windows
from occupancy.observed import Facts, Observed, Span, facts_of, observe
from occupancy.refused import WindowRefused
from occupancy.rollup import MINUTE_MS, Window, date_start_ms, local_day


async def read_facts(connections: Pool, until_ms: int, since_ms: int = 0) -> list[Facts]:
    """Every car park that was live since then, as it is judged: since when, and when closed.

    One that was removed counts as closed from then on.
    """
    closed: dict[str, list[Span]] = {}
    for row in await connections.fetch(_CLOSED):
        ended_ms = until_ms if row["until_at"] is None else _ms(row["until_at"])
        closed.setdefault(row["lot_id"], []).append(Span(_ms(row["from_at"]), ended_ms))
    found = []
    for one in await list_staged(connections):
        if not one.was_live_after(since_ms):
            continue
        spans = closed.get(one.lot.lot_id, [])
        if one.removed_ms is not None and one.removed_ms < until_ms:
            spans.append(Span(one.removed_ms, until_ms))
        first_ms = await find_first_start_ms(connections, one.lot.lot_id)
        found.append(facts_of(one.lot, one.counts_from(first_ms), spans))
    return found


async def read_observed(
    connections: Pool, facts: Facts, span: Span, minutes: int, now_ms: int
) -> Observed:
    """One car park over a period, as far as it has passed."""
    until_ms = min(span.until_ms, now_ms // (minutes * MINUTE_MS) * (minutes * MINUTE_MS))
    windows = await read_windows(connections, facts.lot_id, span.from_ms, until_ms, minutes)
    return observe(facts, windows, span.from_ms, until_ms, minutes)


async def read_with_refused(
    connections: Pool,
    facts: Facts,
    span: Span,
    minutes: int,
    calendar: Calendar,
    now_ms: int,
) -> list[tuple[Window, WindowRefused]]:
    """A rollup with who was turned away in each window, estimated when it is read.

    Like days are those of a window's own calendar month: a window says the same, whoever asks for
    whichever span. Windows without data are not there.
    """
    found: list[tuple[Window, WindowRefused]] = []
    for month in _months(span):
        whole = await read_observed(connections, facts, month, 1, now_ms)
        refusals = refused.estimate(whole, calendar)
        from_ms, until_ms = max(span.from_ms, month.from_ms), min(span.until_ms, month.until_ms)
        windows = await read_windows(connections, facts.lot_id, from_ms, until_ms, minutes)
        found += zip(windows, refused.refused_in(windows, refusals), strict=True)
    return found


def _months(span: Span) -> list[Span]:
    """The local calendar months that a span touches, whole."""
    first = date_of(local_day(span.from_ms)).replace(day=1)
    months = []
    while date_start_ms(first) < span.until_ms:
        following = (first + dt.timedelta(days=32)).replace(day=1)
        months.append(Span(date_start_ms(first), date_start_ms(following)))
        first = following
    return months


def _ms(at: object) -> int:
    return round(at.timestamp() * 1_000)  # type: ignore[attr-defined,no-any-return]


# A closure counts as long as it was in force: until it ended, or was ended by hand.
_CLOSED = """
SELECT lot_id, from_at, least(until_at, ended_at) AS until_at FROM restriction
WHERE extent = 'lot' AND (ended_at IS NULL OR ended_at > from_at)
ORDER BY lot_id, from_at
"""
