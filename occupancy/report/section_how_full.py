"""Section 4, how long full and how much is missing: room next door, or spaces that do not exist."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from occupancy.congestion import TARGET_TO
from occupancy.indicator import Indicator
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_share
from occupancy.report.picture import Arrow, DurationCurves, Line, LotMap, Place
from occupancy.report.prices import are_places_sure
from occupancy.report.rules import FULL, FULL_DAYS, FULL_HOURS
from occupancy.report.study import LotStudy, Study
from occupancy.report.wording import bold, listed, no_figures, tenths, whole
from occupancy.rollup import local_day
from occupancy.space_gap import MOST_WALK_METRES, Gap

HIGH = TARGET_TO
CURVE_POINTS = 101
LEAST_A_DAY = 1.0  # fewer refused a day are not worth a sentence
METRES_A_DEGREE = 111_195.0
DAYS_A_WEEK = 7


class Structural(NamedTuple):
    """On how many days a week a car park was at least 90 % full for three hours."""

    days_a_week: float
    is_structural: bool


def write(study: Study) -> Section:
    return Section(
        number=4,
        title="满多久、缺多少",
        question="是没有位，还是位不在有车的地方？",
        decision="定在哪里加泊位",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    if not study.known:
        return (Missing(no_figures(study.grounds.reason)),)
    return (
        Sentences((*_sentences(study), *study.why_unknown())),
        _curves(study),
        _map(study),
        _table(study),
    )


def share_above(lot: LotStudy, least: float) -> float | None:
    shares = lot.shares
    return sum(one >= least for one in shares) / len(shares) if shares else None


def structural(lot: LotStudy) -> Structural:
    """Structurally full: at least 90 % for 3 h of a day, on 2 days a week. Source: planning."""
    hours: dict[int, float] = defaultdict(float)
    days = set()
    for one in lot.slots:
        day = local_day(one.start_ms)
        days.add(day)
        if one.share is not None and one.share >= FULL:
            hours[day] += lot.seen.minutes / 60
    full_days = sum(one >= FULL_HOURS for one in hours.values())
    a_week = full_days / len(days) * DAYS_A_WEEK if days else 0.0
    return Structural(a_week, a_week >= FULL_DAYS)


def _sentences(study: Study) -> tuple[str, ...]:
    full = [one for one in study.known if structural(one).is_structural]
    rule = f"{write_share(FULL, 0)} 以上每天满 {FULL_HOURS} 小时、每周至少 {FULL_DAYS} 天"
    if full:
        each = "；".join(
            f"{bold(one.name)}每周 {tenths(structural(one).days_a_week)} 天" for one in full
        )
        said = [f"结构性满位（{rule}）：{each}。"]
    else:
        said = [f"没有车场结构性满位（{rule}）。"]
    short = [one for one in study.known if (one.refused_a_day or 0) >= LEAST_A_DAY]
    short.sort(key=lambda one: -(one.refused_a_day or 0))
    said += [gap_words(study, one) for one in short]
    if not short:
        said.append(f"没有车场日均拒停达到 {whole(LEAST_A_DAY)} 辆，不缺位。")
    if short and not any(study.neighbours.values()) and len(study.known) > 1:
        said.append(f"步行 {MOST_WALK_METRES} 米内没有相邻车场，缺口都算作净缺口。")
    if not are_places_sure(study):
        said.append("入口坐标待核实，能否步行转移随之待核实。")
    return tuple(said)


def gap_words(study: Study, lot: LotStudy) -> str:
    """What is missing at one car park, and whose it is."""
    gap = study.gaps[lot.lot.lot_id]
    moved, net = gap.transferable.value or 0.0, gap.net.value or 0.0
    refused = f"{lot.name}估计拒停 {whole(lot.refusals.indicator.value or 0)} 辆"
    short = (
        f"附近没有位可去的 {bold(whole(net))} 辆，日均 {tenths(net / lot.open_days)} 辆，"
        f"折合净缺 {bold(whole(gap.net_spaces.value or 0))} 位"
    )
    if not moved:
        return f"{refused}，{short}。"
    to = listed(
        f"{study.name_of(lot_id)} {whole(cars)} 辆"
        for lot_id, cars in sorted(gap.moved.items(), key=lambda one: -one[1])
    )
    return f"{refused}：步行可转移的 {bold(whole(moved))} 辆（{to}）；{short}。"


def _curves(study: Study) -> Chart:
    lines, notes = [], []
    for one in study.known:
        shares = one.shares
        if not shares:
            continue
        at = np.linspace(0, len(shares) - 1, min(CURVE_POINTS, len(shares)))
        x = tuple(float(place) / max(1, len(shares) - 1) for place in at)
        y = tuple(shares[round(float(place))] for place in at)
        above = write_share(share_above(one, HIGH))
        lines.append(Line(one.name, x, y, note=f"≥{write_share(HIGH, 0)} 占 {above}"))
        notes.append((share_above(one, HIGH) or 0.0, one.name, above))
    top = max(notes, default=(0.0, "", ""))
    most = (
        f"{top[1]}最宽，{top[2]} 的时间在红区。"
        if top[0]
        else f"没有车场超过 {write_share(HIGH, 0)}。"
    )
    return Chart(
        name="load_duration",
        title="占有率持续曲线",
        picture=DurationCurves(tuple(lines), target_high=HIGH),
        reading=(
            f"把全部时段从最满排到最空；曲线在红区（{write_share(HIGH, 0)} 以上）"
            f"内的宽度就是超标时间。{most}"
        ),
        alt="各场占有率持续曲线，一条线一个车场。",
        is_wide=False,
    )


def _map(study: Study) -> Chart:
    lots = study.known
    lat = sum(one.lot.entrance.latitude for one in lots) / len(lots)
    lng = sum(one.lot.entrance.longitude for one in lots) / len(lots)
    east_metres = METRES_A_DEGREE * float(np.cos(np.radians(lat)))
    most = max(one.lot.capacity for one in lots)
    places = tuple(
        Place(
            one.name,
            east=(one.lot.entrance.longitude - lng) * east_metres,
            north=(one.lot.entrance.latitude - lat) * METRES_A_DEGREE,
            value=share_above(one, HIGH),
            words=_place_words(study.gaps[one.lot.lot_id].net_spaces),
            radius=(one.lot.capacity / most) ** 0.5,
        )
        for one in lots
    )
    numbers = {one.lot.lot_id: place for place, one in enumerate(lots)}
    arrows = tuple(
        Arrow(numbers[lot_id], numbers[near], f"{whole(cars)} 辆", cars)
        for lot_id, gap in study.gaps.items()
        for near, cars in gap.moved.items()
    )
    moved = "箭头是附近有位、可以转移的车。" if arrows else "没有可以步行转移的去处。"
    return Chart(
        name="gap_map",
        title="缺口在哪里（示意图，非地图）",
        picture=LotMap(
            places,
            arrows,
            limits=(0.01, 0.05, 0.1, 0.2, 0.4),
            legend=f"占有率 ≥{write_share(HIGH, 0)} 的时间占比",
        ),
        reading=f"颜色越深，超标的时间越长；数字是折合净缺的车位。{moved}",
        alt="各场相对位置示意图，标出净缺车位和可转移的方向。",
        is_wide=False,
    )


def _place_words(net_spaces: Indicator) -> str:
    return f"缺 {whole(net_spaces.value)} 位" if net_spaces.value else "不缺位"


def _table(study: Study) -> Table:
    return Table(
        name="gaps",
        title="满位与缺口",
        columns=(
            Column("车场"),
            Column("占有率 ≥85%", Kind.SHARE, decimals=1),
            Column("结构性满位", Kind.NUMBER, "天/周", 1),
            Column("拒停", Kind.NUMBER, "辆"),
            Column("可转移", Kind.NUMBER, "辆"),
            Column("日均可转移", Kind.NUMBER, "辆", 1),
            Column("净缺口", Kind.NUMBER, "辆"),
            Column("日均净缺口", Kind.NUMBER, "辆", 1),
            Column("折合净缺", Kind.NUMBER, "位"),
            Column("下限", Kind.NUMBER, "位"),
            Column("上限", Kind.NUMBER, "位"),
        ),
        rows=tuple(_row(one, study.gaps[one.lot.lot_id]) for one in study.known),
        note=(
            f"可转移：步行 {MOST_WALK_METRES} 米内、扣除预留后仍有空位。"
            "折合净缺取各日最大值的第 95 百分位，上下限随拒停估计的 95% 区间。"
        ),
    )


def _row(lot: LotStudy, gap: Gap) -> tuple[str | float | None, ...]:
    moved, net, days = gap.transferable.value, gap.net.value, lot.open_days
    return (
        *(lot.name, share_above(lot, HIGH), structural(lot).days_a_week),
        *(lot.refusals.indicator.value, moved),
        None if moved is None or not days else moved / days,
        net,
        None if net is None or not days else net / days,
        *(gap.net_spaces.value, gap.net_spaces.low, gap.net_spaces.high),
    )
