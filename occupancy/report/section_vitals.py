"""Section 2, vital signs: is the district in range, against before, a year ago, and the targets."""

from occupancy import congestion, vitals
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.picture import Band, IndicatorBands, IndicatorRow
from occupancy.report.study import Study
from occupancy.report.vital_signs import INDEX, PEAK, Sign
from occupancy.report.wording import (
    before_period,
    bold,
    compared,
    listed,
    no_figures,
    not_known,
    this_period,
    year_period,
)
from occupancy.vitals import band_of, district_daily_index

INDEX_BANDS = (
    Band("畅通", 0, 2),
    Band("基本畅通", 2, 4),
    Band("较满", 4, 6),
    Band("紧张", 6, 8),
    Band("严重", 8, 10),
)


def write(study: Study, signs: tuple[Sign, ...]) -> Section:
    return Section(
        number=2,
        title="体征指标",
        question="全区在不在正常范围？",
        decision="要不要处置、处置是否有效",
        blocks=_blocks(study, signs),
    )


def _blocks(study: Study, signs: tuple[Sign, ...]) -> tuple[Block, ...]:
    if not study.has_data:
        return (Missing(no_figures(study.grounds.reason)),)
    return (
        Sentences(_sentences(study, signs)),
        _chart(study, signs),
        _table(study, signs),
        _by_lot(study),
    )


def _sentences(study: Study, signs: tuple[Sign, ...]) -> tuple[str, ...]:
    index = signs[0]
    period = study.period
    if index.now.value is None:
        said = [f"{this_period(period)}全区停车拥堵指数{not_known(index.now)}。"]
    else:
        before = compared(index.now.value, index.before, before_period(period), INDEX.write)
        year = compared(index.now.value, index.year, year_period(period), INDEX.write)
        said = [
            (
                f"{this_period(period)}全区停车拥堵指数 {bold(INDEX.write(index.now.value))}，"
                f"属“{band_of(index.now.value).value}”；{before}；{year}。"
            )
        ]
    out = [_off(one) for one in signs if one.is_met is False]
    met = [one.wanted.name for one in signs if one.is_met]
    if out:
        said.append(f"未达目标：{listed(out)}。")
    if met:
        said.append(f"达到目标：{listed(met)}。")
    return (*said, *study.why_unknown())


def _off(sign: Sign) -> str:
    wanted = sign.wanted
    word = "不高于" if wanted.is_most else "不低于"
    return (
        f"{wanted.name} {wanted.write(sign.now.value)}（目标{word} {wanted.write(wanted.target)}）"
    )


def _chart(study: Study, signs: tuple[Sign, ...]) -> Chart:
    lots = [(one.seen, one.refusals) for one in study.lots]
    history = tuple(one.index for one in district_daily_index(lots))
    rows = [_index_row(signs[0], history)]
    rows += [_row(one) for one in signs[1:] if one.wanted.kind is Kind.SHARE]
    return Chart(
        name="vitals",
        title="体征指标与区间",
        picture=IndicatorBands(tuple(rows)),
        reading=(
            "每行一个指标：▼ 为本期，○ 为上期，□ 为去年同期，虚线为目标。"
            "指数按泊位数加权，取每天最差 3 小时；右侧小图是逐日指数。"
        ),
        alt="各指标在各自区间上的位置，数值同表。",
    )


def _index_row(sign: Sign, history: tuple[float, ...]) -> IndicatorRow:
    return IndicatorRow(
        name=INDEX.name,
        value=sign.now.value,
        words=INDEX.write(sign.now.value),
        bands=INDEX_BANDS,
        previous=sign.before,
        year_before=sign.year,
        target=INDEX.target,
        history=history,
    )


def _row(sign: Sign) -> IndicatorRow:
    return IndicatorRow(
        name=sign.wanted.name,
        value=sign.now.value,
        words=sign.wanted.write(sign.now.value),
        low=0,
        high=1,
        previous=sign.before,
        year_before=sign.year,
        target=sign.wanted.target,
    )


def _table(study: Study, signs: tuple[Sign, ...]) -> Table:
    period = study.period
    return Table(
        name="vitals",
        title="全区指标",
        columns=(
            Column("指标"),
            Column(this_period(period)),
            Column(before_period(period)),
            Column(year_period(period)),
            Column("目标"),
            Column("单位"),
            Column("数据完整率", Kind.SHARE, decimals=1),
            Column("说明"),
        ),
        rows=tuple(_signs_row(one) for one in signs),
        note=f"方法版本 {signs[0].now.method_version}；完整率低于 90% 的不给数值。",
    )


def _signs_row(sign: Sign) -> tuple[str | float | None, ...]:
    wanted = sign.wanted
    target = None
    if wanted.target is not None:
        target = f"{'≤' if wanted.is_most else '≥'} {wanted.write(wanted.target)}"
    return (
        *(wanted.name, wanted.write(sign.now.value), wanted.write(sign.before)),
        *(wanted.write(sign.year), target, wanted.unit or None, sign.now.completeness),
        sign.now.reason or None,
    )


def _by_lot(study: Study) -> Table:
    rows = []
    for one in study.lots:
        index = one.index
        peak = congestion.peak_hour_saturation(one.seen)
        full, target = congestion.full_time_share(one.seen), congestion.target_share(one.seen)
        rows.append(
            (
                *(one.name, index.value),
                None if index.value is None else vitals.band_of(index.value).value,
                *(peak.value, one.turnover.value, full.value, target.value),
                *(one.grounds.completeness, one.grounds.reason or one.grounds.note or None),
            )
        )
    return Table(
        name="vitals_by_lot",
        title="各场指标",
        columns=(
            Column("车场"),
            Column("拥堵指数", Kind.NUMBER, "0—10", 1),
            Column("等级"),
            Column(PEAK.name, Kind.SHARE, decimals=1),
            Column("周转率", Kind.NUMBER, "次/泊位·日", 2),
            Column("满位时间占比", Kind.SHARE, decimals=1),
            Column("目标区间占比", Kind.SHARE, decimals=1),
            Column("数据完整率", Kind.SHARE, decimals=1),
            Column("说明"),
        ),
        rows=tuple(rows),
    )
