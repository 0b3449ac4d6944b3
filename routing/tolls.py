"""What a stay takes from those who come later, from days like today: prices of scarce quarters."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from occupancy.lot import Lot
from occupancy.tariff_clock import DAY_MINUTES, local_minute
from routing.cost import FloatArray
from routing.gathering import metres
from routing.shadow_price import FIRST_ROUNDS, Demand, Prices, kept_spaces, settle
from routing.straight_line import WALK_DETOUR, WALK_METRES_A_MINUTE

QUARTERS = 96
_QUARTER_MINUTES = DAY_MINUTES // QUARTERS
MOST_OTHERS = 4
ELSEWHERE_MINUTES = 45.0
USUAL_STAY_QUARTERS = 8.0
# Stays differ: of each three cars one is short, one middling, one long; their mean is the mean.
_STAYS = (0.25, 0.75, 2.0)


class Flow(msgspec.Struct, frozen=True):
    """One lot by quarters of a day: cars inside and spaces as it begins, cars that came."""

    occupied: tuple[int | None, ...]
    free: tuple[int | None, ...]
    entries: tuple[int | None, ...]


class TollTable:
    """Running sums of the prices of one local day, by lot."""

    def __init__(self, day: int, sums: Mapping[str, FloatArray]) -> None:
        self.day = day
        self._sums = dict(sums)

    def __call__(self, lot_id: str, arrives_ms: int, leaves_ms: int, /) -> float:
        """Minutes; nothing for another day and for what lies behind midnight."""
        sums = self._sums.get(lot_id)
        if sums is None:
            return 0.0
        begins, ends = (self._step(at_ms) for at_ms in (arrives_ms, leaves_ms))
        low, high = np.interp((begins, ends), np.arange(len(sums)), sums)
        return float(high - low)

    def _step(self, at_ms: int) -> float:
        return (local_minute(at_ms) - self.day * DAY_MINUTES) / _QUARTER_MINUTES


def learn_tolls(day: int, lots: Sequence[Lot], samples: Sequence[Mapping[str, Flow]]) -> TollTable:
    """Prices for a local day from sample days like it; who came to a lot wanted that lot.

    `day` counts from 1970. A lot that was full let in fewer than wanted in: the usual number
    stands for them.
    """
    known = [sample for sample in samples if all(lot.lot_id in sample for lot in lots)]
    if not known or not lots:
        return TollTable(day, {})
    came = np.array([[_numbers(one[lot.lot_id].entries) for lot in lots] for one in known])
    full = np.array([[_is_full(one[lot.lot_id], lot) for lot in lots] for one in known])
    inside = np.array([[_numbers(one[lot.lot_id].occupied) for lot in lots] for one in known])
    came = _uncensored(came, full)
    stays = _mean_stays(came, inside)
    demand = _demand(came, stays, _walks(lots))
    room = _room(lots, inside, stays)
    start = Prices.none(len(known), len(lots), QUARTERS)
    mean = settle(demand, room, start, FIRST_ROUNDS).sums.mean(axis=0)
    return TollTable(day, {lot.lot_id: mean[number] for number, lot in enumerate(lots)})


def _numbers(values: Sequence[int | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]


def _is_full(flow: Flow, lot: Lot) -> list[bool]:
    return [free is not None and free <= lot.tight.full_free for free in flow.free]


def _uncensored(
    came: FloatArray, full: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> FloatArray:
    """Samples x lots x quarters without gaps: what is unknown or was shut out is as usual."""
    told = np.isfinite(came) & ~full
    counted = np.maximum(told.sum(axis=0), 1)
    usual = np.where(told, came, 0.0).sum(axis=0) / counted
    filled = np.where(np.isfinite(came), came, usual)
    wanted: FloatArray = np.where(full, np.maximum(filled, usual), filled)
    return wanted


def _mean_stays(came: FloatArray, inside: FloatArray) -> FloatArray:
    """Quarters a car stays in each lot, by Little's law over all samples."""
    cars = came.sum(axis=(0, 2))
    times = np.nansum(inside, axis=(0, 2))
    stays = np.where(cars > 0, times / np.maximum(cars, 1.0), USUAL_STAY_QUARTERS)
    result: FloatArray = np.clip(stays, 1.0, QUARTERS / 2)
    return result


def _walks(lots: Sequence[Lot]) -> FloatArray:
    """Minutes on foot between the lots: what another lot costs him who wanted this one."""
    far = [[metres(one.entrance, other.entrance) for other in lots] for one in lots]
    walks: FloatArray = np.array(far) * WALK_DETOUR / WALK_METRES_A_MINUTE
    return walks


def _demand(came: FloatArray, stays: FloatArray, walks: FloatArray) -> Demand:
    """A driver for every car that came: its own lot, the nearest others, or elsewhere."""
    cars = np.rint(came).astype(np.int64)
    sample, home, quarter = (np.repeat(place, cars.ravel()) for place in _places(cars.shape))
    others = np.argsort(walks, axis=1, kind="stable")[:, : MOST_OTHERS + 1]
    elsewhere = np.full((len(home), 1), len(walks))
    lots = np.column_stack([others[home], elsewhere])
    minutes = np.column_stack(
        [walks[home[:, None], others[home]], np.full(len(home), ELSEWHERE_MINUTES)]
    )
    factors = np.array(_STAYS)[np.arange(len(home)) % len(_STAYS)]
    stay = np.maximum(np.rint(stays[home] * factors), 1).astype(np.int64)
    arrives = np.broadcast_to(quarter[:, None], lots.shape)
    return Demand(minutes, lots, arrives, arrives + stay[:, None], sample)


def _places(shape: tuple[int, ...]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    return [place.ravel() for place in np.indices(shape)]


def _room(lots: Sequence[Lot], inside: FloatArray, stays: FloatArray) -> FloatArray:
    """Bays less what is kept free and the cars of the night before, which leave as cars leave."""
    first = np.nan_to_num(inside[:, :, 0])
    leaving = 0.5 ** (np.arange(QUARTERS)[None, :] / stays[:, None])
    bays = np.array([lot.capacity for lot in lots], dtype=np.float64)
    spaces = bays - kept_spaces(bays)
    room: FloatArray = spaces[None, :, None] - first[:, :, None] * leaving[None, :, :]
    return room
