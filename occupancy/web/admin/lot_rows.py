"""The table of car parks: what stands in each row, the tightest first."""

from collections.abc import Iterable, Sequence

import msgspec

from gateway.observation import GroupState
from occupancy.live import Quality, Status
from occupancy.web import sparkline
from occupancy.web.board_view import Tile, tile
from occupancy.web.formats import GroupNow, LotDetail
from occupancy.web.sparkline import Sparkline
from occupancy.web.trend import Trend

BAR_WIDTH, BAR_HEIGHT, BAR_STEP = 8, 28, 11
TIGHT_SHARE = 0.15
_PLACE = {
    Status.FULL: 0,
    Status.ALMOST_FULL: 1,
    Status.OPEN: 2,
    Status.CLOSED: 3,
    Status.NO_DATA: 4,
}


class Bar(msgspec.Struct, frozen=True):
    """One machine group as a small column; `kind` is its look, `height` its cars."""

    x: int
    height: int
    kind: str


class Row(msgspec.Struct, frozen=True):
    """One car park's row; `working` of its machine groups work."""

    tile: Tile
    quality: Quality
    trend: Sparkline
    span: str
    bars: tuple[Bar, ...]
    working: int
    entries: int | None
    exits: int | None
    drift: int | None

    @property
    def bars_width(self) -> int:
        return max(BAR_STEP * len(self.bars) - (BAR_STEP - BAR_WIDTH), 1)


class Sum(msgspec.Struct, frozen=True):
    """The strip above the table."""

    free: int | None
    usable: int
    trusted: int
    lots: int
    silent_spaces: int
    out_of_service: int
    entries: int | None
    exits: int | None
    tightest: Row | None


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The tightest first; those without numbers last, for nobody can act on them here."""
    return sorted(rows, key=lambda row: (_PLACE[row.tile.lot.status], _free_share(row)))


def row_of(lot: LotDetail, trend: Trend) -> Row:
    return Row(
        tile=tile(lot),
        quality=lot.live.quality,
        trend=sparkline.draw(trend.free, lot.live.capacity),
        span=trend.span,
        bars=tuple(_bar(place, group) for place, group in enumerate(lot.groups)),
        working=sum(group.state is GroupState.WORKING for group in lot.groups),
        entries=trend.entries_day,
        exits=trend.exits_day,
        drift=None if lot.counters is None else lot.counters.drift_cars,
    )


def sum_of(rows: Sequence[Row]) -> Sum:
    """Closed car parks and silent ones do not count as room."""
    trusted = [row for row in rows if row.tile.lot.live.free is not None]
    serving = [r.tile.lot.live for r in trusted if r.tile.lot.status is not Status.CLOSED]
    silent = [r.tile.lot.live.capacity for r in rows if r.tile.lot.live.free is None]
    told = [row for row in rows if row.tile.lot.status in (Status.OPEN, Status.ALMOST_FULL)]
    flows = [row for row in rows if row.entries is not None and row.exits is not None]
    return Sum(
        free=sum(live.free or 0 for live in serving) if serving else None,
        usable=sum(live.usable or 0 for live in serving),
        trusted=len(trusted),
        lots=len(rows),
        silent_spaces=sum(silent),
        out_of_service=sum(live.out_of_service or 0 for live in serving),
        entries=sum(row.entries or 0 for row in flows) if flows else None,
        exits=sum(row.exits or 0 for row in flows) if flows else None,
        tightest=min(told, key=_free_share, default=None),
    )


def _free_share(row: Row) -> float:
    live = row.tile.lot.live
    return (live.free or 0) / live.usable if live.usable else 0.0


def _bar(place: int, group: GroupNow) -> Bar:
    x = place * BAR_STEP
    if group.state is not GroupState.WORKING or group.occupied is None:
        return Bar(x, BAR_HEIGHT, "out")
    share = group.occupied / max(group.capacity, 1)
    free_share = 1 - share
    kind = "none" if not group.free else "tight" if free_share <= TIGHT_SHARE else "cars"
    return Bar(x, max(2, round(BAR_HEIGHT * share)), kind)
