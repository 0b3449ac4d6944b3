"""What a car park costs a driver, in generalised minutes: one number for time, money and risk."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Amount: TypeAlias = FloatArray | float

MINUTES_PER_YUAN = 0.25
_FEN_PER_YUAN = 100
_MINUTES_PER_HOUR = 60


def generalised_minutes(
    on_the_way_minutes: Amount,
    walk_minutes: Amount,
    fee_fen: Amount,
    minutes_per_yuan: float = MINUTES_PER_YUAN,
) -> Amount:
    """Drive, cruise, store and fetch together, the walk, and what the fee is worth."""
    return on_the_way_minutes + walk_minutes + fee_fen / _FEN_PER_YUAN * minutes_per_yuan


def hourly_fee_fen(stay_minutes: Amount, fen_per_hour: Amount) -> Amount:
    """The fee where every begun hour costs the same."""
    return np.ceil(np.asarray(stay_minutes) / _MINUTES_PER_HOUR) * fen_per_hour


def risk_minutes(chance: Amount, full_minutes: Amount) -> Amount:
    """What is to be expected of meeting a full car park, with this chance of a space."""
    return (1.0 - chance) * full_minutes


def crowding_minutes(chances: FloatArray, full_minutes: float) -> FloatArray:
    """Lots x cars: what each further car of a group risks beyond the first, never falling.

    `chances` holds, lot by lot, the chance that at least 1, 2, 3 ... spaces are free.
    """
    risks = (chances[:, :1] - chances) * full_minutes
    return np.maximum.accumulate(risks, axis=1)


def going_on_minutes(
    chance: FloatArray, there_minutes: FloatArray, between_minutes: FloatArray, full_minutes: float
) -> FloatArray:
    """What meeting each of m places full costs n drivers: lost time, the way on, a worse place.

    `chance` (n x m) is that of a space, `there_minutes` (n x m) the walk and the fee of whoever
    parks there, `between_minutes` (m x m) the way from one to the next. Who goes on takes what is
    best for him then; if that is full, too, he has lost as much again and the shortest way on.
    """
    ways = between_minutes.copy()
    np.fill_diagonal(ways, np.inf)
    shortest = np.where(np.isfinite(ways.min(axis=1)), ways.min(axis=1), 0.0)
    next_minutes = there_minutes + risk_minutes(chance, full_minutes + shortest)
    onward = np.column_stack([(next_minutes + way).min(axis=1) for way in ways])
    lost: FloatArray = full_minutes + onward - there_minutes
    return lost
