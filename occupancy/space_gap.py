"""What is missing where it is full: room next door that could be used, or spaces that do not exist.

The turned away of a quarter of an hour go to the nearest car parks within a walk that had room,
each place once, and stand there for a mean stay. Whom none of them could take is the net gap.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gateway.observation import Basis
from occupancy.indicator import Indicator, Interval, Measure, judge
from occupancy.lot import Place
from occupancy.observed import LEAST_TOLD, Facts, Observed, grounds
from occupancy.refused import Refusals
from occupancy.rollup import MINUTE_MS, Window, local_day

MOST_WALK_METRES = 500
WALK_DETOUR = 1.3  # streets against the straight line
RESERVE_SHARE, RESERVE_LEAST = 0.05, 3.0  # what a neighbour keeps for its own
PEAK_QUANTILE = 0.95
_EARTH_METRES_PER_DEGREE = 111_195

TRANSFERABLE_GAP = Measure(
    "transferable_gap",
    "可转移缺口",
    "辆",
    f"逐 15 分钟取 min（拒停车辆，步行 {MOST_WALK_METRES} 米内停车场空位 − 预留）之和，"
    "转移的车按平均停放时间占位",
    "停车规划指标；拒停为估计值",
    Basis.EXPECTED,
)
NET_GAP = Measure(
    "net_gap",
    "净缺口",
    "辆",
    "拒停车辆 − 可转移缺口：附近也没有空位的车辆数",
    "停车规划指标；拒停为估计值",
    Basis.EXPECTED,
)
NET_GAP_SPACES = Measure(
    "net_gap_spaces",
    "净缺口折合车位",
    "个",
    "净缺口车辆若都停下、各停一个平均停放时间，同时在场数的日最大值，取各日第 95 百分位",
    "停车规划指标；拒停为估计值",
    Basis.EXPECTED,
)


class Neighbour(NamedTuple):
    """A car park within a walk of another."""

    lot_id: str
    metres: float


class GapLot(NamedTuple):
    """One car park: quarters of an hour, who was turned away, and how long cars stay."""

    seen: Observed
    refusals: Refusals
    stay_minutes: float


class Gap(NamedTuple):
    """Of one car park: all that was turned away there, by what could have helped.

    `moved` names the car parks that had room, with the cars each could have taken.
    """

    lot_id: str
    transferable: Indicator
    net: Indicator
    net_spaces: Indicator
    moved: Mapping[str, float]


def neighbours_of(
    lots: Sequence[Facts], most_metres: float = MOST_WALK_METRES
) -> dict[str, list[Neighbour]]:
    """For each car park those within a walk of it (straight line with a detour), nearest first."""
    found = {}
    for one in lots:
        near = [
            Neighbour(other.lot_id, walk_metres(one.place, other.place))
            for other in lots
            if other is not one and one.place is not None and other.place is not None
        ]
        near.sort(key=lambda other: other.metres)
        found[one.lot_id] = [other for other in near if other.metres <= most_metres]
    return found


def walk_metres(one: Place, other: Place) -> float:
    east = (one.longitude - other.longitude) * math.cos(math.radians(one.latitude))
    line = math.hypot(one.latitude - other.latitude, east) * _EARTH_METRES_PER_DEGREE
    return line * WALK_DETOUR


def find_gaps(
    lots: Sequence[GapLot], neighbours: Mapping[str, Sequence[Neighbour]]
) -> dict[str, Gap]:
    """Transferable and net gap of each car park; cars, and spaces. Source: planning.

    A neighbour gives what was free in the quarter less a reserve (5 % of its usable spaces, at
    least 3) and less those moved there before who still stand there. Pairs of a quarter are
    served the nearest first. The interval scales with that of the refused.
    """
    town = _Town(lots)
    pairs = sorted(
        (near.metres, lot_id, near.lot_id) for lot_id, some in neighbours.items() for near in some
    )
    for at_ms in town.quarters:
        town.begin(at_ms)
        for _, full, near in pairs:
            town.move(full, near)
        town.end()
    return {one.seen.facts.lot_id: _gap(one, town) for one in lots}


class _Town:
    """Quarter by quarter: who is without a space, and who stands where because of it."""

    def __init__(self, lots: Sequence[GapLot]) -> None:
        self._lots = {one.seen.facts.lot_id: one for one in lots}
        self._room = {
            lot_id: {
                window.start_ms: _room(window)
                for window in one.seen.windows
                if window.completeness >= LEAST_TOLD
            }
            for lot_id, one in self._lots.items()
        }
        self.quarters = sorted({at for one in lots for at in one.refusals.by_quarter})
        self.moved: dict[str, dict[str, float]] = {lot_id: {} for lot_id in self._lots}
        self.net: dict[str, dict[int, float]] = {lot_id: {} for lot_id in self._lots}
        self._guests: dict[str, deque[tuple[int, float]]] = {one: deque() for one in self._lots}
        self._at_ms = 0
        self._turned_away: dict[str, float] = {}

    def begin(self, at_ms: int) -> None:
        self._at_ms = at_ms
        self._turned_away = {
            lot_id: one.refusals.by_quarter.get(at_ms, 0.0) for lot_id, one in self._lots.items()
        }
        for guests in self._guests.values():
            while guests and guests[0][0] <= at_ms:
                guests.popleft()

    def move(self, full: str, near: str) -> None:
        if full not in self._lots or near not in self._lots:
            return
        standing = sum(cars for _, cars in self._guests[near])
        room = self._room[near].get(self._at_ms, 0.0) - standing
        cars = min(self._turned_away[full], room)
        if cars <= 0:
            return
        until_ms = self._at_ms + round(self._lots[full].stay_minutes * MINUTE_MS)
        self._guests[near].append((until_ms, cars))
        self._turned_away[full] -= cars
        self.moved[full][near] = self.moved[full].get(near, 0.0) + cars

    def end(self) -> None:
        for lot_id, cars in self._turned_away.items():
            if cars > 0:
                self.net[lot_id][self._at_ms] = cars


def _room(window: Window) -> float:
    """Free spaces less what is kept for the lot's own drivers; below 0 there is none to give."""
    usable = window.usable_ms / window.told_ms
    return window.free_ms / window.told_ms - max(RESERVE_LEAST, RESERVE_SHARE * usable)


def _gap(lot: GapLot, town: _Town) -> Gap:
    lot_id, base = lot.seen.facts.lot_id, grounds(lot.seen)
    refused = lot.refusals.indicator
    total = refused.value or 0.0
    moved = sum(town.moved[lot_id].values())
    net = sum(town.net[lot_id].values())
    spaces = _spaces(town.net[lot_id], lot)

    def say(measure: Measure, cars: float) -> Indicator:
        interval = None
        if total and refused.low is not None and refused.high is not None:
            interval = Interval(cars * refused.low / total, cars * refused.high / total)
        return judge(measure, base, cars, interval=interval)

    return Gap(
        lot_id,
        say(TRANSFERABLE_GAP, moved),
        say(NET_GAP, net),
        say(NET_GAP_SPACES, spaces),
        town.moved[lot_id],
    )


def _spaces(net: Mapping[int, float], lot: GapLot) -> float:
    """P95 over the days observed of how many of the net gap would stand there at once."""
    days = sorted({local_day(one.start_ms) for one in lot.seen.windows})
    if not days:
        return 0.0
    most = dict.fromkeys(days, 0.0)
    stay_ms = lot.stay_minutes * MINUTE_MS
    came = sorted(net.items())
    first = 0
    for place, (at_ms, _) in enumerate(came):
        while came[first][0] + stay_ms <= at_ms:
            first += 1
        standing = sum(cars for _, cars in came[first : place + 1])
        day = local_day(at_ms)
        most[day] = max(most.get(day, 0.0), standing)
    return float(np.quantile(list(most.values()), PEAK_QUANTILE))
