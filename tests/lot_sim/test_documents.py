"""docs/simulator.md says what the code does."""

from pathlib import Path

from lot_sim.faults import FAULTS
from lot_sim.field import CROSSINGS_KEPT
from lot_sim.truth import EVENTS_MOST, Truth
from tests.lot_sim.serve import standing
from tests.lot_sim.towns import small_field

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_every_fault_stands_in_the_table_with_its_devices_and_words() -> None:
    for fault in FAULTS.values():
        roles = ", ".join(sorted(fault.roles))
        assert f"| {fault.name} | {roles} | {fault.about} |" in TEXT
    assert sum(line.count(" | ") == 2 for line in TEXT.splitlines()) == len(FAULTS) + 1


def test_every_address_is_told() -> None:
    field = small_field()
    for route in Truth(field, standing(field)).app().router.routes():
        if route.method != "HEAD" and route.resource is not None:
            assert f"`{route.method} {route.resource.canonical}" in TEXT


def test_the_limits_are_told() -> None:
    assert f"at most {EVENTS_MOST:,} an answer; the last {CROSSINGS_KEPT:,} are kept" in TEXT
