from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.price_board import PriceBoard
from occupancy.price_words import Language, span, yuan
from occupancy.tariff import Cap, CapWindow, FreeMode, Period, Rate, Tariff
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from tests.occupancy.random_tariffs import random_tariff
from tests.occupancy.read_english_board import read_board as read_english_board
from tests.occupancy.read_price_board import fen, minutes, read_board

KANGLE = read_folder(OUR_TARIFFS)["kangle"].tariff


def what_decides_the_price(tariff: Tariff) -> Tariff:
    """Without identity, English names, and marks that change no price."""
    return replace(
        tariff,
        tariff_id="",
        version=1,
        name="",
        source="",
        placeholders=(),
        rates=tuple(plain_rate(rate) for rate in tariff.rates),
        new_energy=tariff.new_energy and replace(tariff.new_energy, again=plain_again(tariff)),
        exemptions=tuple(replace(one, name_en="") for one in tariff.exemptions),
        waivers=tuple(replace(one, name_en="") for one in tariff.waivers),
    )


def plain_again(tariff: Tariff) -> str:
    rule = tariff.new_energy
    return rule.again if rule and rule.free_minutes else "day"


def plain_rate(rate: Rate) -> Rate:
    free = replace(rate.free, jump_is_meant=False)
    if free.minutes == 0:
        free = type(free)(0)
    elif free.mode is FreeMode.DEDUCTIBLE:
        free = replace(free, inclusive=True)
    plans = tuple(
        replace(plan, periods=tuple(plain_period(period) for period in plan.periods))
        for plan in rate.day_plans
    )
    return replace(rate, free=free, day_plans=plans)


def plain_period(period: Period) -> Period:
    is_all_day = period.start_minute == 0 and period.end_minute == 0
    return replace(period, end_minute=1440) if is_all_day else period


@given(st.randoms(use_true_random=False), st.booleans())
def test_the_words_read_back_give_the_same_tariff(rng: Random, ends: bool) -> None:  # noqa: FBT001
    tariff = random_tariff(rng, valid_from=29_000_123)
    if ends:
        tariff = replace(tariff, valid_to=30_000_000)
    rows = PriceBoard().rows(tariff)
    assert read_board(rows) == what_decides_the_price(tariff)


@pytest.mark.parametrize("folder", [OUR_TARIFFS, GALLERY], ids=["ours", "gallery"])
def test_every_shipped_tariff_reads_back_from_its_words(folder: Path) -> None:
    for file in read_folder(folder).values():
        rows = PriceBoard().rows(file.tariff)
        assert read_board(rows) == what_decides_the_price(file.tariff)


@given(st.randoms(use_true_random=False))
def test_the_english_words_read_back_give_the_same_tariff(rng: Random) -> None:
    tariff = random_tariff(rng, valid_from=29_000_123)
    rows = PriceBoard(Language.ENGLISH).rows(tariff)
    english = replace(
        what_decides_the_price(tariff),
        exemptions=tuple(replace(one, name="") for one in tariff.exemptions),
        waivers=tuple(replace(one, name="") for one in tariff.waivers),
    )
    assert read_english_board(rows) == english


def test_the_board_reads_like_a_price_board() -> None:
    board = {row.label: row.lines for row in PriceBoard().rows(KANGLE)}
    assert board["收费标准"] == (
        "小车：全天：首1小时3元，之后每小时2元",
        "小车：时段（每日）：全天 全天",
        "小车：封顶：每24小时最高20元",
    )
    assert board["免费停车时限"] == ("小车：30分钟以内（含30分钟）免费，超过的全程计费",)


def test_a_list_of_car_parks_gets_the_price_in_one_line() -> None:
    assert PriceBoard().short_price(KANGLE.rates[0]) == (
        "首1小时3元，之后每小时2元；封顶：每24小时最高20元"
    )
    sanda = read_folder(OUR_TARIFFS)["sanda"].tariff.rates[0]
    assert PriceBoard(Language.ENGLISH).short_price(sanda).startswith("白天: first 1 h 3 yuan")


def test_caps_that_differ_are_numbered() -> None:
    cap = Cap(CapWindow.ROLLING_24H, (3000, 4000, 5000))
    assert PriceBoard().cap(cap) == (
        "封顶（按24小时）：第1个最高30元，第2个最高40元，第3个起最高50元"
    )


@given(st.integers(0, 10_000_000))
def test_money_reads_back(amount: int) -> None:
    assert fen(yuan(amount)) == amount


@given(st.integers(1, 600_000))
def test_a_duration_reads_back(length: int) -> None:
    assert minutes(span(length)) == length


def test_money_that_is_taken_off_keeps_its_sign() -> None:
    assert (yuan(-150), yuan(-5, Language.ENGLISH)) == ("-1.5元", "-0.05 yuan")
