"""Reads a Chinese price board back into a tariff: the proof that the words say everything.

It lives in the tests because nobody enters tariffs as words: the product's truth is the data,
and this only shows that no rule that decides a price is missing from what the driver reads.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from occupancy.calendar import DayType, day_of
from occupancy.price_board import BoardRow
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    Crossing,
    DayPlan,
    Edge,
    Exemption,
    FreeAgain,
    FreeMode,
    FreePeriod,
    NewEnergy,
    Period,
    Rate,
    Repeat,
    RepeatMode,
    Restart,
    Rounding,
    Seconds,
    Tariff,
    Tier,
    VehicleClass,
    Waiver,
)

WHO = {
    "摩托车": VehicleClass.MOTORCYCLE,
    "小车": VehicleClass.CAR,
    "大车": VehicleClass.LARGE,
}
WHEN = {
    "工作日": DayType.WORKDAY,
    "周末": DayType.WEEKEND,
    "法定节假日": DayType.PUBLIC_HOLIDAY,
    "调休上班日": DayType.MAKEUP_WORKDAY,
}


def fen(words: str) -> int:
    return int(Decimal(words.removesuffix("元")) * 100)


def minutes(words: str) -> int:
    found = re.fullmatch(r"(\d*)(分钟|小时|天)", words)
    assert found, words
    return int(found[1] or 1) * {"分钟": 1, "小时": 60, "天": 1440}[found[2]]


def clock(words: str) -> int:
    hours, minute = words.removeprefix("次日").split(":")
    return int(hours) * 60 + int(minute)


def local(day: str, at: str) -> int:
    return day_of(date.fromisoformat(day)) * 1440 + clock(at)


def read_tier(words: str) -> Tier:
    if found := re.fullmatch(r"(?:首|之后)(.+)内每(.*?(?:分钟|小时|天))(.+元)", words):
        unit = minutes(found[2])
        return Tier(unit, fen(found[3]), minutes(found[1]) // unit)
    if found := re.fullmatch(r"(?:之后)?每(.*?(?:分钟|小时|天))(.+元)", words):
        return Tier(minutes(found[1]), fen(found[2]))
    found = re.fullmatch(r"(?:首|之后)(.+?(?:分钟|小时|天))(.+元)", words)
    assert found, words
    return Tier(minutes(found[1]), fen(found[2]), 1)


def read_band(name: str, words: str) -> Band:
    if words == "免费":
        return Band(name)
    parts, cap = words.split("，"), None
    if parts[-1].startswith("连续停放最高"):
        cap = fen(parts.pop().removeprefix("连续停放最高"))
    return Band(name, tuple(read_tier(part) for part in parts), cap)


def read_plan(words: str) -> DayPlan:
    found = re.fullmatch(r"时段（(.+?)）：(.+)", words)
    assert found, words
    days = tuple(DayType) if found[1] == "每日" else tuple(WHEN[w] for w in found[1].split("、"))
    periods = []
    for part in found[2].split("，"):
        span, band = part.split(" ")
        start, end = ("00:00", "24:00") if span == "全天" else span.split("—")
        periods.append(Period(clock(start), clock(end), band))
    return DayPlan(days, tuple(periods))


def read_cap(words: str) -> Cap:
    if found := re.fullmatch(r"封顶：每(个自然日|24小时)最高(.+)", words):
        amounts: tuple[int, ...] = (fen(found[2]),)
    else:
        found = re.fullmatch(r"封顶（按(自然日|24小时)）：(.+)", words)
        assert found, words
        amounts = tuple(fen(part.split("最高")[1]) for part in found[2].split("，"))
    return Cap(
        CapWindow.ROLLING_24H if found[1] == "24小时" else CapWindow.CALENDAR_DAY,
        amounts,
    )


def read_free(words: str) -> FreePeriod:
    if words == "无":
        return FreePeriod(0)
    if found := re.fullmatch(r"(.+)以内（(含|不含)\1）免费，.*全程计费", words):
        return FreePeriod(minutes(found[1]), FreeMode.THRESHOLD, found[2] == "含")
    found = re.fullmatch(r"每(次|日)前(.+)免费，超过部分计费", words)
    assert found, words
    again = FreeAgain.DAY if found[1] == "日" else FreeAgain.STAY
    return FreePeriod(minutes(found[2]), again=again)


def read_rates(prices: Iterable[str], free: Iterable[str]) -> tuple[Rate, ...]:
    by_vehicles: dict[str, list[str]] = {}
    for line in prices:
        who, _, words = line.partition("：")
        by_vehicles.setdefault(who, []).append(words)
    free_of = dict(line.split("：", 1) for line in free)
    return tuple(
        Rate(
            tuple(WHO[one] for one in who.split("、")),
            tuple(
                read_band(*line.split("：", 1))
                for line in lines
                if not line.startswith(("时段", "封顶"))
            ),
            tuple(read_plan(line) for line in lines if line.startswith("时段")),
            read_free(free_of[who]),
            next((read_cap(line) for line in lines if line.startswith("封顶")), None),
        )
        for who, lines in by_vehicles.items()
    )


def percent_of(words: str) -> int:
    if found := re.search(r"按(\d+)%收费", words):
        return int(found[1])
    return 0 if re.search(r"(?:^|，|）)免费", words) else 100


def read_new_energy(words: str) -> NewEnergy:
    found = re.search(r"每(日|次)免首([^，]+)", words)
    return NewEnergy(
        minutes(found[2]) if found else 0,
        FreeAgain.STAY if found and found[1] == "次" else FreeAgain.DAY,
        percent_of(words.removeprefix("新能源汽车")),
        "同样适用" in words,
    )


def read_waiver(words: str) -> Waiver | None:
    found = re.fullmatch(r"(.+)：([\d-]{10})至([\d-]{10})每日(.{5})—(.{5})免费", words)
    if not found:
        return None
    first, last = (day_of(date.fromisoformat(found[group])) for group in (2, 3))
    return Waiver(found[1], "", first, last, clock(found[4]), clock(found[5]))


def read_exemption(words: str) -> Exemption | None:
    found = re.fullmatch(r"(.+)（(.+)）(免费|按\d+%收费)", words)
    return Exemption(found[2], found[1], "", percent_of(found[3])) if found else None


def read_repeat(lines: Iterable[str]) -> Repeat | None:
    for line in lines:
        if line.startswith("首次进场起24小时内多次进出"):
            mode = RepeatMode.ONCE if "只收一次费" in line else RepeatMode.SHARED_CAP
            return Repeat(mode, "每次进场都有免费时长" in line)
    return None


def read_board(rows: Iterable[BoardRow]) -> Tariff:
    board = {row.label: row.lines for row in rows}
    assert list(board) == ["服务内容", "收费标准", "计费方法", "免费停车时限", "投诉电话"]
    lines = board["计费方法"]
    method = "\n".join(lines)

    def the(pattern: str) -> re.Match[str]:
        found = re.search(pattern, method)
        assert found, pattern
        return found

    start = the(r"(\S{10}) (\S{5})起执行")
    end = re.search(r"至(\S{10}) (\S{5})止", method)
    grace = re.search(r"不足一个计费单位的，超过(.+?)按一个单位计", method)
    new_energy = [line for line in lines if line.startswith("新能源汽车")]
    return Tariff(
        tariff_id="",
        name="",
        service=board["服务内容"][0],
        complaints=board["投诉电话"][0],
        valid_from=local(start[1], start[2]),
        valid_to=local(end[1], end[2]) if end else None,
        rates=read_rates(board["收费标准"], board["免费停车时限"]),
        edge={"分段计费": Edge.SPLIT, "按其开始时": Edge.UNIT, "按进场时": Edge.ENTRY}[
            the("跨时段的.*(分段计费|按其开始时|按进场时)")[1]
        ],
        rounding=Rounding.DOWN if "不足一个计费单位的不计费" in method else Rounding.UP,
        grace_minutes=minutes(grace[1]) if grace else 0,
        restart={
            "每次进入时段重新": Restart.RUN,
            "只计一次": Restart.STAY,
            "每个封顶周期重新": Restart.WINDOW,
        }[the("(每次进入时段重新|只计一次|每个封顶周期重新)")[1]],
        repeat=read_repeat(lines),
        mechanical="本停车场为机械式停车库" in lines,
        new_energy=read_new_energy(new_energy[0]) if new_energy else None,
        exemptions=tuple(who for line in lines if (who := read_exemption(line))),
        waivers=tuple(one for line in lines if (one := read_waiver(line))),
        max_stay_minutes=minutes(the("单次停放最长(.+)")[1]),
        seconds=Seconds.BEGUN if "不满1分钟的按1分钟计时" in lines else Seconds.FULL,
        crossing=Crossing.SPLIT if "分段按各自标准" in method else Crossing.BY_ENTRY,
    )
