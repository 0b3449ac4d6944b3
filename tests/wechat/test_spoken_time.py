"""Stays and arrivals as people type them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.tariff_clock import local_minute, utc_ms
from tests.builders import MORNING_MS
from wechat.spoken_time import arrive_minute, number, take_arrival, take_leaving, take_stay

SHANGHAI = dt.timezone(dt.timedelta(hours=8))


def arrives(text: str, now_ms: int = MORNING_MS) -> str:
    """When somebody who types this on a Monday at eight wants to arrive."""
    arrival, _ = take_arrival(text)
    assert arrival is not None, text
    minute = arrive_minute(arrival, local_minute(now_ms))
    if minute is None:
        return "past"
    at = dt.datetime.fromtimestamp(utc_ms(minute) / 1_000, tz=SHANGHAI)
    return f"{at:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("停2小时", 120),
        ("停两个小时", 120),
        ("停两个半小时", 150),
        ("一个半小时", 90),
        ("1.5小时", 90),
        ("2小时半", 150),
        ("2小时30分钟", 150),
        ("2h", 120),
        ("90分钟", 90),
        ("90min", 90),
        ("半小时", 30),
        ("半个钟", 30),
        ("两个钟", 120),
        ("三个钟头", 180),
        ("一刻钟", 15),
        ("三刻钟", 45),
        ("停半天", 240),
        ("停一天", 1_440),
        ("一整天", 1_440),
        ("两天", 2_880),
        ("停过夜", 720),
        ("十二个小时", 720),
        ("大概停二十五分钟左右", 25),
    ],
)
def test_a_stay_is_understood(text: str, minutes: int) -> None:
    assert take_stay(text)[0] == minutes


@pytest.mark.parametrize(
    "text",
    [
        "三水广场",
        "七天连锁酒店",
        "三水第一小学",
        "人民三路139号",
        "停30天",
        "9999小时",
        "0小时",
    ],
)
def test_what_is_no_stay_is_left_alone(text: str) -> None:
    assert take_stay(text)[0] is None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("明早9点", "11-24 09:00"),
        ("明天早上9点", "11-24 09:00"),
        ("明天9点", "11-24 09:00"),
        ("明天3点", "11-24 15:00"),
        ("明天下午3点半", "11-24 15:30"),
        ("听晚七点半", "11-24 19:30"),
        ("后天中午12点", "11-25 12:00"),
        ("大后天上午十点一刻", "11-26 10:15"),
        ("今晚8点", "11-23 20:00"),
        ("今晚", "11-23 19:00"),
        ("明早", "11-24 09:00"),
        ("明天上午", "11-24 09:00"),
        ("周三下午", "11-25 15:00"),
        ("今天7点", "11-23 19:00"),
        ("今天9点", "11-23 09:00"),
        ("今早6点", "past"),
        ("今天凌晨1点", "past"),
        ("9点", "11-23 09:00"),
        ("7点", "11-23 19:00"),
        ("8点", "11-23 08:00"),
        ("7点05", "11-23 19:05"),
        ("7:30", "11-24 07:30"),
        ("18:30", "11-23 18:30"),
        ("18：30到", "11-23 18:30"),
        ("18时", "11-23 18:00"),
        ("24点", "11-24 00:00"),
        ("周六下午3点", "11-28 15:00"),
        ("周日10点", "11-29 10:00"),
        ("星期天10点", "11-29 10:00"),
        ("周一9点", "11-23 09:00"),
        ("周一早上7点", "past"),
        ("下周一上午十点", "11-30 10:00"),
        ("下星期三9点三刻", "12-02 09:45"),
        ("20分钟后到", "11-23 08:20"),
        ("半小时后", "11-23 08:30"),
        ("一个半小时以后到", "11-23 09:30"),
        ("过两个小时后", "11-23 10:00"),
        ("十一点二十分", "11-23 11:20"),
    ],
)
def test_an_arrival_is_understood(text: str, when: str) -> None:
    assert arrives(text) == when


@pytest.mark.parametrize("text", ["三水广场", "25点", "8点75", "十十点", "一点也不远", "快一点"])
def test_what_is_no_time_is_no_arrival(text: str) -> None:
    assert take_arrival(text) == (None, text)


@pytest.mark.parametrize(("text", "hour"), [("停到5点", 5), ("玩到晚上9点", 21), ("待到18:00", 18)])
def test_until_when_somebody_stays_is_understood(text: str, hour: int) -> None:
    leaving, rest = take_leaving(text)
    assert leaving is not None
    assert leaving.hour == hour
    assert not rest.strip()


def test_whoever_says_no_end_has_none() -> None:
    assert take_leaving("三水广场") == (None, "三水广场")
    assert take_leaving("停到99点") == (None, "停到99点")


@pytest.mark.parametrize(
    ("word", "value"),
    [("3", 3), ("2.5", 2.5), ("十", 10), ("十二", 12), ("二十", 20), ("九十九", 99), ("两", 2)],
)
def test_a_number_is_read(word: str, value: float) -> None:
    assert number(word) == value


@pytest.mark.parametrize("word", ["十十", "二二", "十二二", "二二十"])
def test_what_is_no_number_is_none(word: str) -> None:
    assert number(word) is None


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 7 * 1_440))
def test_a_clock_of_24_hours_means_its_next_time(hour: int, minute: int, later: int) -> None:
    arrival, _ = take_arrival(f"{hour}:{minute:02d}")
    assert arrival is not None
    now = local_minute(MORNING_MS) + later
    found = arrive_minute(arrival, now)
    assert found is not None
    assert 0 <= found - now < 1_440
    assert found % 1_440 % 720 == (hour * 60 + minute) % 720


@given(st.integers(1, 40), st.sampled_from(["小时", "个小时", "h"]))
def test_a_stay_in_hours_is_sixty_minutes_each(hours: int, unit: str) -> None:
    assert take_stay(f"停{hours}{unit}")[0] == hours * 60
