"""The district's total of a block, from quarters of hours of all car parks."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from occupancy.balance import balance_of
from occupancy.effect.metric import Metric
from occupancy.observed import LEAST_TOLD, Observed, Span
from occupancy.refused import Refusals
from occupancy.rollup import MINUTE_MS, Window

LEAST_COMPLETE = 0.9


class District(msgspec.Struct, frozen=True):
    """All car parks over a time, with the drivers they are thought to have refused."""

    lots: tuple[Observed, ...]
    refusals: tuple[Refusals, ...] = ()


def total_by_block(
    metric: Metric, district: District, blocks: Mapping[int, Span]
) -> dict[int, float]:
    """By the number of the block; those of which too little was told are not there.

    A sum is scaled to the whole block where a part (at most a tenth) was not told.
    """
    quarters = _quarters_by_block(district.lots, blocks)
    found: dict[int, float] = {}
    for number, windows in quarters.items():
        complete = _completeness(windows, district.lots, blocks[number])
        if complete < LEAST_COMPLETE:
            continue
        value = _TOTALS[metric](windows, district, blocks[number])
        if value is not None:
            found[number] = value / complete if metric.is_sum else value
    return found


def _quarters_by_block(
    lots: Sequence[Observed], blocks: Mapping[int, Span]
) -> dict[int, list[Window]]:
    places = sorted((span.from_ms, span.until_ms, number) for number, span in blocks.items())
    found: dict[int, list[Window]] = {}
    for lot in lots:
        place = 0
        for window in lot.windows:
            while place < len(places) and window.start_ms >= places[place][1]:
                place += 1
            if place == len(places):
                break
            if window.start_ms >= places[place][0]:
                found.setdefault(places[place][2], []).append(window)
    return found


def _completeness(windows: Sequence[Window], lots: Sequence[Observed], span: Span) -> float:
    """By the car parks' size; what was closed or not open yet is not missed."""
    capacity = {lot.facts.lot_id: lot.facts.capacity for lot in lots}
    told = sum(capacity[one.lot_id] * one.told_ms for one in windows)
    open_ms = sum(capacity[one.lot_id] * one.length_ms for one in windows)
    length_ms = span.until_ms - span.from_ms
    is_whole = max((w.start_ms + w.length_ms for w in windows), default=0) >= span.until_ms
    return told / open_ms if open_ms and is_whole and length_ms else 0.0


def _saturated(windows: Sequence[Window], _: District, __: Span) -> float:
    return sum(one.full_ms for one in windows) / MINUTE_MS


def _refused(_: Sequence[Window], district: District, span: Span) -> float:
    return sum(one.between(span.from_ms, span.until_ms) for one in district.refusals)


def _found(windows: Sequence[Window], district: District, span: Span) -> float | None:
    entered = sum(one.entries for one in windows)
    wanted = entered + _refused(windows, district, span)
    return entered / wanted if wanted else None


def _balance(windows: Sequence[Window], _: District, __: Span) -> float | None:
    """The mean over quarters in which every car park of the block spoke."""
    lots = {one.lot_id for one in windows}
    by_quarter: dict[int, list[tuple[float, float]]] = {}
    for one in windows:
        if one.completeness >= LEAST_TOLD:
            means = (one.occupied_ms / one.told_ms, one.usable_ms / one.told_ms)
            by_quarter.setdefault(one.start_ms, []).append(means)
    whole = (shares for shares in by_quarter.values() if len(shares) == len(lots))
    values = [value for shares in whole if (value := balance_of(shares)) is not None]
    return sum(values) / len(values) if values else None


_TOTALS: Mapping[Metric, Callable[[Sequence[Window], District, Span], float | None]] = {
    Metric.SATURATED_MINUTES: _saturated,
    Metric.REFUSED: _refused,
    Metric.FOUND: _found,
    Metric.BALANCE: _balance,
}
