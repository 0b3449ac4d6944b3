"""A form shows every value as it is typed; what is typed comes back into the text, or nothing."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.tariff import Tariff
from occupancy.tariff_diff import changes_of
from occupancy.tariff_file import OUR_TARIFFS, read_folder
from occupancy.tariff_form import FieldKind, fill_form, form_of
from occupancy.tariff_toml import TariffFileError, parse_tariff, write_tariff
from tests.occupancy.random_tariffs import random_tariff

TEXT = (OUR_TARIFFS / "kangle.toml").read_text("utf-8")
KANGLE = read_folder(OUR_TARIFFS)["kangle"]
TIER = "rates[0].bands[0].tiers[0]"


def filled(path: str, value: str) -> Tariff:
    found = fill_form(TEXT, {path: value})
    assert found.text is not None, found.remarks
    return parse_tariff(found.text, "x").tariff


def test_a_field_has_its_label_and_what_would_be_typed() -> None:
    fields = {one.path: one for one in form_of(KANGLE.tariff)}
    price = fields[f"{TIER}.price_fen"]
    assert (price.label, price.kind, price.value) == (
        "小车 / 时段“全天” / 第1档 / 单价", FieldKind.YUAN, "3",
    )  # fmt: skip
    assert fields["valid_from"].value == "2026-01-01T00:00"
    assert fields["rates[0].day_plans[0].periods[0].end_minute"].value == "24:00"
    mode = fields["rates[0].free.mode"]
    assert (mode.value, mode.choices[0]) == ("threshold", ("threshold", "超过后全程计费"))
    assert (fields["valid_to"].value, fields["valid_to"].may_be_empty) == ("", True)
    assert "rates[0].bands[0].name" not in fields


@given(st.randoms(use_true_random=False))
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(rng: Random) -> None:
    tariff = random_tariff(rng)
    values = {one.path: one.value for one in form_of(tariff)}
    found = fill_form(write_tariff(tariff), values)
    assert found.text is not None, found.remarks
    assert parse_tariff(found.text, "x").tariff == tariff


@pytest.mark.parametrize(
    ("path", "value", "label", "after"),
    [
        (f"{TIER}.price_fen", "3.5", "单价", "3.5元"),
        (f"{TIER}.price_fen", "4元", "单价", "4元"),
        (f"{TIER}.unit_minutes", "30", "计费单位", "30分钟"),
        ("rates[0].cap.amounts_fen", "20、30", "金额", "20元、30元"),
        ("rates[0].bands[0].cap_fen", "15", "连续停放封顶", "15元"),
        ("valid_from", "2026-12-01T08:30", "生效时间", "2026-12-01 08:30"),
        ("valid_to", "2027-12-01T00:00", "失效时间", "2027-12-01 00:00"),
        ("mechanical", "false", "机械式停车库", "否"),
        ("edge", "unit", "跨时段", "按单位开始时的时段"),
        ("complaints", " 12345 ", "投诉电话", "12345"),
        ("source", "", "依据", ""),
        ("placeholders", "", "待核实项", "无"),
        ("exemptions[1].percent", "50", "应付比例", "50%"),
    ],
)
def test_what_is_typed_is_all_that_changes(path: str, value: str, label: str, after: str) -> None:
    (change,) = changes_of(KANGLE.tariff, filled(path, value))
    assert change.label.endswith(label)
    assert change.after == after


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (f"{TIER}.price_fen", "三元", "应为金额"),
        (f"{TIER}.price_fen", "1.234", "最小到分"),
        (f"{TIER}.price_fen", "NaN", "应为金额"),
        (f"{TIER}.price_fen", "1e999999999", "应为金额"),
        (f"{TIER}.price_fen", "", "请填写"),
        (f"{TIER}.unit_minutes", "半小时", "应为整数"),
        (f"{TIER}.unit_minutes", "1" * 10, "应为整数"),
        ("rates[0].day_plans[0].periods[0].start_minute", "7点", "应为时刻"),
        ("valid_from", "明天", "应为当地时间"),
        ("valid_from", "2026-12-01T00:00+08:00", "应为当地时间"),
        ("edge", "sideways", "可选：split、unit、entry"),
        ("rates[9].edge", "x", "没有这一项"),
        ("tariff_id", "sanda", "没有这一项"),
    ],
)
def test_a_value_that_cannot_be_is_told_beside_its_field_and_nothing_is_applied(
    path: str, value: str, words: str
) -> None:
    found = fill_form(TEXT, {"name": "新名称", path: value})
    assert found.text is None
    (remark,) = found.remarks
    assert remark.field == path
    assert words in remark.words


def test_a_date_is_typed_as_one() -> None:
    waiver = '\n[[waivers]]\nname = "国庆"\nname_en = "x"\n'
    text = TEXT + waiver + "first_day = 2026-10-01\nlast_day = 2026-10-07\n"
    found = fill_form(text, {"waivers[0].last_day": "2026-10-08"})
    assert found.text is not None
    assert "last_day = 2026-10-08" in found.text
    (remark,) = fill_form(text, {"waivers[0].last_day": "10月8日"}).remarks
    assert "应为日期" in remark.words


def test_worked_examples_stay_as_they_are() -> None:
    assert KANGLE.examples
    found = fill_form(TEXT, {"name": "新名称"})
    assert found.text is not None
    assert parse_tariff(found.text, "x").examples == KANGLE.examples


def test_a_text_without_a_tariff_has_no_form() -> None:
    with pytest.raises(TariffFileError):
        fill_form("half a thou", {})
