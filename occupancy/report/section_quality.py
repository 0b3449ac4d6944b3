"""Section 12, data and method: may the figures be used, and how they were made."""

from collections import Counter, defaultdict
from typing import NamedTuple

from occupancy.alarm import Alarm
from occupancy.alarm_words import ALARM_WORDS
from occupancy.calendar import date_of
from occupancy.indicator import LEAST_COMPLETENESS, METHOD_VERSION
from occupancy.observed import Facts, Span
from occupancy.report import rules
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_share
from occupancy.report.picture import CompletenessCalendar, Values
from occupancy.report.study import LotStudy, Study
from occupancy.report.wording import bold, date_words, listed, whole
from occupancy.restriction import Extent
from occupancy.rollup import DAY_MS, MINUTE_MS, day_start_ms, local_day

REPORTED = {
    "full": "说满了",
    "wrong_number": "余位不对",
    "wrong_price": "价格不对",
    "navigation": "导航不对",
    "other": "其他",
}
MOST_CALENDAR_DAYS = 62
CALIBRATED, CLOSED = "校", "停"


class Down(NamedTuple):
    """How often and how long something was wrong with a car park."""

    times: int
    minutes: float


def write(study: Study) -> Section:
    return Section(
        number=12,
        title="数据质量与方法",
        question="这些数字能不能用？",
        decision="数据先修还是先用",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    blocks: list[Block] = [Sentences(_sentences(study))]
    if study.lots:
        blocks += [_calendar(study), _table(study)]
    if study.facts.alarms:
        blocks.append(_alarms(study))
    if study.facts.citizen_counts:
        blocks.append(_citizens(study))
    else:
        blocks.append(Missing("这段时间没有市民反馈。"))
    return (*blocks, rules.as_table())


def _sentences(study: Study) -> tuple[str, ...]:
    if not study.lots:
        return ("报告里没有车场。",)
    said = []
    if study.grounds.completeness:
        said.append(f"全部车场的数据完整率 {bold(write_share(study.grounds.completeness))}。")
    poor = [one for one in study.lots if one.is_connected and not one.is_known]
    if poor:
        said.append(
            f"{listed(one.name for one in poor)}不足 {write_share(LEAST_COMPLETENESS, 0)}，"
            "各节不给出其数值。"
        )
    said += [words for one in study.lots if (words := _gap_words(study, one))]
    said += [f"{one.name}：{one.seen.note}。" for one in study.lots if one.seen.note]
    absent = [one.name for one in study.lots if not one.is_connected]
    if absent:
        said.append(f"{listed(absent)}还没有接入数据，未计入。")
    if study.facts.is_partial:
        said.append("统计期还没有结束，本报告只算到生成时为止。")
    said += _drift_words(study)
    said.append(
        f"方法版本 {METHOD_VERSION}；历史窗口只含网关上报的数据，"
        "人工停用、预留不改写历史，停用的时段整段剔除。"
    )
    return tuple(said)


def _gap_words(study: Study, lot: LotStudy) -> str:
    """On which day most was missing, and how much."""
    missing = {
        day: (1 - share) * hours
        for day, (share, hours) in daily_completeness(study, lot).items()
        if share < LEAST_COMPLETENESS
    }
    if not missing:
        return ""
    day = max(missing, key=lambda one: missing[one])
    return (
        f"{lot.name}有 {len(missing)} 天不足 {write_share(LEAST_COMPLETENESS, 0)}，"
        f"最多的是 {date_words(date_of(day))}，缺 {missing[day]:.1f} 小时。"
    )


def _drift_words(study: Study) -> list[str]:
    counted = Counter(one.lot_id for one in study.facts.corrections)
    if not counted:
        return ["没有人工校准记录。"]
    each = listed(f"{study.name_of(lot_id)} {times} 次" for lot_id, times in counted.most_common())
    return [f"人工校准 {bold(str(sum(counted.values())))} 次：{each}。"]


def daily_completeness(study: Study, lot: LotStudy) -> dict[int, tuple[float, float]]:
    """Of each day on which it was open: the share that was told, and how many hours were open."""
    told: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for one in lot.seen.windows:
        found = told[local_day(one.start_ms)]
        found[0] += one.told_ms
        found[1] += one.length_ms
    return {
        day: (told_ms / open_ms, open_ms / (60 * MINUTE_MS))
        for day, (told_ms, open_ms) in told.items()
        if day in study.days
    }


def _calendar(study: Study) -> Chart:
    days = list(study.days)
    step = -(-len(days) // MOST_CALENDAR_DAYS)
    groups = [days[place : place + step] for place in range(0, len(days), step)]
    values, marks = [], []
    for one in study.lots:
        told = daily_completeness(study, one)
        values.append(_row(told, groups))
        marks.append(tuple(_mark(study, one.facts, group) for group in groups))
    names = tuple(_day_name(study, group[0]) for group in groups)
    each = "每格一天" if step == 1 else f"每格 {step} 天"
    return Chart(
        name="completeness",
        title="数据完整率日历",
        picture=CompletenessCalendar(
            days=names,
            rows=tuple(one.name for one in study.lots),
            values=tuple(values),
            least=LEAST_COMPLETENESS,
            marks=tuple(marks),
        ),
        reading=(
            f"{each}；低于 {write_share(LEAST_COMPLETENESS, 0)} 的不给数值。"
            f"“{CALIBRATED}”为当天有人工校准，“{CLOSED}”为整场停用。"
        ),
        alt="各场逐日数据完整率的方格图。",
    )


def _day_name(study: Study, day: int) -> str:
    date = date_of(day)
    is_one_month = date_of(study.days[0]).month == date_of(study.days[-1]).month
    return str(date.day) if is_one_month else f"{date:%m-%d}"


def _row(told: dict[int, tuple[float, float]], groups: list[list[int]]) -> Values:
    found = []
    for group in groups:
        known = [told[day] for day in group if day in told]
        hours = sum(one[1] for one in known)
        found.append(sum(share * h for share, h in known) / hours if hours else None)
    return tuple(found)


def _mark(study: Study, facts: Facts, group: list[int]) -> str:
    span = Span(day_start_ms(group[0]), day_start_ms(group[-1]) + DAY_MS)
    if any(one.from_ms < span.until_ms and span.from_ms < one.until_ms for one in facts.closed):
        return CLOSED
    is_counted = any(
        one.lot_id == facts.lot_id and span.from_ms <= one.at_ms < span.until_ms
        for one in study.facts.corrections
    )
    return CALIBRATED if is_counted else ""


def _table(study: Study) -> Table:
    return Table(
        name="quality",
        title="完整、校准与漂移",
        columns=(
            Column("车场"),
            Column("数据完整率", Kind.SHARE, decimals=1),
            Column("自相矛盾", Kind.NUMBER, "分钟"),
            Column("校准", Kind.NUMBER, "次"),
            Column("核对", Kind.NUMBER, "次"),
            Column("最大漂移", Kind.NUMBER, "辆"),
            Column("每日漂移", Kind.NUMBER, "辆", 1),
            Column("整场停用", Kind.NUMBER, "小时", 1),
            Column("说明"),
        ),
        rows=tuple(_quality_row(study, one) for one in study.lots),
        note="漂移为计数减机械库内车辆；每日漂移取相邻两次核对之差的平均绝对值。",
    )


def _quality_row(study: Study, lot: LotStudy) -> tuple[str | float | None, ...]:
    lot_id = lot.lot.lot_id
    checks = [one for one in study.facts.checks if one.lot_id == lot_id]
    drifts = [abs(one.drift_cars) for one in checks if one.drift_cars is not None]
    return (
        *(lot.name, lot.grounds.completeness, lot.seen.total("suspect_ms") / MINUTE_MS),
        sum(one.lot_id == lot_id for one in study.facts.corrections),
        len(checks),
        max(drifts, default=None),
        daily_drift(study, lot),
        closed_hours(study, lot_id),
        lot.grounds.reason or lot.grounds.note or None,
    )


def daily_drift(study: Study, lot: LotStudy) -> float | None:
    """How many cars a day counters and machines part, on average; None without two checks."""
    news = [
        abs(one.drift_since_last_cars)
        for one in study.facts.checks
        if one.lot_id == lot.lot.lot_id and one.drift_since_last_cars is not None
    ]
    return sum(news) / len(news) if news else None


def closed_hours(study: Study, lot_id: str) -> float:
    """In this period, of the car park as a whole."""
    end_ms = study.facts.end_ms
    spans = [
        (max(one.from_ms, study.period.start_ms), min(one.until_ms or end_ms, end_ms))
        for one in study.facts.restrictions
        if one.lot_id == lot_id and one.extent is Extent.LOT
    ]
    return sum(max(0, until_ms - from_ms) for from_ms, until_ms in spans) / (60 * MINUTE_MS)


def _alarms(study: Study) -> Table:
    found: dict[tuple[str, str], Down] = {}
    for alarm in study.facts.alarms:
        key = (study.name_of(alarm.key.lot_id), ALARM_WORDS[alarm.key.kind])
        known = found.get(key, Down(0, 0.0))
        found[key] = Down(known.times + 1, known.minutes + _minutes(study, alarm))
    note = "按累计时长排列。"
    if study.facts.alarms_left_out:
        note += "告警过多，只统计了最近的 5,000 条。"
    return Table(
        name="alarms",
        title="告警次数与时长",
        columns=(
            Column("车场"),
            Column("告警"),
            Column("次数", Kind.NUMBER, "次"),
            Column("累计时长", Kind.NUMBER, "分钟"),
        ),
        rows=tuple(
            (*key, down.times, down.minutes)
            for key, down in sorted(found.items(), key=lambda pair: -pair[1].minutes)
        ),
        note=note,
    )


def _minutes(study: Study, alarm: Alarm) -> float:
    """Inside the period."""
    until_ms = study.facts.end_ms if alarm.cleared_at_ms is None else alarm.cleared_at_ms
    from_ms = max(alarm.raised_at_ms, study.period.start_ms)
    return max(0, min(until_ms, study.facts.end_ms) - from_ms) / MINUTE_MS


def _citizens(study: Study) -> Table:
    return Table(
        name="citizen_reports",
        title="市民反馈",
        columns=(Column("车场"), Column("内容"), Column("次数", Kind.NUMBER, "次")),
        rows=tuple(
            (study.name_of(one.lot_id), REPORTED.get(one.kind, one.kind), one.count)
            for one in study.facts.citizen_counts
        ),
        note=f"共 {whole(sum(one.count for one in study.facts.citizen_counts))} 次。",
    )
