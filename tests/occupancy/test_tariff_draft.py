"""A draft is told everything that is wrong with it, beside the field and in Chinese."""

import pytest
from msgspec.structs import replace

from occupancy.calendar import Calendar
from occupancy.tariff_check import Severity
from occupancy.tariff_draft import (
    BadDraftError,
    Examined,
    Published,
    Remark,
    examine,
    require_publishable,
)
from occupancy.tariff_toml import parse_tariff

TEXT = """\
tariff_id = "kangle"
version = 2
name = "康乐"
service = "机动车停放服务"
complaints = "12345"
valid_from = 2027-01-01T00:00:00

[[rates]]
vehicles = ["car"]
bands = [
    { name = "全天", tiers = [{ unit_minutes = 60, price_fen = 500 }] },
]
day_plans = [{ day_types = "every_day", periods = [
    { start = "00:00", end = "24:00", band = "全天" },
] }]

[[example]]
arrive = 2027-01-04T09:00:00
leave = 2027-01-04T10:30:00
fee_fen = 1000
"""
NEW = parse_tariff(TEXT, "x").tariff
OLD = replace(NEW, version=1, valid_from=NEW.valid_from - 365 * 1440)
PUBLISHED = Published("kangle", (OLD,), 1)
NOW = 20_780 * 1440  # in November 2026


TIER, PLAN = "rates[0].bands[0].tiers[0]", "rates[0].day_plans[0]"


def examined(old: str = "", new: str = "", published: Published = PUBLISHED) -> Examined:
    return examine(TEXT.replace(old, new, 1) if old else TEXT, published, Calendar(), NOW)


def only(found: Examined) -> Remark:
    (remark,) = found.remarks
    return remark


def test_a_sound_draft_has_no_remarks() -> None:
    found = examined()
    assert found.remarks == ()
    assert found.tariff is not None
    assert require_publishable(TEXT, PUBLISHED, Calendar(), NOW) == found.tariff


@pytest.mark.parametrize(
    ("old", "new", "rule", "field", "line", "words"),
    [
        ("康乐", "康\\u0000乐", "bad_text", "", 1, "控制字符"),
        ("version = 2", "version = 1", "version_used", "version", 2, "请写 2"),
        ('"kangle"', '"sanda"', "other_tariff", "tariff_id", 1, "不能写成 sanda"),
        ("2027-01-01T", "2026-11-01T", "not_in_future", "valid_from", 6, "须晚于现在"),
        ("fee_fen = 1000", "fee_fen = 1", "example_differs", "example[0]", 17, "标准得10元"),
        ("= 500", '= "5元"', "bad_value", f"{TIER}.price_fen", 11, "应为整数，现为文字"),
        ("price_fen", "price_yuan", "bad_value", TIER, 11, "没有 price_yuan 这一项"),
        ('name = "康乐"\n', "", "bad_value", "", 1, "缺少 name"),
        ('["car"]', '["tank"]', "bad_value", "rates[0].vehicles[0]", 9, "没有 'tank' 这个取值"),
        ('"00:00"', '"7点"', "bad_value", f"{PLAN}.periods[0].start", 13, "值不合要求"),
        ('["car"]', '["car"', "not_toml", "", 10, "第 10 行"),
        ("= 500", "= -1", "negative_price", TIER, 11, "单价不能为负"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    old: str, new: str, rule: str, field: str, line: int, words: str
) -> None:
    remark = next(one for one in examined(old, new).remarks if one.rule == rule)
    assert (remark.field, remark.line, remark.severity) == (field, line, Severity.ERROR)
    assert words in remark.words


def test_a_text_that_ends_in_the_middle_is_told_so_at_its_last_line() -> None:
    remark = only(examine(TEXT + '\nsource = """', PUBLISHED, Calendar(), NOW))
    assert remark.line == len(TEXT.splitlines()) + 2
    assert "写到末尾还不完整" in remark.words or "不合写法" in remark.words


def test_an_example_without_a_price_is_told_so() -> None:
    found = examined("2027-01-04T10:30:00", "2029-01-04T10:30:00")
    assert "没有价格" in only(found).words


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("leave = 2027-01-04T10:30:00", "leave = 2027-01-04T10:30:00Z"),
        ("fee_fen = 1000", "fee_fen = 1000\nearlier = [{ x = 1 }]"),
        ("fee_fen = 1000", 'fee_fen = 1000\nearlier = [{ arrive = 1, leave = 2, paid_fen = "x" }]'),
    ],
)
def test_an_example_that_cannot_be_read_is_told_so(old: str, new: str) -> None:
    remark = only(examined(old, new))
    assert (remark.field, "不带时区" in remark.words) == ("example[0]", True)


def test_a_start_that_another_version_has_is_told_at_the_start() -> None:
    found = examined("version = 2", "version = 3", Published("kangle", (OLD, NEW), 2))
    assert [(one.field, one.rule) for one in found.errors] == [("valid_from", "start_taken")]


def test_an_overlap_is_told_and_hinders_nothing() -> None:
    ends = Published("kangle", (replace(OLD, valid_to=NEW.valid_from + 1440),), 1)
    found = examined(published=ends)
    assert [(one.rule, one.severity) for one in found.remarks] == [
        ("version_overlap", Severity.WARNING)
    ]
    assert require_publishable(TEXT, ends, Calendar(), NOW) == found.tariff


@pytest.mark.parametrize("text", ["", "version = 2", TEXT.replace("500", "-5")])
def test_a_draft_with_an_error_is_not_published(text: str) -> None:
    with pytest.raises(BadDraftError, match=r"\w") as refused:
        require_publishable(text, PUBLISHED, Calendar(), NOW)
    assert refused.value.remarks
