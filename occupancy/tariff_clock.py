"""Local minutes, and the bands of one day: pure arithmetic, no time zone database.

Asia/Shanghai is UTC+8 without summer time since 1991-09-15; dates before that are not served.
"""

from collections.abc import Iterable, Iterator

from occupancy.calendar import date_of
from occupancy.tariff import DayPlan, Waiver

DAY_MINUTES = 1440
SHANGHAI_MINUTES = 480
_MINUTE_MS = 60_000

# (start, end, band index) in minutes of the day, in order
Pieces = tuple[tuple[int, int, int], ...]


def local_minute(utc_ms: int) -> int:
    """The local minute a UTC moment lies in."""
    return utc_ms // _MINUTE_MS + SHANGHAI_MINUTES


def utc_ms(minute: int) -> int:
    """The UTC moment a local minute begins."""
    return (minute - SHANGHAI_MINUTES) * _MINUTE_MS


def written(minute: int) -> str:
    """2026-10-01 09:00, as local clocks show it."""
    return f"{date_of(minute // DAY_MINUTES).isoformat()} {clock_words(minute % DAY_MINUTES)}"


def rfc3339(minute: int) -> str:
    return f"{written(minute).replace(' ', 'T')}:00+08:00"


def clock_words(minute_of_day: int) -> str:
    """09:00; the end of the day is 24:00."""
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"


def day_pieces(plan: DayPlan, bands: Iterable[str]) -> Pieces:
    """The plan's periods cut at midnight, in order; an unknown band is a KeyError."""
    index = {name: number for number, name in enumerate(bands)}
    return tuple(
        sorted(
            (start, end, index[period.band])
            for period in plan.periods
            for start, end in cut_at_midnight(period.start_minute, period.end_minute)
        )
    )


def cut_at_midnight(start_minute: int, end_minute: int) -> Iterator[tuple[int, int]]:
    if start_minute < end_minute:
        yield start_minute, end_minute
        return
    yield start_minute, DAY_MINUTES
    if end_minute > 0:
        yield 0, end_minute


def without(pieces: Pieces, holes: Iterable[tuple[int, int]]) -> Pieces:
    """The pieces with the holes cut out."""
    for hole_start, hole_end in holes:
        pieces = tuple(
            (start, end, band)
            for piece_start, piece_end, band in pieces
            for start, end in (
                (piece_start, min(piece_end, hole_start)),
                (max(piece_start, hole_end), piece_end),
            )
            if start < end
        )
    return pieces


def waived_hours(waivers: Iterable[Waiver], day: int) -> tuple[tuple[int, int], ...]:
    """The free hours of a date."""
    return tuple(
        (waiver.start_minute, waiver.end_minute)
        for waiver in waivers
        if waiver.first_day <= day <= waiver.last_day
    )
