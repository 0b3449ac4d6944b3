"""Every measure there is, for those who list formulas: its code, name, unit, formula, source."""

from occupancy import (
    balance,
    congestion,
    found_space,
    refused,
    sign_truth,
    space_gap,
    vitals,
)
from occupancy.indicator import Measure

_ROOMS = (congestion, refused, found_space, space_gap, balance, sign_truth, vitals)
MEASURES: dict[str, Measure] = {
    measure.code: measure
    for room in _ROOMS
    for measure in vars(room).values()
    if isinstance(measure, Measure)
}
