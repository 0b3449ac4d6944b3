"""Small towns for tests."""

from lot_sim.config import SHIPPED_SCENARIO, load_maps, load_scenario
from lot_sim.faults import Role
from lot_sim.field import Field
from lot_sim.scenario import (
    Destination,
    DevicePlan,
    Direction,
    GroupsPlan,
    Kind,
    LinkKind,
    LotPlan,
    PresetLine,
    Scenario,
    Stay,
)
from lot_sim.town import Town

MONDAY_NOON_MS = 1_795_406_400_000  # 2026-11-23T12:00:00+08:00
HOUR_MS = 3_600_000

SANSHUI = load_scenario(SHIPPED_SCENARIO)
MAPS = load_maps(SANSHUI)


def lane(device_id: str, direction: Direction, unit: int, *, map_: str = "nice_lp22") -> DevicePlan:
    return DevicePlan(
        device_id,
        Role.LANE,
        map_,
        LinkKind.RTU_OVER_TCP,
        7000,
        unit,
        direction=direction,
        counter_start=65_530,
    )


def small_lot(lot_id: str = "small", *, groups: int = 2, latitude: float = 23.15) -> LotPlan:
    """Groups over TCP from port 7001 on, lanes and a sign on a bus behind port 7000."""
    return LotPlan(
        lot_id,
        latitude,
        112.89,
        (GroupsPlan(groups, (2, 3), "lift_slide_plc", LinkKind.TCP, 7001),),
        (
            lane(f"{lot_id}-in", Direction.ENTRY, 11),
            lane(f"{lot_id}-out", Direction.EXIT, 12),
            DevicePlan(f"{lot_id}-sign", Role.SIGN, "led_sign", LinkKind.RTU_OVER_TCP, 7000, 21),
        ),
    )


def small_scenario(
    *,
    cars_a_day: float = 200,
    presets: dict[str, tuple[PresetLine, ...]] | None = None,
    lots: tuple[LotPlan, ...] | None = None,
) -> Scenario:
    flat = Kind((1.0,) * 24, (1.0,) * 24, (1.0,) * 7, (Stay(1, 40), Stay(0.2, 60, alpha=1.5)))
    return Scenario(
        lots or (small_lot(),),
        (Destination("广场", "flat", 23.15, 112.891, cars_a_day),),
        {"flat": flat},
        presets or {"none": ()},
    )


def small_field(
    scenario: Scenario | None = None, preset: str = "none", start_ms: int = MONDAY_NOON_MS
) -> Field:
    town = Town(scenario or small_scenario(), "1", start_ms)
    return Field(town, MAPS, preset)
