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
    """One car park's row; `working` of its machine groups work, `drawn` are their bars in SVG."""

    tile: Tile
    quality: Quality
    trend: Sparkline
    span: str
    bars: tuple[Bar, ...]
    drawn: str
    working: int
    entries: int | None
    exits: int | None
    flow_since_ms: int | None

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
    flow_since_ms: int | None
    drifting: int
    tightest: Tile | None


def in_order(lots: Iterable[LotDetail]) -> list[LotDetail]:
    """The tightest first; those without numbers last, for nobody can act on them here."""
    return sorted(lots, key=lambda lot: (_PLACE[lot.status], _free_share(lot)))


def row_of(lot: LotDetail, trend: Trend) -> Row:
    bars = tuple(_bar(place, group) for place, group in enumerate(lot.groups))
    return Row(
        tile=tile(lot),
        quality=lot.live.quality,
        trend=sparkline.draw(trend.free, lot.live.capacity),
        span=trend.span,
        bars=bars,
        drawn="".join(map(_draw, bars)),
        working=sum(group.state is GroupState.WORKING for group in lot.groups),
        entries=trend.entries_day,
        exits=trend.exits_day,
        flow_since_ms=trend.flow_since_ms,
    )


def sum_of(lots: Sequence[LotDetail], trends: Iterable[Trend]) -> Sum:
    """Closed car parks and silent ones do not count as room."""
    trusted = [lot for lot in lots if lot.live.free is not None]
    serving = [lot.live for lot in trusted if lot.status is not Status.CLOSED]
    told = [lot for lot in lots if lot.status in (Status.OPEN, Status.ALMOST_FULL)]
    flows = [
        (trend.entries_day, trend.exits_day, trend.flow_since_ms)
        for trend in trends
        if trend.entries_day is not None and trend.exits_day is not None
    ]
    tightest = min(told, key=_free_share, default=None)
    return Sum(
        free=sum(live.free or 0 for live in serving) if serving else None,
        usable=sum(live.usable or 0 for live in serving),
        trusted=len(trusted),
        lots=len(lots),
        silent_spaces=sum(lot.live.capacity for lot in lots if lot.live.free is None),
        out_of_service=sum(live.out_of_service or 0 for live in serving),
        entries=sum(entries for entries, _, _ in flows) if flows else None,
        exits=sum(exits for _, exits, _ in flows) if flows else None,
        flow_since_ms=max((since for *_, since in flows if since is not None), default=None),
        drifting=sum(1 for lot in lots if lot.counters is not None and lot.counters.drift_cars),
        tightest=None if tightest is None else tile(tightest),
    )


def _free_share(lot: LotDetail) -> float:
    live = lot.live
    return (live.free or 0) / live.usable if live.usable else 0.0


def _draw(bar: Bar) -> str:
    """A column and what stands behind it; drawn once a row, not once a page."""
    return (
        f'<rect class="back" x="{bar.x}" y="0" width="{BAR_WIDTH}" height="{BAR_HEIGHT}" rx="1.5"/>'
        f'<rect class="{bar.kind}" x="{bar.x}" y="{BAR_HEIGHT - bar.height}" '
        f'width="{BAR_WIDTH}" height="{bar.height}" rx="1.5"/>'
    )


def _bar(place: int, group: GroupNow) -> Bar:
    x = place * BAR_STEP
    if group.state is not GroupState.WORKING or group.occupied is None:
        return Bar(x, BAR_HEIGHT, "out")
    share = group.occupied / max(group.capacity, 1)
    free_share = 1 - share
    kind = "none" if not group.free else "tight" if free_share <= TIGHT_SHARE else "cars"
    return Bar(x, max(2, round(BAR_HEIGHT * share)), kind)
