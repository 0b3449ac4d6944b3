"""A month of all car parks as lines of an open file: each quarter of an hour, gaps as gaps."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from occupancy.export_cells import Column, Kind, Row, csv_heading, csv_lines
from occupancy.report.period import Period
from occupancy.rollup import MINUTE_MS, Window, fill

QUARTER = 15
BYTE_ORDER_MARK = "\ufeff"
_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_CARS_DIGITS, _SHARE_DIGITS = 3, 5


class OpenColumn(NamedTuple):
    """One column: its name, what it is in a typed file, its unit, and what it says in Chinese."""

    name: str
    sql_type: str
    unit: str
    about: str


COLUMNS = (
    OpenColumn("lot_id", "VARCHAR", "", "停车场编号"),
    OpenColumn("start", "TIMESTAMPTZ", "", "时段开始，北京时间，每段 15 分钟"),
    OpenColumn("completeness", "DOUBLE", "0—1", "这一时段有可信观测的比例"),
    OpenColumn("stale_share", "DOUBLE", "0—1", "市民看到横杠（数据失联）的比例"),
    OpenColumn("occupied", "DOUBLE", "辆", "平均在库车辆"),
    OpenColumn("free", "DOUBLE", "个", "平均空位"),
    OpenColumn("usable", "DOUBLE", "个", "平均可用车位（不含停用）"),
    OpenColumn("occupancy", "DOUBLE", "0—1", "占有率：在库 ÷ 可用"),
    OpenColumn("occupied_most", "INTEGER", "辆", "时段内最多在库车辆"),
    OpenColumn("full_minutes", "DOUBLE", "分钟", "空位不多于 max(1, 2 % 可用) 的时间"),
    OpenColumn("entries", "INTEGER", "辆次", "驶入"),
    OpenColumn("exits", "INTEGER", "辆次", "驶出"),
    OpenColumn("entries_late", "INTEGER", "辆次", "其中失联期间驶入、事后补报的"),
    OpenColumn("exits_late", "INTEGER", "辆次", "其中失联期间驶出、事后补报的"),
)
_CSV = tuple(
    Column(one.name, Kind.TEXT if one.sql_type in ("VARCHAR", "TIMESTAMPTZ") else Kind.NUMBER)
    for one in COLUMNS
)


def month_lines(windows: Iterable[tuple[str, Sequence[Window]]], period: Period) -> Iterator[str]:
    """CSV lines, the heading first, lot after lot: `windows` are those that have data."""
    yield BYTE_ORDER_MARK + csv_heading(_CSV)
    for lot_id, told in windows:
        whole = fill(told, lot_id, period.start_ms, period.end_ms, QUARTER)
        yield csv_lines(_CSV, map(line_of, whole))


def line_of(window: Window) -> Row:
    """An empty cell is what nobody told, never nought."""
    is_told = window.told_ms > 0
    is_heard = is_told or window.fresh_ms > 0 or window.suspect_ms > 0
    counts = (window.entries, window.exits, window.entries_late, window.exits_late)
    return (
        window.lot_id,
        dt.datetime.fromtimestamp(window.start_ms / 1_000, tz=_SHANGHAI).isoformat(),
        round(window.completeness, _SHARE_DIGITS),
        round(window.stale_share, _SHARE_DIGITS),
        *(_cars(one) for one in (window.occupied, window.free, window.usable)),
        None if window.occupancy is None else round(window.occupancy, _SHARE_DIGITS),
        window.occupied_most,
        round(window.full_ms / MINUTE_MS, _CARS_DIGITS) if is_told else None,
        *(counts if is_heard or any(counts) else (None,) * len(counts)),
    )


def _cars(mean: float | None) -> float | None:
    return None if mean is None else round(mean, _CARS_DIGITS)


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
