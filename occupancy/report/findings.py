"""Conclusions by stated rules: each a condition, its evidence, and the effect to expect."""

from collections.abc import Iterator
from typing import NamedTuple

from occupancy.indicator import Indicator
from occupancy.report import rules
from occupancy.report.document import Confidence, Finding
from occupancy.report.figures import write_fen, write_share
from occupancy.report.hourly import hours_of
from occupancy.report.prices import STAYS_MINUTES, are_places_sure, fees_of
from occupancy.report.section_how_full import structural
from occupancy.report.section_quality import daily_drift
from occupancy.report.section_signs import is_bad, name_of, truth_of, worst_first
from occupancy.report.section_when_where import tight_words
from occupancy.report.study import LotStudy, Study
from occupancy.report.wording import listed, tenths, whole
from occupancy.rollup import MINUTE_MS
from occupancy.space_gap import Gap

TWO_HOURS = STAYS_MINUTES.index(120)
COST = rules.UNSURE
CITY, PRICES, PLANNING = "城管", "发改、城管", "规划、城管"


class Ranked(NamedTuple):
    """A finding and the cars a day it is worth: what is not in cars comes behind."""

    worth: float
    finding: Finding


def find(study: Study) -> tuple[Finding, ...]:
    """At most five, the largest effect first; none where no rule's condition is met."""
    found = [
        *add_signs(study),
        *add_spaces(study),
        *hold_building(study),
        *re_prices(study),
        *mend_signs(study),
        *mend_sources(study),
    ]
    found.sort(key=lambda one: -one.worth)
    return tuple(one.finding for one in found[: rules.MOST_FINDINGS])


def add_signs(study: Study) -> Iterator[Ranked]:
    """Most of those turned away could go next door, if they knew."""
    for lot, gap in _short(study):
        a_day = (gap.transferable.value or 0.0) / lot.open_days
        if _transferable_share(gap) < rules.LEAST_TRANSFERABLE_SHARE:
            continue
        low, high = (share * a_day for share in rules.FOLLOW_SIGN)
        near = listed(study.name_of(lot_id) for lot_id in gap.moved)
        yield Ranked(
            high,
            Finding(
                rule=rules.ADD_SIGN,
                action=f"加屏：{lot.name}来路上加诱导屏，{_when(study, lot)}指向{near}",
                evidence=(
                    f"日均拒停 {tenths(lot.refused_a_day or 0)} 辆，其中 {tenths(a_day)} 辆"
                    f"在{near}有位可去（第 4、6 节）"
                ),
                effect_words=f"拒停少约 {tenths((low + high) / 2)} 辆/日",
                confidence=_confidence(study, lot),
                cost=COST,
                who=CITY,
                effect=(low + high) / 2,
                low=low,
                high=high,
                unit="辆/日",
                sections=(4, 6, 8),
                lots=(lot.lot.lot_id, *gap.moved),
            ),
        )


def add_spaces(study: Study) -> Iterator[Ranked]:
    """What is missing is missing everywhere within a walk, week after week."""
    for lot, gap in _short(study):
        a_day, spaces = (gap.net.value or 0.0) / lot.open_days, gap.net_spaces.value or 0.0
        if a_day < rules.LEAST_REFUSED_A_DAY or spaces < rules.LEAST_NET_SPACES:
            continue
        if not structural(lot).is_structural:
            continue
        low, high = _a_day(gap.net, lot)
        yield Ranked(
            a_day,
            Finding(
                rule=rules.ADD_SPACES,
                action=f"加泊位：{lot.name}步行范围内，要 95% 的日子都够约需 {whole(spaces)} 位",
                evidence=(
                    f"每周 {tenths(structural(lot).days_a_week)} 天结构性满位，"
                    f"扣除附近有位可去的，日均还缺 {tenths(a_day)} 辆（第 4 节）"
                ),
                effect_words=f"拒停少约 {tenths(a_day)} 辆/日",
                confidence=_confidence(study, lot),
                cost=COST,
                who=PLANNING,
                effect=a_day,
                low=low,
                high=high,
                unit="辆/日",
                sections=(4, 6),
                lots=(lot.lot.lot_id,),
            ),
        )


def hold_building(study: Study) -> Iterator[Ranked]:
    """It looks short of spaces, and the spaces stand next door."""
    for lot, gap in _short(study):
        spaces = gap.net_spaces.value or 0.0
        is_next_door = _transferable_share(gap) >= rules.MOSTLY_TRANSFERABLE
        if not is_next_door or spaces >= rules.LEAST_NET_SPACES:
            continue
        yield Ranked(
            0.0,
            Finding(
                rule=rules.HOLD_BUILDING,
                action=f"暂缓：{lot.name}扩建",
                evidence=(
                    f"拒停的车 {write_share(_transferable_share(gap), 0)} 在附近有位可去，"
                    f"折合净缺只有 {whole(spaces)} 位（第 4 节）"
                ),
                effect_words="先引导，看成效再议",
                confidence=_confidence(study, lot),
                cost=COST,
                who=PLANNING,
                sections=(4,),
                lots=(lot.lot.lot_id,),
            ),
        )


def re_prices(study: Study) -> Iterator[Ranked]:
    """The full one is the cheaper one, and the dearer one next door has room."""
    fees = {one.lot.lot_id: fees_of(study, one)[TWO_HOURS] for one in study.known}
    for lot, gap in _short(study):
        for near, cars in gap.moved.items():
            here, there = fees[lot.lot.lot_id], fees[near]
            if here is None or there is None or there - here < rules.LEAST_GAP_FEN:
                continue
            a_day = cars / lot.open_days
            low, high = (share * a_day for share in rules.FOLLOW_PRICE)
            yield Ranked(
                high,
                Finding(
                    rule=rules.RE_PRICE,
                    action=(
                        f"调价：{_when(study, lot)}缩小{lot.name}与{study.name_of(near)}的价差"
                    ),
                    evidence=(
                        f"停 2 小时{lot.name}便宜 {write_fen(there - here)} 元，"
                        f"{study.name_of(near)}日均可接 {tenths(a_day)} 辆（第 4、9 节）"
                    ),
                    effect_words=f"转移约 {tenths((low + high) / 2)} 辆/日",
                    confidence=Confidence.LOW,
                    cost=COST,
                    who=PRICES,
                    effect=(low + high) / 2,
                    low=low,
                    high=high,
                    unit="辆/日",
                    sections=(4, 9),
                    lots=(lot.lot.lot_id, near),
                ),
            )


def mend_signs(study: Study) -> Iterator[Ranked]:
    """One finding for all signs that said what was not so."""
    bad = [one for one in study.facts.sign_lines if is_bad(one)]
    if not bad:
        return
    worst = min(bad, key=worst_first)
    full = sum(one.free_while_full for one in bad)
    stale = sum(one.stale_number for one in bad)
    minutes = full + stale
    yield Ranked(
        -1.0,
        Finding(
            rule=rules.MEND_SIGN,
            action=f"修屏：{listed(name_of(study, one) for one in bad)}",
            evidence=(
                f"{name_of(study, worst)}准确率 {write_share(truth_of(worst))}；"
                f"满位显示有位 {whole(full)} 分钟、失联显示数字 {whole(stale)} 分钟（第 8 节）"
            ),
            effect_words=f"误导 {whole(minutes)} 分钟降到 0",
            confidence=Confidence.HIGH,
            cost=COST,
            who=CITY,
            effect=float(minutes),
            unit="分钟",
            sections=(8,),
            lots=tuple(dict.fromkeys(one.lot_id for one in bad)),
        ),
    )


def mend_sources(study: Study) -> Iterator[Ranked]:
    """One finding for all car parks whose data cannot be leant on."""
    poor = [one for one in study.lots if one.is_connected and _is_poor(study, one)]
    if not poor:
        return
    hours = sum(_silent_hours(one) for one in poor)
    parts = [
        f"{one.name}完整率 {write_share(one.grounds.completeness)}{_drift_words(study, one)}"
        for one in poor
    ]
    yield Ranked(
        -2.0,
        Finding(
            rule=rules.MEND_SOURCE,
            action=f"修数据源：{listed(one.name for one in poor)}",
            evidence=f"{'；'.join(parts)}（第 12 节）",
            effect_words=f"补上约 {tenths(hours)} 小时的数据",
            confidence=Confidence.HIGH,
            cost=COST,
            who=CITY,
            effect=hours,
            unit="小时",
            sections=(12,),
            lots=tuple(one.lot.lot_id for one in poor),
        ),
    )


def _short(study: Study) -> list[tuple[LotStudy, Gap]]:
    """Car parks that turn away enough drivers to do something about it."""
    return [
        (one, study.gaps[one.lot.lot_id])
        for one in study.known
        if (one.refused_a_day or 0.0) >= rules.LEAST_REFUSED_A_DAY
    ]


def _transferable_share(gap: Gap) -> float:
    moved, net = gap.transferable.value or 0.0, gap.net.value or 0.0
    return moved / (moved + net) if moved + net else 0.0


def _a_day(found: Indicator, lot: LotStudy) -> tuple[float, float]:
    value = found.value or 0.0
    low = value if found.low is None else found.low
    high = value if found.high is None else found.high
    return low / lot.open_days, high / lot.open_days


def _confidence(study: Study, lot: LotStudy) -> Confidence:
    """High where the refused are surely some and the places are confirmed; low where neither."""
    is_sure = (lot.refusals.indicator.low or 0.0) > 0
    if is_sure and are_places_sure(study):
        return Confidence.HIGH
    return Confidence.MEDIUM if is_sure else Confidence.LOW


def _when(study: Study, lot: LotStudy) -> str:
    """The hours in which it is tight, 工作日 17—20 时."""
    return tight_words(hours_of([lot.seen], study.kind_of)) or "满位时"


def _is_poor(study: Study, lot: LotStudy) -> bool:
    drift = daily_drift(study, lot)
    is_silent = lot.grounds.completeness < rules.LEAST_COMPLETE and bool(lot.seen.windows)
    return is_silent or (drift is not None and drift >= rules.MOST_DRIFT_A_DAY)


def _drift_words(study: Study, lot: LotStudy) -> str:
    drift = daily_drift(study, lot)
    return "" if drift is None else f"、每日漂移 {tenths(drift)} 辆"


def _silent_hours(lot: LotStudy) -> float:
    return (lot.seen.expected_ms - lot.seen.total("told_ms")) / (60 * MINUTE_MS)
