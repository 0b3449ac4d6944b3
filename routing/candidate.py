"""One car park for one driver: what is known of it, what speaks against it, what it costs him."""

from functools import cached_property
from typing import Protocol

import msgspec

from occupancy.lot import Lot, OpeningHours, OpeningState, find_closing
from occupancy.price_words import VEHICLES
from occupancy.tariff_clock import DAY_MINUTES, clock_words, local_minute
from routing.cost import MINUTES_PER_YUAN, generalised_minutes, risk_minutes
from routing.question import Question, Vehicle, Wish
from routing.reason import Code, Reason, because, chance_words, whole_minutes

PROBABLY_FULL_BELOW = 0.5
FULL_PENALTY_MINUTES = 15.0  # of driving on from a full car park, and of the next one's walk
FARTHEST_WALK_MINUTES = 30.0
# What a wish multiplies: the fee, the walk, the risk; and what open sky costs who wants cover.
CHEAP_FACTOR, NEAR_FACTOR, SURE_FACTOR, UNCOVERED_MINUTES = 4.0, 2.0, 3.0, 5.0


class Outlook(Protocol):
    """What is expected of a lot at a moment (routing.forecast.Expectation)."""

    @property
    def free_mean(self) -> float: ...

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    @property
    def basis(self) -> str: ...

    def chance_of_at_least(self, spaces: float, promised: float = 0.0) -> float: ...


class Fee(msgspec.Struct, frozen=True):
    """What the planned stay costs; `total_fen` None with the refusal where it has no price."""

    total_fen: int | None
    refusal: Code | None = None
    is_unconfirmed: bool = False


class Travel(msgspec.Struct, frozen=True):
    """Minutes of each part of the way."""

    drive: float
    store: float
    fetch: float
    walk: float


class Candidate(msgspec.Struct, frozen=True, dict=True):
    """Gathered values; `promised` cars are due before this driver, without his own promise."""

    lot: Lot
    arrives_ms: int
    travel: Travel
    fee: Fee
    outlook: Outlook
    promised: float = 0.0
    is_stale: bool = False
    is_closed: bool = False

    @property
    def lot_id(self) -> str:
        return self.lot.lot_id

    @cached_property
    def chance(self) -> float:
        """Of a space at arrival, once those promised to others are taken off."""
        return self.outlook.chance_of_at_least(1, self.promised)


def plain_minutes(candidate: Candidate) -> float:
    """Minutes on the way, whatever it costs and however likely a space is."""
    travel = candidate.travel
    return travel.drive + travel.store + travel.walk


def sure_minutes(candidate: Candidate, question: Question) -> float:
    """Generalised minutes when there is a space, weighted by the driver's wishes."""
    wishes, travel = question.wishes, candidate.travel
    walk = travel.walk * (NEAR_FACTOR if Wish.NEAR in wishes else 1.0)
    yuan = MINUTES_PER_YUAN * (CHEAP_FACTOR if Wish.CHEAP in wishes else 1.0)
    sky = UNCOVERED_MINUTES if Wish.COVERED in wishes and not candidate.lot.covered else 0.0
    under_way = travel.drive + travel.store + travel.fetch + sky
    return float(generalised_minutes(under_way, walk, candidate.fee.total_fen or 0, yuan))


def full_minutes(question: Question) -> float:
    """What meeting a full car park costs this driver."""
    return FULL_PENALTY_MINUTES * (SURE_FACTOR if Wish.SURE in question.wishes else 1.0)


def expected_minutes(candidate: Candidate, question: Question) -> float:
    """Generalised minutes with the risk of a full car park."""
    risk = risk_minutes(candidate.chance, full_minutes(question))
    return sure_minutes(candidate, question) + float(risk)


def barriers(candidate: Candidate, question: Question) -> list[Reason]:
    """Why this driver cannot park there at all."""
    lot = candidate.lot
    found = []
    if lot.lot_id in question.without:
        found.append(because(Code.NOT_WANTED))
    if candidate.is_closed or lot.opening is OpeningState.CLOSED:
        found.append(because(Code.CLOSED))
    found += _hours(lot.opening_hours, candidate.arrives_ms, question.stay_minutes)
    found += _sizes(lot, question.vehicle)
    if question.vehicle.new_energy and not lot.takes_new_energy:
        found.append(because(Code.NO_NEW_ENERGY))
    if candidate.fee.refusal is Code.STAY_TOO_LONG:
        found.append(because(Code.STAY_TOO_LONG))
    if candidate.fee.refusal is Code.VEHICLE_NOT_ADMITTED:
        zh, en = VEHICLES[question.vehicle.kind]
        found.append(because(Code.VEHICLE_NOT_ADMITTED, vehicle=zh, vehicle_en=en))
    return found


def doubts(candidate: Candidate) -> list[Reason]:
    """Why he had better go elsewhere if he can."""
    found = []
    walk = candidate.travel.walk
    if candidate.is_stale:
        found.append(because(Code.NO_DATA))
    elif candidate.chance < PROBABLY_FULL_BELOW:
        found.append(because(Code.PROBABLY_FULL, **chance_words(candidate.chance)))
    if walk > FARTHEST_WALK_MINUTES:
        found.append(because(Code.TOO_FAR, minutes=whole_minutes(walk)))
    return found


def _sizes(lot: Lot, vehicle: Vehicle) -> list[Reason]:
    limits = lot.limits
    pairs = (
        (Code.TOO_HIGH, limits.height_metres, vehicle.height_metres),
        (Code.TOO_HEAVY, limits.weight_tonnes, vehicle.weight_tonnes),
        (Code.TOO_LONG, limits.length_metres, vehicle.length_metres),
        (Code.TOO_WIDE, limits.width_metres, vehicle.width_metres),
    )
    return [
        because(code, limit=f"{limit:g}", value=f"{value:g}")
        for code, limit, value in pairs
        if value is not None and value > limit
    ]


def _hours(hours: OpeningHours | None, arrives_ms: int, stay_minutes: int) -> list[Reason]:
    arrives = local_minute(arrives_ms)
    closing = find_closing(hours, arrives)
    if hours is None or closing is None or closing >= arrives + stay_minutes:
        return []
    code = Code.CLOSES_BEFORE_ARRIVAL if closing == arrives else Code.CLOSES_DURING_STAY
    until = hours.until_minute or DAY_MINUTES
    return [because(code, hours=f"{clock_words(hours.from_minute)}—{clock_words(until)}")]
