"""Section 11, what comes next: expected peaks with their range, holidays, and hours without fee."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from occupancy.calendar import DayType, date_of, day_of
from occupancy.congestion import TARGET_TO
from occupancy.price_words import DAY_TYPES, Language
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.expected import Likely, daily_peaks, day_kind, expect, try_out
from occupancy.report.figures import write_share
from occupancy.report.period import Period, PeriodKind, month_of
from occupancy.report.picture import EffectSeries, Line
from occupancy.report.prices import tariff_of
from occupancy.report.study import Study
from occupancy.report.wording import bold, date_words, day_words, listed, next_period, no_figures
from occupancy.tariff import Waiver

KINDS = (DayType.WORKDAY, DayType.WEEKEND, DayType.PUBLIC_HOLIDAY)
MOST_DAYS = 31


def write(study: Study) -> Section:
    return Section(
        number=11,
        title=f"{next_period(study.period)}预测与活动",
        question="接下来哪些天会挤？",
        decision="定活动与节假日的预案",
        blocks=_blocks(study),
    )


def next_days(period: Period) -> range:
    """The month or week behind, or as many days as the period has, a month at most; by number."""
    first = period.last + dt.timedelta(days=1)
    days = month_of(first).days if period.kind is PeriodKind.MONTH else min(period.days, MOST_DAYS)
    return range(day_of(first), day_of(first) + days)


def _blocks(study: Study) -> tuple[Block, ...]:
    days = next_days(study.period)
    calendar = Sentences(_calendar_words(study, days))
    if not study.known:
        return (Missing(no_figures(study.grounds.reason)), calendar)
    peaks = {one.lot.lot_id: daily_peaks(one.before, one.seen) for one in study.known}
    told = {lot_id: expect(found, study.calendar, KINDS) for lot_id, found in peaks.items()}
    if not any(told.values()):
        few = Missing("同类日子不足 3 天，不能预测；至少要有三个完整的工作日和三个完整的周末。")
        return (few, calendar)
    return (
        Sentences((*_sentences(study, told, days), *_trials(study, peaks))),
        _chart(study, days, told),
        _table(study, told),
        calendar,
    )


def _sentences(
    study: Study, told: Mapping[str, Mapping[DayType, Likely]], days: Sequence[int]
) -> tuple[str, ...]:
    said, coming = [], {day_kind(study.calendar, day) for day in days}
    for one in study.known:
        parts = [
            f"{DAY_TYPES[kind][Language.CHINESE]} {write_share(likely.middle)}"
            f"（{write_share(likely.low)}—{write_share(likely.high)}）"
            for kind, likely in told[one.lot.lot_id].items()
            if kind in coming and likely.middle >= TARGET_TO
        ]
        if parts:
            said.append(f"{bold(one.name)}预计日高峰：{listed(parts)}。")
    if not said:
        said = [f"没有车场的预计日高峰超过 {write_share(TARGET_TO, 0)}。"]
    said.append("预测取同类日子日高峰小时的中位数，括号内为十天里八天会落在的范围。")
    return tuple(said)


def _trials(study: Study, peaks: Mapping[str, Mapping[int, float]]) -> list[str]:
    """How good the same method was on the period's own days."""
    trials = [
        (trial, one.name)
        for one in study.known
        if (trial := try_out(peaks[one.lot.lot_id], study.calendar)) is not None
    ]
    if not trials:
        return []
    worst = max(trials)
    return [f"逐日留一检验：日高峰平均误差最大的是{worst[1]}，{write_share(worst[0].mean_error)}。"]


def _calendar_words(study: Study, days: Sequence[int]) -> tuple[str, ...]:
    kinds = Counter(study.calendar.day_type(day) for day in days)
    counted = listed(
        f"{DAY_TYPES[kind][Language.CHINESE]} {kinds[kind]} 天" for kind in DayType if kinds[kind]
    )
    word = next_period(study.period)
    said = [f"{word}（{day_words(days[0])}至 {day_words(days[-1])}）有{counted}。"]
    waivers = waivers_between(study, days)
    for waiver, names in waivers.items():
        first = date_words(date_of(waiver.first_day))
        last = date_words(date_of(waiver.last_day))
        hours = f"{waiver.start_minute // 60}—{waiver.end_minute // 60} 时"
        said.append(f"{waiver.name}：{first}至 {last} {hours}免费，适用于{listed(names)}。")
    if not waivers:
        said.append(f"{word}没有已发布的免费时段。")
    if any(not study.calendar.is_published(day) for day in days):
        said.append("部分日期的放假安排还没有公布，按星期推定，公布后会变。")
    said.append("大型活动没有数据来源：请按活动名单在预测之上另加。")
    return tuple(said)


def waivers_between(study: Study, days: Sequence[int]) -> dict[Waiver, list[str]]:
    """Free hours that fall into the days, and at which car parks; the earliest first."""
    found: dict[Waiver, list[str]] = {}
    for one in study.lots:
        tariff = tariff_of(study, one)
        for waiver in () if tariff is None else tariff.waivers:
            if waiver.first_day <= days[-1] and days[0] <= waiver.last_day:
                found.setdefault(waiver, []).append(one.name)
    return dict(sorted(found.items(), key=lambda pair: pair[0].first_day))


def _chart(
    study: Study, days: Sequence[int], told_by_lot: Mapping[str, Mapping[DayType, Likely]]
) -> Chart:
    seen = (*(one.before for one in study.known), *(one.seen for one in study.known))
    district = expect(daily_peaks(*seen), study.calendar, KINDS)
    tight = max(study.known, key=lambda one: _tightness(told_by_lot[one.lot.lot_id]))
    told = told_by_lot[tight.lot.lot_id]
    lines = (_line("全区", district, study, days), _line(tight.name, told, study, days))
    cuts = tuple(
        (float(place), DAY_TYPES[DayType.PUBLIC_HOLIDAY][Language.CHINESE])
        for place, day in enumerate(days)
        if study.calendar.day_type(day) is DayType.PUBLIC_HOLIDAY
        and (place == 0 or study.calendar.day_type(day - 1) is not DayType.PUBLIC_HOLIDAY)
    )
    ticks = tuple(
        (float(place), f"{date_of(day).month}-{date_of(day).day}")
        for place, day in enumerate(days)
        if place % 5 == 0
    )
    return Chart(
        name="expected_peaks",
        title=f"{next_period(study.period)}逐日预计高峰占有率",
        picture=EffectSeries(lines, (), ticks, cuts, unit="%", scale=100),
        reading=(
            f"线是当天最满一小时的预计占有率，色带是十天里八天的范围；"
            f"{tight.name}是最紧的车场。{'竖线是法定节假日的开始。' if cuts else ''}"
        ),
        alt="逐日预计高峰占有率两条线：全区和最紧的车场。",
    )


def _tightness(told: Mapping[DayType, Likely]) -> float:
    return max((one.middle for one in told.values()), default=0.0)


def _line(name: str, told: Mapping[DayType, Likely], study: Study, days: Sequence[int]) -> Line:
    found = [told.get(day_kind(study.calendar, day)) for day in days]
    return Line(
        name,
        tuple(float(place) for place in range(len(days))),
        tuple(None if one is None else one.middle for one in found),
        tuple(None if one is None else one.low for one in found),
        tuple(None if one is None else one.high for one in found),
    )


def _table(study: Study, told: Mapping[str, Mapping[DayType, Likely]]) -> Table:
    return Table(
        name="expected_peaks",
        title="预计日高峰占有率",
        columns=(
            Column("车场"),
            Column("日子"),
            Column("中位", Kind.SHARE, decimals=1),
            Column("低", Kind.SHARE, decimals=1),
            Column("高", Kind.SHARE, decimals=1),
            Column("依据", Kind.NUMBER, "天"),
        ),
        rows=tuple(
            (
                *(one.name, DAY_TYPES[kind][Language.CHINESE]),
                *(likely.middle, likely.low, likely.high, likely.days),
            )
            for one in study.known
            for kind, likely in told[one.lot.lot_id].items()
        ),
        note="依据为上期和本期数据完整的同类日子；法定节假日不足 3 天时与周末合并。",
    )
