"""The pictures of a report as plain data: what is drawn, without how.

Names are as readers see them. None is "no data" and is drawn as such, never as zero.
"""

import msgspec

Values = tuple[float | None, ...]


class HeatMap(msgspec.Struct, frozen=True, tag="heat_map"):
    """A value in each cell, by the heat ramp; missing is hatched.

    `limits` are the five values at which the ramp's six colours change, `scale` 100 writes shares
    in per cent. `unit` stands beside the legend.
    """

    columns: tuple[str, ...]  # 0时, 1时, ...
    rows: tuple[str, ...]  # 康乐路 工作日, ...
    values: tuple[Values, ...]  # a tuple a row
    limits: tuple[float, float, float, float, float] = (0.4, 0.6, 0.7, 0.85, 0.95)
    scale: float = 100
    decimals: int = 0
    legend: str = "占有率"
    unit: str = "%"


class Line(msgspec.Struct, frozen=True):
    """One named line; `x` and `y` are as long, a None in `y` breaks it.

    `low`, `high` draw a band around it; `note` stands behind the name in the legend.
    """

    name: str
    x: tuple[float, ...]
    y: Values
    low: Values = ()
    high: Values = ()
    note: str = ""


class DurationCurves(msgspec.Struct, frozen=True, tag="duration_curves"):
    """Load duration curves: share of the time (0 to 1) against occupancy (0 to 1), falling.

    `target_high`: above it the ground is red; the width a curve has there is the time above it.
    """

    lines: tuple[Line, ...]
    target_high: float = 0.85


class CumulativeFlow(msgspec.Struct, frozen=True, tag="cumulative_flow"):
    """Cars in and cars out since midnight, by hours of the day (0 to 24).

    Upright between them: cars present; sideways: the time they stay. `mark_hour` draws the
    upright at one hour with `mark_words`.
    """

    hours: tuple[float, ...]
    entered: Values
    left: Values
    mark_hour: float | None = None
    mark_words: str = ""


class Bar(msgspec.Struct, frozen=True):
    """A bar with its interval; `note` stands behind the value, `is_strong`: the one to see."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    is_strong: bool = False


class IntervalBars(msgspec.Struct, frozen=True, tag="interval_bars"):
    """Bars beside each other's names, each with its interval; `target` is a dashed line."""

    bars: tuple[Bar, ...]
    unit: str
    decimals: int = 0
    target: float | None = None
    target_words: str = ""


class EffectSeries(msgspec.Struct, frozen=True, tag="effect_series"):
    """Time series with what would have been (若未…), dashed, and moments at which something began.

    `x` of the lines are days since the first; `ticks` name some of them. `cuts` are the moments.
    """

    lines: tuple[Line, ...]  # what was
    counterfactual: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    cuts: tuple[tuple[float, str], ...]
    unit: str = ""
    scale: float = 1
    decimals: int = 0


class StayHistogram(msgspec.Struct, frozen=True, tag="stay_histogram"):
    """How many stays were how long, and the minutes at which the price steps."""

    edges_minutes: tuple[float, ...]  # one more than counts
    counts: Values
    steps: tuple[tuple[float, str], ...] = ()  # minute, words such as 免费止 or 9 元
    unit: str = "次"


class CompletenessCalendar(msgspec.Struct, frozen=True, tag="completeness_calendar"):
    """How complete the data of each lot and day is, 0 to 1; below `least` figures are not made."""

    days: tuple[str, ...]  # 1, 2, ... or 10-01
    rows: tuple[str, ...]
    values: tuple[Values, ...]
    least: float = 0.9
    marks: tuple[tuple[str, ...], ...] = ()  # a letter a cell: 校 calibrated, 停 closed; may be ""


class Place(msgspec.Struct, frozen=True):
    """A car park on the schematic, in metres east and north of the middle."""

    name: str
    east: float
    north: float
    value: float | None
    words: str  # under the name: 缺 42 位
    radius: float = 1.0  # against the others


class Arrow(msgspec.Struct, frozen=True):
    """What could move from a place to another, by their positions in the list."""

    start: int
    end: int
    words: str
    weight: float = 1.0


class LotMap(msgspec.Struct, frozen=True, tag="lot_map"):
    """示意图，非地图: where the car parks lie to each other, coloured by the heat ramp."""

    places: tuple[Place, ...]
    arrows: tuple[Arrow, ...] = ()
    limits: tuple[float, float, float, float, float] = (0.4, 0.6, 0.7, 0.85, 0.95)
    legend: str = "占有率"


class Band(msgspec.Struct, frozen=True):
    """A named range of an indicator, from `low` to `high`."""

    name: str
    low: float
    high: float


class IndicatorRow(msgspec.Struct, frozen=True):
    """An indicator on its bands, with what it was before and what it should be."""

    name: str
    value: float | None
    words: str
    bands: tuple[Band, ...] = ()
    low: float = 0
    high: float = 10
    previous: float | None = None
    year_before: float | None = None
    target: float | None = None
    history: Values = ()  # a sparkline, the newest last


class IndicatorBands(msgspec.Struct, frozen=True, tag="indicator_bands"):
    """Index values on their bands, one under the other, each with its sparkline."""

    rows: tuple[IndicatorRow, ...]


Picture = (
    HeatMap
    | DurationCurves
    | CumulativeFlow
    | IntervalBars
    | EffectSeries
    | StayHistogram
    | CompletenessCalendar
    | LotMap
    | IndicatorBands
)
