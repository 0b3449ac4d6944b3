"""What guidance is told: how far it may send a driver, how much it promises, which district."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.settings import Setting, number
from occupancy.lot import Place


@dataclass(frozen=True)
class District:
    """The box of places that are served, WGS-84 degrees."""

    south: float
    west: float
    north: float
    east: float

    def contains(self, place: Place) -> bool:
        inside_ns = self.south <= place.latitude <= self.north
        return inside_ns and self.west <= place.longitude <= self.east


def _district(raw: str) -> District:
    try:
        south, west, north, east = (float(part) for part in raw.split(","))
    except ValueError:
        raise ValueError("not south,west,north,east in degrees") from None
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):  # noqa: PLR2004
        raise ValueError("south must lie below north and west left of east")
    return District(south, west, north, east)


MOST_REGRET = Setting(
    "ZHIBO_MOST_REGRET_MINUTES",
    "5",
    lambda raw: number(raw, least=0, most=60),
    "generalised minutes a driver is at most asked to lose for others",
)
FOLLOW_SHOWN = Setting(
    "ZHIBO_FOLLOW_SHOWN",
    "0.6",
    lambda raw: number(raw, least=0.01, most=1),
    "chance that a driver goes to the car park he is shown; what one recommendation promises",
)
FOLLOW_CHOSEN = Setting(
    "ZHIBO_FOLLOW_CHOSEN",
    "0.9",
    lambda raw: number(raw, least=0.01, most=1),
    "the same once he has opened the navigation link",
)
OVERBOOKING = Setting(
    "ZHIBO_OVERBOOKING_PERCENT",
    "10",
    lambda raw: number(raw, least=0, most=100),
    "how far promises may exceed the free spaces expected",
)
SAME_ANSWER = Setting(
    "ZHIBO_SAME_ANSWER_SECONDS",
    "60",
    lambda raw: number(raw, least=0, most=600),
    "how long a driver who asks the same gets the same answer",
)
GATHER = Setting(
    "ZHIBO_GATHER_MS",
    "4",
    lambda raw: number(raw, least=0, most=100),
    "requests that come within so many milliseconds are decided together",
)
DISTRICT = Setting(
    "ZHIBO_DISTRICT",
    "22.9,112.7,23.65,113.1",
    _district,
    "south,west,north,east in WGS-84 degrees: destinations outside are refused",
)
SETTINGS = (
    MOST_REGRET,
    FOLLOW_SHOWN,
    FOLLOW_CHOSEN,
    OVERBOOKING,
    SAME_ANSWER,
    GATHER,
    DISTRICT,
)


@dataclass(frozen=True)
class GuidanceSettings:
    """Everything guidance is told, checked."""

    most_regret_minutes: float = 5.0
    follow_shown: float = 0.6
    follow_chosen: float = 0.9
    overbooking: float = 0.1
    same_answer_ms: int = 60_000
    gather_seconds: float = 0.004
    district: District = District(22.9, 112.7, 23.65, 113.1)


def load_settings(environ: Mapping[str, str]) -> GuidanceSettings:
    """Raises BadSettingError."""
    return GuidanceSettings(
        most_regret_minutes=MOST_REGRET.read(environ),
        follow_shown=FOLLOW_SHOWN.read(environ),
        follow_chosen=FOLLOW_CHOSEN.read(environ),
        overbooking=OVERBOOKING.read(environ) / 100,
        same_answer_ms=round(SAME_ANSWER.read(environ) * 1_000),
        gather_seconds=GATHER.read(environ) / 1_000,
        district=DISTRICT.read(environ),
    )
