"""What planners ask of a study is checked before it is played, and read with its doubt."""

import datetime as dt
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lot_sim.study_spec import Outcome as PlayedOutcome
from lot_sim.study_spec import Spec
from occupancy.calendar import Calendar, day_of
from occupancy.edit import BadEditError
from occupancy.lot_file import load_shipped
from occupancy.rollup import Window, date_start_ms
from occupancy.stay import Stay
from occupancy.study import NewBoard, NewPrice, StudyWish, require_possible, words_of
from occupancy.study_gathering import Bays, PlacedLot, StudyFacts, WantedBoard, WantedChange
from occupancy.study_outcome import Difference, StudyOutcome, in_yuan, read_outcome, sentence
from occupancy.study_past import past_hours
from occupancy.study_prices import STAYS_MINUTES, at_another_price, fee_table
from occupancy.tariff_clock import DAY_MINUTES, utc_ms
from occupancy.tariff_entry import price_versions
from occupancy.tariff_file import OUR_TARIFFS, read_folder
from occupancy.tariff_quote import fee

TODAY = dt.date(2026, 11, 2)
MONDAY = dt.date(2026, 11, 2)
LOTS = {lot.lot_id: lot for lot in load_shipped()}
HOUR_MS = 3_600_000
WISH = StudyWish(
    "中山路加 60 位", dt.date(2026, 10, 1), dt.date(2026, 10, 31), spaces={"zhongshan": 60}
)


def test_a_wish_that_can_be_is_kept_as_it_is() -> None:
    assert require_possible(WISH, LOTS, TODAY) == WISH


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("name", {"name": " "}),
        ("last_day", {"last_day": TODAY}),
        ("last_day", {"last_day": dt.date(2026, 10, 3)}),
        ("first_day", {"first_day": dt.date(2025, 1, 1)}),
        ("days", {"days": 8}),
        ("metres_a_yuan", {"metres_a_yuan": 501.0}),
        ("change", {"spaces": {}}),
        ("change", {"spaces": {"nowhere": 1}}),
        ("spaces", {"spaces": {"kangle": 0}}),
        ("closed", {"spaces": {}, "closed": tuple(LOTS)}),
        ("closed", {"closed": ("zhongshan",)}),
        ("percent", {"price": NewPrice("kangle")}),
        ("percent", {"price": NewPrice("kangle", percent=501)}),
        ("free_minutes", {"price": NewPrice("kangle", free_minutes=1_441)}),
        ("board_share", {"board": NewBoard("kangle", 0.0)}),
    ],
)
def test_a_wish_that_cannot_be_names_its_field(field: str, other: Mapping[str, object]) -> None:
    wish = msgspec.structs.replace(WISH, **other)
    with pytest.raises(BadEditError) as refused:
        require_possible(wish, LOTS, TODAY)
    assert refused.value.field == field


def test_every_change_is_said() -> None:
    wish = msgspec.structs.replace(
        WISH,
        closed=("sanda",),
        price=NewPrice("kangle", 60, 50),
        board=NewBoard("zhanqian", 0.25),
    )
    said = "；".join(words_of(wish, {"sanda": "三达路"}))
    for words in ("60 个车位", "关闭三达路", "60 分钟", "50%", "25%"):
        assert words in said


def hours(day: dt.date, cars: int, *, told_ms: int = HOUR_MS, late: int = 0) -> list[Window]:
    start_ms = date_start_ms(day)
    return [
        Window(
            "kangle",
            start_ms + hour * HOUR_MS,
            60,
            told_ms=told_ms,
            occupied_ms=cars * told_ms,
            entries=cars,
            entries_late=late,
        )
        for hour in range(24)
    ]


def test_holidays_play_as_weekends_and_make_up_workdays_as_workdays() -> None:
    calendar = Calendar()
    windows = [
        *hours(dt.date(2026, 10, 1), 9),  # National Day, a Thursday
        *hours(dt.date(2026, 10, 10), 5),  # a Saturday that is worked
    ]
    told = past_hours("kangle", windows, calendar.day_type, {})
    assert set(told.entries["weekend"]) == {9.0}
    assert set(told.entries["workday"]) == {5.0}


def test_an_hour_nobody_recorded_is_none_and_not_nought() -> None:
    windows = hours(MONDAY, 4)
    windows[3] = msgspec.structs.replace(windows[3], told_ms=HOUR_MS // 2)
    told = past_hours("kangle", windows, Calendar().day_type, {})
    assert told.entries["workday"][3] is None
    assert told.occupied["workday"][4] == 4.0
    assert told.week[0] is None, "a day with a hole is no whole day"


def test_what_was_refused_stands_beside_what_was_let_in() -> None:
    windows = hours(MONDAY, 4)
    told = past_hours("kangle", windows, Calendar().day_type, {windows[8].start_ms: 2.5})
    assert told.refused["workday"][8] == 2.5
    assert told.refused["workday"][9] == 0.0


TARIFFS = read_folder(OUR_TARIFFS)


@given(
    st.sampled_from(sorted(TARIFFS)),
    st.integers(0, 23),
    st.sampled_from(STAYS_MINUTES),
)
def test_the_table_of_fees_is_what_the_engine_asks(name: str, hour: int, minutes: int) -> None:
    calendar = Calendar()
    versions = price_versions([TARIFFS[name].tariff], calendar)
    day = day_of(MONDAY)
    told = _table(name)["workday"][hour][STAYS_MINUTES.index(minutes)]
    arrive_ms = utc_ms(day * DAY_MINUTES + hour * 60 + 30)
    assert told == fee(versions, Stay(arrive_ms, arrive_ms + minutes * 60_000))


_TABLES: dict[str, dict[str, tuple[tuple[int, ...], ...]]] = {}


def _table(name: str) -> dict[str, tuple[tuple[int, ...], ...]]:
    if name not in _TABLES:
        calendar = Calendar()
        versions = price_versions([TARIFFS[name].tariff], calendar)
        _TABLES[name] = fee_table(versions, calendar, day_of(MONDAY)).fen
    return _TABLES[name]


def test_half_the_price_is_half_the_fee_and_more_free_minutes_cost_nobody_more() -> None:
    calendar, tariff = Calendar(), TARIFFS["kangle"].tariff
    stays = [Stay(utc_ms(day_of(MONDAY) * DAY_MINUTES + 600), 0)]
    arrive_ms = stays[0].arrive_ms

    def total(changed: NewPrice | None, minutes: int) -> int:
        priced = tariff if changed is None else at_another_price(tariff, changed)
        leave_ms = arrive_ms + minutes * 60_000
        return fee(price_versions([priced], calendar), Stay(arrive_ms, leave_ms))

    for minutes in (45, 180, 1_440):
        now = total(None, minutes)
        assert total(NewPrice("kangle", percent=50), minutes) == pytest.approx(now / 2, abs=50)
        assert total(NewPrice("kangle", free_minutes=120), minutes) <= now
    assert total(NewPrice("kangle", free_minutes=120), 119) == 0


def a_difference(low: float, high: float, name: str = "refused") -> Difference:
    mean = (low + high) / 2
    return Difference(name, "", "辆/日", 40.0, 40.0 + mean, mean, low, high)


def test_an_interval_with_nought_in_it_says_no_difference() -> None:
    assert "看不出差别" in sentence(a_difference(-2, 3))
    assert a_difference(-2, 3).is_better is None


def test_a_sure_difference_is_said_with_its_numbers() -> None:
    said = sentence(a_difference(-12, -8))
    assert said == "到场无位减少 10.0 辆/日（95% 区间 8.0 至 12.0），由 40.0 变为 30.0。"
    assert a_difference(-12, -8).is_better is True
    assert a_difference(8, 12).is_better is False
    assert a_difference(8, 12, "entries").is_better is None


def test_money_is_read_in_yuan() -> None:
    fen = Difference("revenue_fen", "", "分/日", 100_000, 120_000, 20_000, 10_000, 30_000)
    told = in_yuan(fen)
    assert (told.unit, told.without, told.difference) == ("元/日", 1_000, 200)


def test_both_sides_mean_the_same_by_the_same_names() -> None:
    """The service's facts are the simulator's, and its outcome is the service's."""
    prices = fee_table(
        price_versions([TARIFFS["kangle"].tariff], Calendar()), Calendar(), day_of(MONDAY)
    )
    told = past_hours("kangle", hours(MONDAY, 4), Calendar().day_type, {})
    facts = StudyFacts(
        (PlacedLot("kangle", "康乐路", 23.1, 112.9, (Bays("g1", (6, 7)),)),),
        (told,),
        {"kangle": prices},
        WantedChange({"kangle": 3}, (), (WantedBoard("kangle", 0.5, ()),), {}),
        date_start_ms(MONDAY),
        7,
        30,
        20.0,
    )
    said = msgspec.json.encode(facts)
    read = msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(said, type=Spec)))
    assert {**read, **msgspec.json.decode(said)} == read
    assert set(StudyOutcome.__struct_fields__) == set(PlayedOutcome.__struct_fields__)
    played = PlayedOutcome("study-1", (), (), 30, 7)
    assert read_outcome(msgspec.json.encode(played).decode()).seeds == 30
