"""Stays and arrivals as people type them: 两个半小时, 明早9点, 周六下午3点半, 20分钟后到."""

import re

import msgspec

DAY_MINUTES, HOUR_MINUTES, WEEK_DAYS = 1_440, 60, 7
LONGEST_STAY_MINUTES = 7 * DAY_MINUTES
NIGHT_MINUTES = 720
_NOON = 12
_MORE_LIKELY_AFTERNOON = 6  # 三点 of another day is 15:00, 八点 is 8:00

_DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
_DIGITS |= {"六": 6, "七": 7, "八": 8, "九": 9}
_NUMBER = r"(?<![\d.])\d{1,4}(?:\.\d{1,2})?|[零一二两三四五六七八九十]{1,3}"
_UNIT_HOUR = r"(?:个)?(?:小时|钟头|钟(?!头)|hours?|hrs?|h)"
_UNIT_MINUTE = r"(?:分钟|分|minutes?|mins?|m)(?![a-z])"
_DURATION = (
    rf"(?:(?P<days>{_NUMBER})天(?!连锁|酒店|宾馆)|(?P<halfday>半天)"
    rf"|(?P<allday>一整天|整天|全天)"
    rf"|(?P<night>过夜|一晚|通宵)"
    rf"|(?P<quarters>[一三])刻钟"
    rf"|(?P<halfhour>半{_UNIT_HOUR})"
    rf"|(?P<hours>{_NUMBER})(?P<half>个半)?{_UNIT_HOUR}(?P<halfafter>半)?"
    rf"(?:(?P<more>{_NUMBER}){_UNIT_MINUTE})?"
    rf"|(?P<minutes>{_NUMBER}){_UNIT_MINUTE})"
)
_STAY = re.compile(
    rf"(?:打算|准备|计划|想)?(?:停车|停放|停|泊车|泊|逗留|stay)?(?:大概|大约|约|差不多)?"
    rf"{_DURATION}(?:左右|以内|上下)?",
)
_IN_A_WHILE = re.compile(
    rf"(?:大概|大约|约|再过|过)?{_DURATION}(?:左右)?(?:之后|以后|后|内)(?:到达|到|出发|去)?"
)
_DAYS = {"今": 0, "明": 1, "听": 1, "后": 2, "大后": 3}
_PARTS = {
    "凌晨": (0, 5),
    "早上": (6, 9),
    "早晨": (6, 8),
    "朝早": (6, 9),
    "上午": (6, 9),
    "早": (6, 9),
    "中午": (11, 12),
    "晏昼": (12, 13),
    "下午": (12, 15),
    "傍晚": (12, 18),
    "晚上": (12, 19),
    "夜晚": (12, 19),
    "今晚": (12, 19),
    "晚": (12, 19),
}
_PART = "|".join(sorted(_PARTS, key=len, reverse=True))
_WEEKDAY = r"(?P<next>下下?)?(?:个)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
_DAY = rf"(?:(?P<day>大后|今|明|听|后)(?:天|日)?|{_WEEKDAY})"
_CLOCK = (
    r"(?:(?P<colon>\d{1,2})[:：](?P<colonminute>\d{2})(?!\d)"
    r"|(?P<hour>\d{1,2}|[零一二两三四五六七八九十]{1,3})(?:点钟?|时(?!代|间|尚))"
    r"(?:(?P<halfpast>半)|(?P<quarter>[一三])刻|(?P<minute>\d{1,2}|[零一二三四五十]{1,3})分?)?)"
)
_ARRIVAL = re.compile(
    rf"(?:{_DAY}的?)?(?P<part>{_PART})?的?{_CLOCK}(?:左右)?(?:之前|前|之后|以后|后)?(?:到达|到|出发)?"
)
_LEAVE = re.compile(
    rf"(?:一直)?(?:停|泊|待|玩)到(?:{_DAY}的?)?(?P<part>{_PART})?的?{_CLOCK}(?:左右|离开|走)?"
)
_ONLY_PART = re.compile(rf"{_DAY}的?(?P<part>{_PART})|(?P<alone>今晚|明早|明晚|听晚)")


class Arrival(msgspec.Struct, frozen=True):
    """When he wants to be there; resolved by `arrive_minute`.

    Either `in_minutes`, or a clock time of today (`day` 0), of a day so many days ahead, of a
    weekday (0 is Monday), or of the next time the clock shows it (both None).
    """

    in_minutes: int | None = None
    hour: int = 0
    minute: int = 0
    day: int | None = None
    weekday: int | None = None
    is_next_week: bool = False
    is_exact: bool = False  # the part of the day was said, or the clock has 24 hours


def take_arrival(text: str) -> tuple[Arrival | None, str]:
    """The arrival said in a text, and the text without it."""
    found = _IN_A_WHILE.search(text)
    if found is not None:
        return Arrival(in_minutes=_duration(found)), _cut_out(text, found)
    found = _ARRIVAL.search(text)
    if found is not None and (read := _clock(found)) is not None:
        return read, _cut_out(text, found)
    found = _ONLY_PART.search(text)
    if found is not None:
        return _part_only(found), _cut_out(text, found)
    return None, text


def take_leaving(text: str) -> tuple[Arrival | None, str]:
    """Until when he stays, where a text says so, and the text without it."""
    found = _LEAVE.search(text)
    if found is None or (read := _clock(found)) is None:
        return None, text
    return read, _cut_out(text, found)


def take_stay(text: str) -> tuple[int | None, str]:
    """The stay said in a text in minutes, and the text without it."""
    found = _STAY.search(text)
    if found is None:
        return None, text
    minutes = _duration(found)
    return (minutes, _cut_out(text, found)) if minutes else (None, text)


def arrive_minute(arrival: Arrival, now_minute: int) -> int | None:
    """The local minute meant; None when it lies in the past. Minutes count from a midnight."""
    if arrival.in_minutes is not None:
        return now_minute + arrival.in_minutes
    midnight = now_minute - now_minute % DAY_MINUTES
    clock = arrival.hour * HOUR_MINUTES + arrival.minute
    if arrival.weekday is not None:
        today = _weekday(now_minute)
        ahead = (arrival.weekday - today) % WEEK_DAYS
        if arrival.is_next_week:
            ahead = arrival.weekday - today + WEEK_DAYS
        return _not_past(midnight + ahead * DAY_MINUTES + clock, now_minute)
    if arrival.day is not None:
        return _on_a_day(arrival, midnight + arrival.day * DAY_MINUTES + clock, now_minute)
    step = DAY_MINUTES if arrival.is_exact or arrival.hour > _NOON else DAY_MINUTES // 2
    minute = midnight + clock
    while minute < now_minute:
        minute += step
    return minute


def number(word: str) -> float | None:
    """Digits, or a Chinese number below a hundred."""
    if word[0].isdigit():
        return float(word)
    tens, ten, ones = word.rpartition("十")
    if not ten:
        return _DIGITS.get(ones)
    if (tens and tens not in _DIGITS) or (ones and ones not in _DIGITS):
        return None
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)


def _on_a_day(arrival: Arrival, minute: int, now_minute: int) -> int | None:
    if arrival.is_exact:
        return _not_past(minute, now_minute)
    is_early = 0 < arrival.hour < _MORE_LIKELY_AFTERNOON
    if is_early or (minute < now_minute and arrival.hour < _NOON):
        minute += DAY_MINUTES // 2
    return _not_past(minute, now_minute)


def _not_past(minute: int, now_minute: int) -> int | None:
    return minute if minute >= now_minute else None


def _weekday(minute: int) -> int:
    """Local minutes count from 1970-01-01, a Thursday."""
    return (minute // DAY_MINUTES + 3) % WEEK_DAYS


def _duration(found: re.Match[str]) -> int:
    """Minutes of a match of _DURATION; 0 for what is no sensible stay."""
    group = found.groupdict()
    if group["allday"]:
        return DAY_MINUTES
    if group["halfday"]:
        return DAY_MINUTES // 6
    if group["night"]:
        return NIGHT_MINUTES
    if group["halfhour"]:
        return HOUR_MINUTES // 2
    if group["quarters"]:
        return 15 * _DIGITS[group["quarters"]]
    half = 0.5 if group["half"] or group["halfafter"] else 0.0
    parts = (
        (group["days"], 0.0, DAY_MINUTES),
        (group["hours"], half, HOUR_MINUTES),
        (group["minutes"], 0.0, 1),
        (group["more"], 0.0, 1),
    )
    total = 0.0
    for word, more, unit in parts:
        if word:
            total += ((number(word) or 0) + more) * unit
    return round(total) if total <= LONGEST_STAY_MINUTES else 0


def _clock(found: re.Match[str]) -> Arrival | None:
    group = found.groupdict()
    said_which = group["part"] or group["day"] or group["weekday"]
    if group["hour"] == "一" and not said_which:
        return None  # 快一点 is no time
    hour = number(group["colon"] or group["hour"])
    minute = _minute(group)
    if hour is None or minute is None or hour > 24 or minute >= HOUR_MINUTES:  # noqa: PLR2004
        return None
    hour = int(hour) % 24
    part = group["part"]
    if part and hour < _PARTS[part][0] <= _NOON:
        hour = hour + _NOON if _PARTS[part][0] == _NOON else hour
    is_exact = bool(part) or hour > _NOON or hour == 0 or bool(group["colon"] and hour < _NOON)
    day = _DAYS[group["day"]] if group["day"] else None
    return Arrival(
        hour=hour,
        minute=minute,
        day=day,
        weekday=_weekday_said(group),
        is_next_week=bool(group["next"]),
        is_exact=is_exact,
    )


def _minute(group: dict[str, str]) -> int | None:
    if group["halfpast"]:
        return 30
    if group["quarter"]:
        return 15 * _DIGITS[group["quarter"]]
    said = group["colonminute"] or group["minute"]
    if not said:
        return 0
    read = number(said)
    return None if read is None else int(read)


def _part_only(found: re.Match[str]) -> Arrival:
    group = found.groupdict()
    alone = group["alone"]
    part = alone[-1] if alone else group["part"]
    day = alone[0] if alone else group["day"]
    return Arrival(
        hour=_PARTS[part][1],
        day=_DAYS[day] if day else None,
        weekday=None if alone else _weekday_said(group),
        is_next_week=not alone and bool(group["next"]),
        is_exact=True,
    )


def _weekday_said(group: dict[str, str]) -> int | None:
    said = group["weekday"]
    if not said:
        return None
    return 6 if said in "日天" else _DIGITS[said] - 1


def _cut_out(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"
