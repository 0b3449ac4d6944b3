"""What the forecaster has learned: every lot's usual days, and how it follows what is live."""

from collections.abc import Mapping

import msgspec

from routing.arrival import USUAL_SHAPE, Shape

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS
AHEAD_MS = 8 * 60 * MINUTE_MS  # Asia/Shanghai, no summer time since 1991
QUARTERS = 96
HORIZONS = (0, 15, 30, 60, 90, 120, 180)  # minutes
LAST_HORIZON = HORIZONS[-1]
# A lot is crowded where this share of its bays is wanted, and a little to either side: forecasts
# from days with room for all are too low there, since who found the next lot full comes, too.
CROWDED, CROWDED_WIDTH = 0.87, 0.13
_WEEK_DAYS = 7


class Follow(msgspec.Struct, frozen=True):
    """How forecasts of one horizon follow what is live, and how far off they have been.

    A residual is how far the share of bays taken lies above the usual one.
    """

    residual: float  # how much of the lot's own residual stays
    trend: float  # how much of its rise over the last hour goes on
    district: float  # how much of the other lots' mean residual it takes over
    crowding: float  # how much more it is where a lot is crowded
    constant: float
    spread: float  # the scale of the errors: at rest,
    spread_change: float  # for what the usual day rises or falls on the way,
    spread_residual: float  # for the residual,
    spread_usual: float  # for the usual share: the more cars, the more come and go by chance,
    spread_crowding: float  # and where a lot is usually crowded
    shape: Shape = USUAL_SHAPE


class LotModel(msgspec.Struct, frozen=True):
    """A lot's usual shares of bays taken, by local day (since 1970) and quarter of an hour."""

    days: dict[int, tuple[float, ...]]
    unrest: tuple[float, ...] = (1.0,) * QUARTERS  # the scale of its errors by quarter of the day
    is_own: bool = False  # rather than its siblings'


class Model(msgspec.Struct, frozen=True):
    """All that was learned at one time."""

    learned_at_ms: int
    lots: dict[str, LotModel]
    siblings: LotModel
    follow: tuple[Follow, ...]  # one for each of HORIZONS
    spare: float = 0.0  # spaces that are free on average in a lot more drivers want than fit


def _first_follow(minutes: int) -> Follow:
    """Before anything is learned: the residual halves in three hours, errors grow as a root.

    A count of this moment is right whatever is usual.
    """
    grown = (minutes / LAST_HORIZON) ** 0.5
    return Follow(
        residual=0.5 ** (minutes / LAST_HORIZON),
        trend=0.0,
        district=0.0,
        crowding=0.0,
        constant=0.0,
        spread=0.0005 + 0.08 * grown,
        spread_change=0.2 * grown,
        spread_residual=0.05 * grown,
        spread_usual=0.0,
        spread_crowding=0.0,
    )


# A town nobody has seen yet: emptier at night, busier by day.
FIRST_DAY = tuple(
    0.25 + 0.4 * max(0.0, 1 - abs(quarter / 4 - 14) / 7) for quarter in range(QUARTERS)
)
FIRST_FOLLOW = tuple(_first_follow(minutes) for minutes in HORIZONS)
FIRST_MODEL = Model(0, {}, LotModel({}, (2.0,) * QUARTERS), FIRST_FOLLOW)


def usual_rate(model: LotModel, at_ms: int) -> float:
    """The usual share at a moment: straight from one quarter of an hour to the next."""
    quarter, part = divmod((at_ms + AHEAD_MS) / QUARTER_MS, 1)
    first = _usual_quarter(model.days, int(quarter))
    return first + part * (_usual_quarter(model.days, int(quarter) + 1) - first)


def unrest(model: LotModel, at_ms: int) -> float:
    return model.unrest[(at_ms + AHEAD_MS) // QUARTER_MS % QUARTERS]


def _usual_quarter(days: Mapping[int, tuple[float, ...]], quarter: int) -> float:
    day, of_day = divmod(quarter, QUARTERS)
    usual = days.get(day)
    if usual is None:
        usual = next((days[d] for d in days if (day - d) % _WEEK_DAYS == 0), FIRST_DAY)
    return usual[of_day]
