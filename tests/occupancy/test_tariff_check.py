from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.calendar import DayType
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    DayPlan,
    Exemption,
    FreeAgain,
    FreeMode,
    FreePeriod,
    NewEnergy,
    Period,
    Rate,
    Repeat,
    RepeatMode,
    Rounding,
    Tariff,
    Tier,
    VehicleClass,
    Waiver,
)
from occupancy.tariff_check import (
    BadTariffError,
    Severity,
    check_versions,
    errors_of,
    require_sound,
)
from tests.occupancy.random_tariffs import random_tariff

ALL_DAY = Period(0, 1440, "全天")
RATE = Rate(
    (VehicleClass.CAR,),
    (Band("全天", (Tier(60, 500),)),),
    (DayPlan(tuple(DayType), (ALL_DAY,)),),
)
SOUND = Tariff(
    tariff_id="x",
    name="任意",
    service="停放",
    complaints="12345",
    valid_from=0,
    rates=(RATE,),
)


def of_rate(**changes: object) -> Tariff:
    return replace(SOUND, rates=(replace(RATE, **changes),))


def of_tiers(*tiers: Tier, **changes: object) -> Tariff:
    return replace(of_rate(bands=(Band("全天", tiers),)), **changes)


def of_periods(*periods: Period) -> Tariff:
    return of_rate(day_plans=(DayPlan(tuple(DayType), periods),))


def of_free(minutes: int, mode: FreeMode = FreeMode.DEDUCTIBLE, **more: object) -> Tariff:
    return of_rate(free=replace(FreePeriod(minutes, mode), **more))


def test_a_sound_tariff_has_no_errors() -> None:
    assert errors_of(SOUND) == []
    require_sound(SOUND)


@given(st.randoms(use_true_random=False))
def test_every_random_tariff_of_these_tests_is_sound(rng: Random) -> None:
    assert errors_of(random_tariff(rng)) == []


BROKEN: list[tuple[str, Callable[[], Tariff]]] = [
    ("board_incomplete", lambda: replace(SOUND, complaints=" ")),
    ("bad_version", lambda: replace(SOUND, version=0)),
    ("ends_before_it_begins", lambda: replace(SOUND, valid_from=10, valid_to=10)),
    ("bad_max_stay", lambda: replace(SOUND, max_stay_minutes=400 * 1440)),
    ("bad_grace", lambda: replace(SOUND, grace_minutes=-1)),
    ("bad_grace", lambda: replace(SOUND, grace_minutes=5, rounding=Rounding.DOWN)),
    ("bad_grace", lambda: replace(SOUND, grace_minutes=60)),
    ("bad_percent", lambda: replace(SOUND, new_energy=NewEnergy(percent=101))),
    ("bad_free_minutes", lambda: replace(SOUND, new_energy=NewEnergy(-1))),
    ("out_of_time", lambda: replace(SOUND, valid_to=10**12)),
    ("out_of_time", lambda: replace(SOUND, waivers=(Waiver("a", "a", -1, 5),))),
    ("price_too_high", lambda: of_tiers(Tier(60, 10**30))),
    ("bad_percent", lambda: replace(SOUND, exemptions=(Exemption("a", "a", "a", -1),))),
    ("exemption_twice", lambda: replace(SOUND, exemptions=(Exemption("a", "a", "a"),) * 2)),
    ("waiver_backwards", lambda: replace(SOUND, waivers=(Waiver("a", "a", 5, 4),))),
    ("bad_waiver_hours", lambda: replace(SOUND, waivers=(Waiver("a", "a", 5, 5, 60, 60),))),
    ("no_rate", lambda: replace(SOUND, rates=())),
    ("vehicle_twice", lambda: replace(SOUND, rates=(RATE, RATE))),
    ("no_vehicle", lambda: of_rate(vehicles=())),
    ("bad_cap", lambda: of_rate(cap=Cap(CapWindow.CALENDAR_DAY, ()))),
    ("bad_cap", lambda: of_rate(cap=Cap(CapWindow.CALENDAR_DAY, (-1,)))),
    ("bad_cap", lambda: of_rate(bands=(Band("全天", (Tier(60, 1),), -1),))),
    ("no_cap_to_share", lambda: replace(SOUND, repeat=Repeat(RepeatMode.SHARED_CAP))),
    ("band_twice", lambda: of_rate(bands=RATE.bands * 2)),
    ("bad_band_name", lambda: of_rate(bands=(*RATE.bands, Band("白；天")))),
    ("band_unused", lambda: of_rate(bands=(*RATE.bands, Band("夜间")))),
    ("unknown_band", lambda: of_rate(bands=())),
    ("bad_unit", lambda: of_tiers(Tier(0, 1))),
    ("negative_price", lambda: of_tiers(Tier(60, -1))),
    ("tiers_end", lambda: of_tiers(Tier(60, 1, 2))),
    ("tier_unreachable", lambda: of_tiers(Tier(60, 1), Tier(60, 2))),
    ("tier_unreachable", lambda: of_tiers(Tier(60, 1, 0), Tier(60, 2))),
    ("day_gap", lambda: of_rate(day_plans=(DayPlan((DayType.WORKDAY,), (ALL_DAY,)),))),
    ("day_overlap", lambda: of_rate(day_plans=RATE.day_plans * 2)),
    ("bad_hours", lambda: of_periods(Period(1440, 1440, "全天"))),
    ("gap", of_periods),
    ("gap", lambda: of_periods(Period(0, 1080, "全天"))),
    ("overlap", lambda: of_periods(ALL_DAY, Period(60, 120, "全天"))),
    ("bad_free_minutes", lambda: of_free(-1)),
    ("bad_free_minutes", lambda: replace(of_free(60), max_stay_minutes=60)),
    ("threshold_daily", lambda: of_free(5, FreeMode.THRESHOLD, again=FreeAgain.DAY)),
    ("threshold_above_first_unit", lambda: of_free(61, FreeMode.THRESHOLD)),
]


@pytest.mark.parametrize(("rule", "make"), BROKEN)
def test_a_broken_rule_is_named(rule: str, make: Callable[[], Tariff]) -> None:
    assert rule in [finding.rule for finding in errors_of(make())]
    with pytest.raises(BadTariffError, match=rule):
        require_sound(make())


def test_a_gap_in_a_day_is_named_by_its_hours() -> None:
    (finding,) = errors_of(of_periods(Period(0, 420, "全天"), Period(480, 1440, "全天")))
    assert (finding.rule, finding.path) == ("gap", "rates[0].day_plans[0]")
    assert finding.message == "07:00 到 08:00 没有价格"


def test_a_band_inside_another_is_one_overlap_and_no_gap() -> None:
    found = errors_of(of_periods(ALL_DAY, Period(60, 120, "全天")))
    assert [(one.rule, one.message) for one in found] == [("overlap", "01:00 到 02:00 有两个价格")]


def test_a_threshold_above_the_first_unit_passes_when_it_is_meant() -> None:
    meant = of_free(61, FreeMode.THRESHOLD, jump_is_meant=True)
    assert errors_of(meant) == []


def versions(*ends: tuple[int, int | None]) -> list[Tariff]:
    return [
        replace(SOUND, version=number, valid_from=start, valid_to=end)
        for number, (start, end) in enumerate(ends, 1)
    ]


def test_versions_that_follow_each_other_have_no_findings() -> None:
    assert check_versions(versions((0, 100), (100, None))) == []


@pytest.mark.parametrize(
    ("second", "rule", "severity"),
    [
        ((200, None), "version_gap", Severity.ERROR),
        ((50, None), "version_overlap", Severity.WARNING),
        ((0, None), "version_twice", Severity.ERROR),
    ],
)
def test_versions_that_do_not_fit_are_named(
    second: tuple[int, int | None], rule: str, severity: Severity
) -> None:
    found = check_versions(versions((0, 100), second))
    assert (found[0].rule, found[0].severity) == (rule, severity)


def test_every_rule_is_explained_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "tariffs.md").read_text("utf-8")
    versions_rules = {"version_gap", "version_twice"}
    rules = {rule for rule, _ in BROKEN} | versions_rules
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in text] == []
