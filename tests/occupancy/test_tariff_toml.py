from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.tariff_lines import line_of
from occupancy.tariff_toml import TariffFileError, minute_of_clock, parse_tariff, write_tariff
from tests.occupancy.random_tariffs import random_tariff

GOOD = """\
tariff_id = "x"
name = "任意"
service = "机动车停放服务"
complaints = "12345"
valid_from = 2026-01-01T00:00:00

[[rates]]
vehicles = ["car"]
bands = [
    { name = "白天", tiers = [{ unit_minutes = 60, price_fen = 500 }] },
    { name = "夜间", tiers = [{ unit_minutes = 60, price_fen = 100 }] },
]
day_plans = [{ day_types = "every_day", periods = [
    { start = "07:00", end = "19:00", band = "白天" },
    { start = "19:00", end = "07:00", band = "夜间" },
] }]
"""


def refusal(text: str) -> str:
    with pytest.raises(TariffFileError) as refused:
        parse_tariff(text, "x.toml")
    return str(refused.value)


def test_a_good_file_is_a_tariff() -> None:
    assert parse_tariff(GOOD, "x.toml").tariff.rates[0].bands[1].name == "夜间"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'end = "19:00"',
            'end = "18:30"',
            "x.toml:13: [gap] rates[0].day_plans[0]: 18:30",
        ),
        ('end = "19:00"', 'end = "20:00"', "x.toml:13: [overlap]"),
        ('band = "夜间" }', 'band = "深夜" }', "x.toml:13: [unknown_band]"),
        ("price_fen = 500", "price_fen = -1", "x.toml:10: [negative_price]"),
        ("price_fen = 500", 'price_fen = "5"', "x.toml:10: [bad_value]"),
        ("price_fen = 100", "price_yuan = 1", "x.toml:11: [bad_value]"),
        ('start = "07:00"', 'start = "7点"', "[bad_value] rates[0].day_plans[0].periods[0].start"),
        ("2026-01-01T00:00:00", '"tomorrow"', "x.toml:5: [bad_value] valid_from"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "x.toml:5: [bad_value] valid_from"),
        ('complaints = "12345"', 'complaints = ""', "x.toml:4: [board_incomplete]"),
        ('vehicles = ["car"]', 'vehicles = ["spaceship"]', "x.toml:8: [bad_value]"),
        ('"every_day"', '["workday"]', "[day_gap]"),
        ("[[rates]]", "[[rates", "[not_toml]"),
        ('vehicles = ["car"]', 'vehicles = ["car"]\nwhat = 1', "x.toml:7: [bad_value]"),
    ],
)
def test_a_bad_file_is_refused_by_file_line_and_rule(old: str, new: str, told: str) -> None:
    assert told in refusal(GOOD.replace(old, new, 1))


def test_a_waiver_is_on_dates_and_nothing_else() -> None:
    waiver = (
        '\n[[waivers]]\nname = "x"\nname_en = "x"\nfirst_day = "monday"\nlast_day = 2026-10-07\n'
    )
    assert "x.toml:21: [bad_value] waivers[0].first_day" in refusal(GOOD + waiver)


def test_a_waiver_without_a_date_is_named() -> None:
    waiver = '\n[[waivers]]\nname = "x"\nname_en = "x"\nfirst_day = 2026-10-01\n'
    assert "[bad_value] waivers[0]: Object missing required field `last_day`" in refusal(
        GOOD + waiver
    )


def test_a_file_without_a_start_is_refused() -> None:
    text = GOOD.replace("valid_from = 2026-01-01T00:00:00\n", "")
    assert "missing required field `valid_from`" in refusal(text)


def test_rates_that_are_no_tables_are_named() -> None:
    assert "[bad_value]" in refusal(GOOD.split("[[rates]]", maxsplit=1)[0] + "rates = 3\n")


@pytest.mark.parametrize("clock", ["24:01", "7:00", "12:60", "ab:cd", "1200", 720])
def test_what_is_no_time_of_day_is_refused(clock: object) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        minute_of_clock(clock)


def test_midnight_is_the_start_and_the_end_of_a_day() -> None:
    assert (minute_of_clock("00:00"), minute_of_clock("24:00")) == (0, 1440)


@given(st.randoms(use_true_random=False))
def test_a_tariff_that_is_written_is_read_back_equal(rng: Random) -> None:
    tariff = random_tariff(rng)
    assert parse_tariff(write_tariff(tariff), "x.toml").tariff == tariff


def test_a_key_of_a_nested_table_is_found_in_its_own_row() -> None:
    text = "[[a]]\nx = 1\n[a.c]\nz = 1\n[[a]]\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n[d]\ny = 3\n"
    assert line_of(text, "a[1].b[1].y") == 9
    assert line_of(text, "a[0].c.z") == 4
    assert line_of(text, "d.y") == 11
    assert line_of(text, "a[1].unknown") == 5
    assert line_of(text, "nowhere") == 1
