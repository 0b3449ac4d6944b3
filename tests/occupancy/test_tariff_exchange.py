"""APDS RateTable and Golemio charges: what comes in, what goes out, and what is said to be lost."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.calendar import Calendar, DayType
from occupancy.stay import Stay
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    Crossing,
    DayPlan,
    Edge,
    FreeMode,
    FreePeriod,
    Period,
    Rate,
    Restart,
    Seconds,
    Tariff,
    Tier,
)
from occupancy.tariff_apds import read_apds, write_apds
from occupancy.tariff_check import BadTariffError
from occupancy.tariff_clock import utc_ms
from occupancy.tariff_entry import price_versions
from occupancy.tariff_exchange import UnreadableTariffError, minutes_of
from occupancy.tariff_file import OUR_TARIFFS, read_folder
from occupancy.tariff_golemio import read_golemio, write_golemio
from occupancy.tariff_quote import fee
from tests.occupancy.random_tariffs import random_tariff, random_tiers

KANGLE = read_folder(OUR_TARIFFS)["kangle"].tariff
PLAIN = replace(KANGLE, mechanical=False, new_energy=None, exemptions=())
NOON = utc_ms(20_759 * 1440 + 720)
ALL_DAY = (DayPlan(tuple(DayType), (Period(0, 1440, "全天"),)),)


def up_to(sequence: int, value: float, start: str, end: str) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "description": {"en": "up to"},
        "rateLineType": "incrementingRate",
        "value": value,
        "durationStart": start,
        "durationEnd": end,
    }


def cumulative_table(*lines: dict[str, Any], **collection: object) -> dict[str, Any]:
    """The shape of APDS' own worked example, in yuan."""
    rows: dict[str, Any] = {
        "applicableCurrency": "CNY",
        "collectionSequence": 0,
        "rateLines": list(lines),
        "relativeTimes": True,
    }
    return {
        "id": "1",
        "version": 1,
        "rateTableName": {},
        "rateLineCollections": [rows | collection],
    }


FIVE_ROWS = (
    up_to(0, 3.7, "00:00", "01:00"),
    up_to(1, 6.7, "01:00", "02:00"),
    up_to(2, 9.2, "02:01", "03:00"),
    up_to(3, 12.2, "03:01", "04:00"),
    up_to(4, 20.5, "04:01", "24:00"),
)


def fee_of(tariff: Tariff, minutes: int) -> int:
    priced = price_versions([tariff], Calendar())
    return fee(priced, Stay(NOON, NOON + minutes * 60_000, tariff.rates[0].vehicles[0]))


@pytest.mark.parametrize(
    ("minutes", "fen"), [(1, 370), (60, 370), (61, 670), (121, 920), (240, 1220), (1440, 2050)]
)
def test_a_table_of_totals_is_read_row_by_row(minutes: int, fen: int) -> None:
    assert fee_of(read_apds(cumulative_table(*FIVE_ROWS), PLAIN).tariff, minutes) == fen


def test_where_a_table_ends_longer_stays_are_refused_and_that_is_said() -> None:
    imported = read_apds(cumulative_table(*FIVE_ROWS), PLAIN)
    assert imported.tariff.max_stay_minutes == 1440
    assert imported.losses == (
        "beyond 1440 minutes the table has no price: longer stays are refused",
    )


def test_a_table_that_gets_cheaper_is_refused_with_the_minute() -> None:
    cheaper = cumulative_table(up_to(0, 5.0, "00:00", "00:30"), up_to(1, 3.0, "00:30", "01:00"))
    with pytest.raises(UnreadableTariffError, match="cheaper at 31 min"):
        read_apds(cheaper, PLAIN)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (cumulative_table(*FIVE_ROWS, applicableCurrency="GBP"), "never converted"),
        (cumulative_table(*FIVE_ROWS, relativeTimes=False), "clock times"),
        (cumulative_table(FIVE_ROWS[0], FIVE_ROWS[2]), "no price, or two"),
        (cumulative_table(), "none that costs"),
        (cumulative_table({**FIVE_ROWS[0], "rateLineType": "perUnit"}), "perUnit"),
        (cumulative_table({**FIVE_ROWS[0], "value": "much"}), "no amount"),
        (cumulative_table({**FIVE_ROWS[0], "value": 0.001}), "whole number of fen"),
        (cumulative_table({**FIVE_ROWS[0], "value": "NaN"}), "whole number of fen"),
        (cumulative_table({**FIVE_ROWS[0], "durationEnd": "soon"}), "no duration"),
        (cumulative_table({**FIVE_ROWS[0], "durationEnd": "PT"}), "no duration"),
        (cumulative_table({**FIVE_ROWS[0], "incrementPeriod": 7}), "whole periods"),
        (cumulative_table({"sequence": 0, "rateLineType": "flatRate"}), "value is missing"),
        (cumulative_table({**FIVE_ROWS[0], "sequence": "x"}), "whole number"),
        (
            cumulative_table(
                {"sequence": 0, "rateLineType": "flatRate", "value": 5}, up_to(1, 6, "0:00", "1:00")
            ),
            "no durationEnd",
        ),
        ({"rateLineCollections": []}, "exactly one"),
    ],
)
def test_an_unclear_table_is_refused_with_its_reason(document: dict[str, Any], told: str) -> None:
    with pytest.raises(UnreadableTariffError, match=told):
        read_apds(document, PLAIN)


def test_what_was_not_taken_over_is_listed() -> None:
    table = cumulative_table(
        {**FIVE_ROWS[0], "maxValue": 9}, minValueCollection=2, resetTime="02:00"
    )
    table["rateLineCollections"][0]["maxValueCollection"] = 30
    table["availability"] = "public"
    losses = read_apds(table, PLAIN).losses
    assert [loss.split(" ")[0] for loss in losses] == [
        "RateTable.availability",
        "rateLineCollections[0].minValueCollection",
        "rateLines[0].maxValue",
        "beyond",
        "maxValueCollection",
    ]


def test_a_flat_rate_is_one_price_for_a_stay_of_any_length() -> None:
    flat = cumulative_table({"sequence": 0, "rateLineType": "flatRate", "value": 20})
    tariff = read_apds(flat, PLAIN).tariff
    assert [fee_of(tariff, minutes) for minutes in (1, 5000)] == [2000, 2000]


def test_flat_rates_with_durations_add_up() -> None:
    steps = cumulative_table(
        {**up_to(0, 5, "00:00", "01:00"), "rateLineType": "flatRate"},
        {**up_to(1, 2, "01:00", "02:00"), "rateLineType": "flatRate"},
    )
    assert fee_of(read_apds(steps, PLAIN).tariff, 90) == 700


def random_plain(rng: Random) -> Tariff:
    """Only what APDS can say in one table."""
    tiers = (Tier(30, 100, 1), *random_tiers(rng))
    cap = rng.choice((None, Cap(CapWindow.CALENDAR_DAY, (3000,))))
    free = FreePeriod(rng.choice((0, 30)))
    rate = Rate(PLAIN.rates[0].vehicles, (Band("全天", tiers),), ALL_DAY, free, cap)
    return replace(PLAIN, rates=(rate,), max_stay_minutes=rng.choice((20_000, 527_040)))


@given(st.randoms(use_true_random=False))
def test_what_apds_can_say_comes_back_the_same(rng: Random) -> None:
    tariff = random_plain(rng)
    exported = write_apds(tariff)
    (table,) = exported.document
    assert exported.losses == ()
    assert read_apds(table, tariff).tariff == tariff
    assert read_apds(table, tariff).losses == ()


@given(st.randoms(use_true_random=False), st.integers(0, 3000))
def test_what_golemio_can_say_costs_the_same_when_it_comes_back(rng: Random, minutes: int) -> None:
    tariff = random_plain(rng)
    tariff = replace(tariff, rates=(replace(tariff.rates[0], cap=None),))
    exported = write_golemio(tariff)
    imported = read_golemio(exported.document, tariff)
    assert exported.losses == imported.losses == ()
    assert fee_of(imported.tariff, minutes) == fee_of(tariff, minutes)
    assert imported.tariff.max_stay_minutes == tariff.max_stay_minutes


def test_golemio_hours_become_bands() -> None:
    sanda = read_folder(OUR_TARIFFS)["sanda"].tariff
    document = write_golemio(sanda).document
    bands = read_golemio(document, sanda).tariff.rates[0].bands
    assert [band.name for band in bands] == ["08:00-22:00", "22:00-08:00"]
    assert [band.tiers for band in bands] == [band.tiers for band in sanda.rates[0].bands]


def test_golemio_without_an_interval_is_one_price_for_the_whole_period() -> None:
    charges = [{"charge": "20.00", "charge_order_index": 0}]
    tariff = read_golemio({"charges": charges}, PLAIN).tariff
    assert [fee_of(tariff, minutes) for minutes in (1, 5000)] == [2000, 2000]


def test_a_tariff_with_two_bands_and_all_usual_rules_loses_nothing_else() -> None:
    sanda = replace(PLAIN, rates=read_folder(OUR_TARIFFS)["sanda"].tariff.rates)
    assert [loss.split(":")[0] for loss in write_golemio(sanda).losses] == [
        "free.mode",
        "bands",
        "cap",
    ]


@pytest.mark.parametrize(
    ("charge", "told"),
    [
        ({"charge_interval": 90}, "whole minutes"),
        ({"start_time_of_period": "08:00"}, "both its start and its end"),
        ({"charge": None}, "no amount"),
        ({"charge_interval": "often"}, "whole number"),
    ],
)
def test_an_unclear_charge_is_refused(charge: dict[str, Any], told: str) -> None:
    usual = {"charge": "1.00", "charge_order_index": 0, "charge_interval": 3600}
    with pytest.raises(UnreadableTariffError, match=told):
        read_golemio({"charges": [usual | charge]}, PLAIN)


def test_charges_of_one_index_have_no_order_and_are_refused() -> None:
    charge = {"charge": "1.00", "charge_order_index": 0, "charge_interval": 3600}
    with pytest.raises(UnreadableTariffError, match="no order"):
        read_golemio({"charges": [charge, charge]}, PLAIN)


def test_charges_that_leave_a_gap_in_the_day_are_refused_by_its_hours() -> None:
    charge = {"charge": "1.00", "charge_order_index": 0, "charge_interval": 3600}
    hours = {"start_time_of_period": "08:00", "end_time_of_period": "20:00"}
    with pytest.raises(BadTariffError, match="00:00 到 08:00 没有价格"):
        read_golemio({"charges": [charge | hours]}, PLAIN)


def test_an_unknown_key_of_a_charge_is_listed() -> None:
    charge = {"charge": "1.00", "charge_order_index": 0, "charge_interval": 3600}
    read = read_golemio({"charges": [charge | {"charge_type": "other"}], "name": "x"}, PLAIN)
    assert read.losses == (
        "tariff.name was not taken over",
        "charges[0].charge_type was not taken over",
    )


def test_everything_a_shape_cannot_say_is_listed_when_it_is_written() -> None:
    rich = replace(
        random_tariff(Random(1)),  # noqa: S311 -- it must repeat, not be secret
        edge=Edge.UNIT,
        seconds=Seconds.BEGUN,
        crossing=Crossing.SPLIT,
        restart=Restart.STAY,
        mechanical=True,
    )
    bands = (Band("白天", (Tier(60, 500),), 900), Band("夜间"))
    periods = (Period(420, 1140, "白天"), Period(1140, 420, "夜间"))
    rate = Rate(
        rich.rates[0].vehicles,
        bands,
        (DayPlan(tuple(DayType), periods),),
        FreePeriod(30, FreeMode.THRESHOLD),
        Cap(CapWindow.ROLLING_24H, (1, 2)),
    )
    rich = replace(rich, rates=(rate, rate))
    apds, golemio = " ".join(write_apds(rich).losses), " ".join(write_golemio(rich).losses)
    for rule in (
        "free.mode",
        "edge",
        "restart",
        "seconds",
        "crossing",
        "mechanical",
        "bands",
        "day",
        "cap",
    ):
        assert rule in apds
    for rule in ("free.mode", "edge", "restart", "exemptions", "rates", "cap"):
        assert rule in golemio
    assert len(write_apds(rich).document) == 4


def test_golemio_says_that_free_minutes_of_several_bands_are_lost() -> None:
    sanda = read_folder(OUR_TARIFFS)["sanda"].tariff
    rate = replace(sanda.rates[0], free=FreePeriod(30))
    plans = (*rate.day_plans, *rate.day_plans)
    losses = write_golemio(replace(sanda, rates=(replace(rate, day_plans=plans),))).losses
    assert "free: the free minutes" in losses
    assert "day_plans: days that differ" in losses


@pytest.mark.parametrize(
    ("written", "minutes"), [(30, 30), ("02:30", 150), ("24:00", 1440), ("PT1H30M", 90)]
)
def test_a_duration_is_read_however_it_is_written(written: object, minutes: int) -> None:
    assert minutes_of(written) == minutes
