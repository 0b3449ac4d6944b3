"""Observations and lots with everything filled in, so that a test says only what matters."""

from typing import Any

import msgspec

from gateway.observation import (
    Basis,
    Direction,
    GroupReading,
    GroupState,
    LaneReading,
    Observation,
)
from occupancy.lot import Lot, MachineGroup, Place, Thresholds, VehicleLimits

MORNING_MS = 1_795_392_000_000  # 2026-11-23T08:00:00+08:00


def a_group(
    number: int = 1,
    occupied: tuple[int, ...] | None = (3, 2, 1),
    **other: Any,  # noqa: ANN401
) -> GroupReading:
    """A working group of 3 x 6 bays."""
    group = GroupReading(
        device_id=f"kangle-g{number}",
        group_id=f"g{number}",
        state=GroupState.WORKING if occupied is not None else GroupState.SILENT,
        bays_by_level=(6, 6, 6),
        occupied_by_level=occupied,
        storing_queue=0,
        fetching_queue=0,
        cycle_seconds=90.0,
        read_at_ms=MORNING_MS,
    )
    return msgspec.structs.replace(group, **other)


def an_observation(sequence: int = 1, **other: Any) -> Observation:  # noqa: ANN401
    """Two groups, 12 of 36 bays occupied, sequence right behind the one before."""
    entries, exits = other.pop("entries_total", 10), other.pop("exits_total", 5)
    at_ms = other.get("observed_at_ms", MORNING_MS + sequence * 1_000)
    observation = Observation(
        lot_id="kangle",
        epoch=1,
        sequence=sequence,
        previous_sequence=sequence - 1,
        observed_at_ms=at_ms,
        entries_total=entries,
        exits_total=exits,
        cars_inside=12,
        cars_on_pallets=12,
        basis=Basis.COUNTED,
        lanes=(
            LaneReading("kangle-in", Direction.ENTRY, entries, at_ms),
            LaneReading("kangle-out", Direction.EXIT, exits, at_ms),
        ),
        groups=(a_group(1), a_group(2)),
        signs=(),
        devices=(),
    )
    return msgspec.structs.replace(observation, **other)


def a_lot(**other: Any) -> Lot:  # noqa: ANN401
    """The lot of `an_observation`: 36 bays, almost full at 8 free, full at 2."""
    lot = Lot(
        lot_id="kangle",
        name="康乐路立体停车场",
        short_name="康乐路",
        address="康乐路",
        entrance=Place(23.1569, 112.8902),
        hotline="0757-00000000",
        capacity=36,
        groups=(MachineGroup("g1", (6, 6, 6)), MachineGroup("g2", (6, 6, 6))),
        limits=VehicleLimits(5.2, 2.0, 2.0, 2.2),
        thresholds=Thresholds(almost_full_free=8, full_free=2),
        tariff_id="kangle",
    )
    return msgspec.structs.replace(lot, **other)
