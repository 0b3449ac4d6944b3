"""Section 3, when and where: which car park, which hours need somebody."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from occupancy.calendar import DayType, date_of
from occupancy.congestion import TARGET_TO
from occupancy.report.document import Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_share
from occupancy.report.hourly import HOURS, Hour, hours_of
from occupancy.report.picture import HeatMap
from occupancy.report.study import DayKind, Study
from occupancy.report.wording import WEEKDAYS, bold, hours_words, listed, no_figures

TIGHT = TARGET_TO  # from this occupancy on drivers search
MOST_ROWS = 10
HOLIDAY = "节假日"
_COLUMNS = tuple(f"{hour}时" for hour in HOURS)


class LotHour(NamedTuple):
    """One hour of one weekday in one car park."""

    lot: str
    day: str
    hour: int
    told: Hour


def write(study: Study) -> Section:
    return Section(
        number=3,
        title="何时何地拥堵",
        question="哪一场、哪几个小时需要管？",
        decision="定出要管的时段",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Sentences | Chart | Table | Missing, ...]:
    if not study.known:
        return (Missing(no_figures(study.grounds.reason)),)
    kinds = {one.lot.lot_id: hours_of([one.seen], study.kind_of) for one in study.known}
    worst = tightest_hours(study)
    sentences = (*_sentences(study, kinds, worst), *study.why_unknown())
    return (
        Sentences(sentences),
        _lots_chart(study, kinds),
        _week_chart(study),
        _table(worst),
    )


def tightest_hours(study: Study) -> tuple[LotHour, ...]:
    """The ten tightest lot-hours of the week: by occupancy, then by the time that was full."""
    found = []
    for one in study.known:
        told = hours_of([one.seen], weekday_of(study))
        found += [LotHour(one.name, day, hour, what) for (day, hour), what in told.items()]
    known = [one for one in found if one.told.occupancy is not None]
    known.sort(key=lambda one: (-(one.told.occupancy or 0), -(one.told.full_share or 0), one))
    return tuple(known[:MOST_ROWS])


def weekday_of(study: Study) -> Callable[[int], str]:
    """What a day is called: its weekday, or a holiday."""

    def name(day: int) -> str:
        if study.calendar.day_type(day) is DayType.PUBLIC_HOLIDAY:
            return HOLIDAY
        return WEEKDAYS[date_of(day).weekday()]

    return name


def tight_hours(told: Mapping[tuple[DayKind, int], Hour], kind: DayKind) -> list[int]:
    """Hours of days of a kind that are at least TIGHT on average."""
    return [
        hour
        for hour in HOURS
        if (kind, hour) in told and (told[kind, hour].occupancy or 0) >= TIGHT
    ]


def _sentences(
    study: Study, kinds: dict[str, dict[tuple[DayKind, int], Hour]], worst: tuple[LotHour, ...]
) -> tuple[str, ...]:
    if not worst:
        return ("各时段的数据都不足九成，不能指出最紧的时段。",)
    top = worst[0]
    first = (
        f"最紧的是{bold(top.lot)}{top.day} {top.hour}—{top.hour + 1} 时，"
        f"平均占有率 {bold(write_share(top.told.occupancy))}，"
        f"满位时间占 {write_share(top.told.full_share)}。"
    )
    tight = [
        f"{one.name}{words}" for one in study.known if (words := tight_words(kinds[one.lot.lot_id]))
    ]
    if tight:
        return first, f"平均占有率达到 {write_share(TIGHT, 0)} 的时段：{'；'.join(tight)}。"
    return first, f"按工作日和休息日平均，没有一个时段达到 {write_share(TIGHT, 0)}。"


def tight_words(told: Mapping[tuple[DayKind, int], Hour]) -> str:
    """Its tight hours, 工作日 17—20 时、休息日 16—21 时; empty where there are none."""
    hours = {kind: tight_hours(told, kind) for kind in DayKind}
    if hours[DayKind.WORKING] and hours[DayKind.WORKING] == hours[DayKind.RESTING]:
        return f"每天 {hours_words(hours[DayKind.WORKING])}"
    return listed(f"{kind.value} {hours_words(some)}" for kind, some in hours.items() if some)


def _lots_chart(study: Study, kinds: dict[str, dict[tuple[DayKind, int], Hour]]) -> Chart:
    rows, values = [], []
    for one in study.known:
        told = kinds[one.lot.lot_id]
        for kind in DayKind:
            if any(place[0] is kind for place in told):
                rows.append(f"{one.name} {kind.value}")
                values.append(tuple(_occupancy(told.get((kind, hour))) for hour in HOURS))
    heat = HeatMap(columns=_COLUMNS, rows=tuple(rows), values=tuple(values))
    return Chart(
        name="when_where",
        title="各场分时占有率",
        picture=heat,
        reading=_reading(study, kinds),
        alt=f"{len(rows)} 行乘 24 小时的平均占有率热力图，数值同表。",
    )


def _reading(study: Study, kinds: dict[str, dict[tuple[DayKind, int], Hour]]) -> str:
    how = "单元格为该类日子该小时的平均占有率（%），颜色越深越紧，斜纹为数据不足九成。"
    deep = []
    for one in study.known:
        hours = {kind: tight_hours(kinds[one.lot.lot_id], kind) for kind in DayKind}
        if all(hours.values()):
            deep.append(f"{one.name}工作日、休息日都有深色时段，是经常性紧张")
        elif any(hours.values()):
            kind = next(kind for kind, found in hours.items() if found)
            deep.append(f"{one.name}只在{kind.value}有深色时段")
    return how + ("；".join(deep) + "。" if deep else "没有深色时段。")


def _week_chart(study: Study) -> Chart:
    told = hours_of([one.seen for one in study.known], weekday_of(study))
    days = [day for day in (*WEEKDAYS, HOLIDAY) if any(place[0] == day for place in told)]
    heat = HeatMap(
        columns=_COLUMNS,
        rows=tuple(days),
        values=tuple(tuple(_occupancy(told.get((day, hour))) for hour in HOURS) for day in days),
    )
    who = listed(one.name for one in study.known)
    return Chart(
        name="when_week",
        title="全区一周分时占有率",
        picture=heat,
        reading=f"{who}合计的平均占有率（%）；法定节假日单列一行，调休上班日归入所在星期。",
        alt=f"{len(days)} 行乘 24 小时的全区平均占有率热力图。",
    )


def _occupancy(hour: Hour | None) -> float | None:
    return None if hour is None else hour.occupancy


def _table(worst: tuple[LotHour, ...]) -> Table:
    return Table(
        name="tightest_hours",
        title="最紧的十个车场时段",
        columns=(
            Column("车场"),
            Column("星期"),
            Column("时段"),
            Column("平均占有率", Kind.SHARE, decimals=1),
            Column("满位时间占比", Kind.SHARE, decimals=1),
            Column("数据完整率", Kind.SHARE, decimals=1),
        ),
        rows=tuple(
            (
                one.lot,
                one.day,
                f"{one.hour}—{one.hour + 1} 时",
                one.told.occupancy,
                one.told.full_share,
                one.told.completeness,
            )
            for one in worst
        ),
        note="先按平均占有率、再按满位时间排列。",
    )
