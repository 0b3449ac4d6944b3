"""What is really there, as one JSON document of one moment."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lot_sim.car_park import CarPark, Crossing, Machine
from lot_sim.field import Field
from lot_sim.instruments import Instrument, LoopCounter, Sign
from lot_sim.scenario import Direction

_SHANGHAI = timezone(timedelta(hours=8))
_SHOWN_AS = {"full": "满", "closed": "关", "stale": "—", "blank": ""}


def describe(field: Field, speed: float) -> dict[str, Any]:
    """The whole town. Cars standing in a group out of service are `locked_in`, not `occupied`."""
    town = field.town
    return {
        "simulated_at": rfc3339(town.now_ms),
        "simulated_ms": town.now_ms,
        "started_at": rfc3339(town.start_ms),
        "speed": speed,
        "seed": town.seed,
        "faults_preset": field.preset,
        "crossings_total": field.crossings_total,
        "went_home": town.went_home,
        "lots": [_lot(lot, field.of_lot(lot.plan.lot_id)) for lot in town.lots],
    }


def describe_crossing(number: int, crossing: Crossing) -> dict[str, Any]:
    return {
        "number": number,
        "lot_id": crossing.lot_id,
        "lane": crossing.device_id,
        "direction": crossing.direction,
        "at": rfc3339(crossing.at_ms),
        "at_ms": crossing.at_ms,
        "total": crossing.total,
    }


def rfc3339(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(_SHANGHAI)
    return at.isoformat(timespec="milliseconds")


def _lot(lot: CarPark, instruments: list[Instrument]) -> dict[str, Any]:
    return {
        "lot_id": lot.plan.lot_id,
        "bays": lot.bays,
        "occupied": lot.occupied,
        "out_of_service": lot.out_of_service,
        "locked_in": lot.locked_in,
        "free": lot.free,
        "entries": lot.crossed(Direction.ENTRY),
        "exits": lot.crossed(Direction.EXIT),
        "refused": lot.refused,
        "initially_inside": lot.initially_inside,
        "inside": lot.inside,
        "storing_queue": lot.being_stored,
        "fetching_queue": lot.being_fetched,
        "leaving": lot.leaving,
        "levels": _levels(lot),
        "groups": [_group(machine) for machine in lot.machines],
        "lanes": [_lane(i, lot) for i in instruments if isinstance(i, LoopCounter)],
        "signs": [_sign(i) for i in instruments if isinstance(i, Sign)],
        "active_faults": [
            {"device": i.plan.device_id, "fault": fault, "since": rfc3339(since_ms)}
            for i in instruments
            for fault, since_ms in sorted(i.faults.items())
        ],
    }


def _levels(lot: CarPark) -> list[dict[str, int]]:
    highest = max(len(machine.on_level) for machine in lot.machines)
    return [_level(lot, index) for index in range(highest)]


def _level(lot: CarPark, index: int) -> dict[str, int]:
    machines = [machine for machine in lot.machines if index < len(machine.on_level)]
    return {
        "level": index + 1,
        "bays": sum(m.plan.bays_by_level[index] for m in machines),
        "occupied": sum(m.on_level[index] for m in machines if m.is_working),
        "out_of_service": sum(m.plan.bays_by_level[index] for m in machines if not m.is_working),
    }


def _group(machine: Machine) -> dict[str, Any]:
    return {
        "group_id": machine.plan.group_id,
        "device": machine.plan.device_id,
        "state": machine.state,
        "bays": machine.bays,
        "frames": machine.bays + 1,  # one place stays empty so that pallets can move
        "on_pallets": machine.stored,
        "on_pallets_by_level": list(machine.on_level),
        "storing_queue": machine.being_stored,
        "fetching_queue": machine.being_fetched,
        "cycle_seconds": round(machine.cycle_ms / 1000, 1),
    }


def _lane(counter: LoopCounter, lot: CarPark) -> dict[str, Any]:
    device_id = counter.plan.device_id
    return {
        "device": device_id,
        "direction": counter.plan.direction,
        "crossings": lot.crossings[device_id],
        "counter": counter.shown,
    }


def _sign(sign: Sign) -> dict[str, Any]:
    return {
        "device": sign.plan.device_id,
        "lines": [
            {"face": face, "number": number, "text": _SHOWN_AS.get(face, str(number))}
            for face, number in sign.lines()
        ],
        "restarted": sign.has_restarted,
    }
