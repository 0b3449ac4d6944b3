import pytest
from hypothesis import given
from hypothesis import strategies as st

from lot_sim.arrivals import DAY_MS
from lot_sim.faults import FAULTS, Role, counts, fits, names_for, plan_day
from lot_sim.scenario import PresetLine
from tests.lot_sim.towns import SANSHUI

chances = st.floats(0, 1, exclude_max=True)
DEVICES = [(f"g{n}", Role.GROUP) for n in range(40)] + [("in", Role.LANE)]


def test_every_fault_of_the_field_has_a_name() -> None:
    assert set(FAULTS) >= {
        "stuck_loop", "loop_not_detecting", "comms_error", "counter_reset", "masked_reset",
        "manual_overwrite", "straddling_double", "ramp_miscount", "dead_unit", "late_replies",
        "short_reply", "busy", "group_jammed", "group_maintenance", "device_clock_1970",
        "occupied_above_bays", "sign_ignores_writes",
    }  # fmt: skip


@given(chances)
def test_a_healthy_loop_counts_one_for_one(chance: float) -> None:
    assert counts((), chance) == 1


@pytest.mark.parametrize("fault", ["stuck_loop", "loop_not_detecting", "loop_broken", "dead_unit"])
@given(chance=chances)
def test_a_blind_loop_counts_nothing_whatever_else_is_wrong(fault: str, chance: float) -> None:
    assert counts({fault, "straddling_double", "miscount"}, chance) == 0


def test_three_in_ten_straddling_cars_count_twice() -> None:
    total = sum(counts({"straddling_double"}, n / 1_000) for n in range(1_000))
    assert total == 1_300


def test_ordinary_miscounting_is_one_to_three_per_cent() -> None:
    counted = [counts({"miscount"}, n / 10_000) for n in range(10_000)]
    assert 0.01 <= sum(c != 1 for c in counted) / 10_000 <= 0.03
    assert {0, 1, 2} == set(counted)


def test_faults_fit_the_devices_that_can_have_them() -> None:
    assert fits("stuck_loop", Role.LANE)
    assert not fits("stuck_loop", Role.SIGN)
    assert "busy" in names_for(Role.SIGN)
    assert "group_jammed" not in names_for(Role.SIGN)


def test_a_preset_comes_as_often_as_it_says() -> None:
    line = PresetLine("group_jammed", per_device_week=7, minutes=30)
    days = [list(plan_day([line], DEVICES, day * DAY_MS, "1")) for day in range(20)]
    episodes = [episode for day in days for episode in day]
    assert len(episodes) == pytest.approx(40 * 20, rel=0.15)
    minutes = [(e.until_ms - e.from_ms) / 60_000 for e in episodes]
    assert sum(minutes) / len(minutes) == pytest.approx(30, rel=0.15)
    for number, day in enumerate(days):
        assert all(number * DAY_MS <= e.from_ms < (number + 1) * DAY_MS for e in day)


def test_the_same_seed_brings_the_same_faults() -> None:
    lines = SANSHUI.presets["heavy"]
    once, again, other = (list(plan_day(lines, DEVICES, 0, seed)) for seed in ("1", "1", "2"))
    assert once == again
    assert once != other


def test_a_standing_fault_and_one_that_never_comes_are_not_planned() -> None:
    lines = [PresetLine("miscount", always=True), PresetLine("busy", per_device_week=0)]
    assert list(plan_day(lines, DEVICES, 0, "1")) == []


def test_heavy_is_worse_than_ordinary_and_none_is_nothing() -> None:
    many = {
        name: len([e for d in range(7) for e in plan_day(lines, DEVICES, d * DAY_MS, "1")])
        for name, lines in SANSHUI.presets.items()
    }
    assert many["none"] == 0 < many["ordinary"] < many["heavy"]
