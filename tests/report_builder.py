"""A whole congestion report with every kind of block and picture in it; invented figures."""

import datetime as dt
import math

from occupancy.report.document import (
    Block,
    Chart,
    Column,
    Confidence,
    Finding,
    Findings,
    Formula,
    Kind,
    Kpi,
    LotNote,
    Missing,
    Report,
    Section,
    Sentences,
    Table,
    Tone,
)
from occupancy.report.period import Period, month_of
from occupancy.report.picture import (
    Arrow,
    Band,
    Bar,
    CompletenessCalendar,
    CumulativeFlow,
    DurationCurves,
    EffectSeries,
    HeatMap,
    IndicatorBands,
    IndicatorRow,
    IntervalBars,
    Line,
    LotMap,
    Picture,
    Place,
    StayHistogram,
)

LOTS = ("康乐路", "站前路", "三达路", "中山路", "火车站")
LOT_IDS = ("kangle", "zhanqian", "sanda", "zhongshan", "huochezhan")
OCTOBER = month_of(dt.date(2026, 10, 1))
MADE_AT_MS = 1_793_570_999_000
TITLES = (
    "结论与建议",
    "体征指标",
    "何时何地拥堵",
    "满多久、缺多少",
    "进出与周转",
    "拒停与排队",
    "诱导成效",
    "诱导屏体检",
    "价格与时长",
    "建设进度",
    "下月预测与活动",
    "数据质量与方法",
)
BANDS = (
    Band("畅通", 0, 2),
    Band("基本畅通", 2, 4),
    Band("较满", 4, 6),
    Band("紧张", 6, 8),
    Band("严重", 8, 10),
)


def sample_report(
    period: Period = OCTOBER, version: int = 3, note: str = "补录火车站数据"
) -> Report:
    """As `write_report` would make it."""
    return Report(
        period=period,
        title="三水区公共停车拥堵报告",
        subtitle="5 场 889 位（样例数据，非真实） · 供防拥堵方案布局、建设与成效评估使用",
        generated_at_ms=MADE_AT_MS,
        method_version="2026.11",
        headline="中山路周五至周日 17—20 时连续满位，日均约 **212** 辆车到场无位；"
        "缺口主要是**分布**问题，不是总量问题。",
        kpis=(
            Kpi(
                "pci",
                "停车拥堵指数（0—10）",
                4.6,
                band="较满",
                compared="上月 5.1 ↓0.5",
                tone=Tone.GOOD,
            ),
            Kpi(
                *("peak", "高峰饱和度", 0.918),
                kind=Kind.SHARE,
                compared="目标 ≤ 85% 超 6.8 点",
                tone=Tone.BAD,
            ),
            Kpi("turnover", "泊位周转率", 3.416, "次/位·日", decimals=2, compared="上月 3.31"),
            Kpi("access", "数据接入率", None, kind=Kind.SHARE, missing="车场断线 9.6 小时"),
        ),
        sections=tuple(
            Section(
                number,
                title,
                f"哪一场、哪几个小时需要管（{number}）？",
                "定管控时段",
                _blocks(number),
            )
            for number, title in enumerate(TITLES, 1)
        ),
        lots=tuple(
            LotNote(
                lot_id, name, 170 + 10 * place, 0.987, "10 月 12 日起开放" if place == 2 else ""
            )
            for place, (lot_id, name) in enumerate(zip(LOT_IDS, LOTS, strict=True))
        ),
        formulas=(
            Formula("pci", "停车拥堵指数", "最差 3 小时的均值", "0—10", "方法说明 2026.11"),
            Formula("turnover", "泊位周转率", "停放车次 ÷ 泊位", "次/位·日", "domain"),
            Formula("add_sign", "加屏", "可转移缺口 ≥ 50 位·时/日", "", "方法说明 2026.11"),
        ),
        completeness=0.987,
        is_sample=True,
        version=version,
        note=note,
    )


def _blocks(number: int) -> tuple[Block, ...]:
    makers = {1: _findings, 9: _prices}
    if number == 10:
        return (Missing("建设计划没有录入，本节没有数据"),)
    charts = tuple(one for one in CHARTS if one[0] == number)
    told: tuple[Block, ...] = (
        Sentences((f"本节第 {number} 部分由同一组数据算出，均值 **{number * 1.5:.1f}**。",)),
        *(_chart(name, *rest) for _, name, *rest in charts),  # type: ignore[arg-type]  # as CHARTS lists them
    )
    return (*makers[number](), *told) if number in makers else told


def _findings() -> tuple[Block, ...]:
    sign = Finding(
        rule="add_sign",
        action="加屏：中山路—人民路口增设二级屏",
        evidence="该口 41% 的车在满位后仍驶入中山路（第 6、8 节）",
        effect_words="拒停 −90 辆/日",
        confidence=Confidence.HIGH,
        cost="一次性 6 万元（待核实）",
        who="城管局",
        effect=-90,
        low=-130,
        high=-50,
        unit="辆/日",
        sections=(6, 8),
    )
    price = Finding(
        rule="add_sign",
        action="调价：三达路 17—21 时首小时减半，试行 6 周",
        evidence="价差 2 元、步行 420 米，晚间空 103 位（第 9 节）",
        effect_words="转移 35—60 辆/日",
        confidence=Confidence.MEDIUM,
        cost="收入减少约 3%",
        who="发改、城投",
        sections=(9,),
    )
    return (Findings((sign, price)),)


def _prices() -> tuple[Block, ...]:
    columns = (
        Column("车场"),
        Column("首小时", Kind.FEN, "元", 2),
        Column("免费期使用", Kind.SHARE, decimals=1),
        Column("停放", Kind.NUMBER, "次"),
        Column("生效", Kind.DATE),
    )
    rows = tuple(
        (
            name,
            500 + 100 * place,
            None if place == 4 else 0.31 + place / 50,
            1_204 * place,
            "2026-09-01",
        )
        for place, name in enumerate(LOTS)
    )
    return (Table("prices", "价格与免费期", columns, rows, "免费期为待核实数据"),)


def _chart(name: str, title: str, picture: Picture, is_wide: bool = True) -> Chart:  # noqa: FBT001, FBT002
    return Chart(name, title, picture, f"{title}：深色连片的时段要管。", f"{title}的图", is_wide)


def _day(place: int, hour: float, is_weekend: bool) -> float:  # noqa: FBT001
    peak = (10, 11, 22, 19, 13)[place] - (1 if is_weekend else 0)
    return min(1.0, 0.18 + (0.62 + 0.05 * place) * math.exp(-(((hour - peak) / 3.4) ** 2)))


def _heat() -> HeatMap:
    rows = [(place, weekend) for place in range(5) for weekend in (False, True)]
    values = tuple(
        tuple(
            None if (place, weekend) == (4, True) and 3 <= hour <= 5 else _day(place, hour, weekend)
            for hour in range(24)
        )
        for place, weekend in rows
    )
    names = tuple(f"{LOTS[place]} {'周末' if weekend else '工作日'}" for place, weekend in rows)
    return HeatMap(tuple(f"{hour}时" for hour in range(24)), names, values)


def _curves() -> DurationCurves:
    xs = tuple(number / 50 for number in range(51))
    lines = tuple(
        Line(
            name,
            xs,
            tuple(max(0.08, min(1.0, 1.02 - x * (0.7 + place / 8) ** 0.5)) for x in xs),
            note=f"≥85% 占 {15 - 3 * place}%",
        )
        for place, name in enumerate(LOTS)
    )
    return DurationCurves(lines)


def _flow() -> CumulativeFlow:
    hours = tuple(number / 2 for number in range(49))
    entered = tuple(870 / (1 + math.exp(-(hour - 14) / 2.6)) for hour in hours)
    left = tuple(870 / (1 + math.exp(-(hour - 16.1) / 2.6)) for hour in hours)
    return CumulativeFlow(hours, entered, left, 18.0, "在场 145 = 满")


def _effect() -> EffectSeries:
    days = tuple(float(day) for day in range(31))
    was = tuple(0.2 - (0.06 if day >= 14 else 0) + 0.015 * math.sin(day * 2.1) for day in days)
    would = tuple(None if day < 14 else 0.2 for day in days)
    low, high = (tuple(None if one is None else one + d for one in would) for d in (-0.02, 0.02))
    return EffectSeries(
        (Line("有诱导屏 3 场", days, was),),
        (Line("若未上线（反事实）", days, would, low, high),),
        ((0, "10-01"), (7, "10-08"), (14, "10-15"), (21, "10-22"), (30, "10-31")),
        ((14, "10-15 诱导上线"),),
        *("%", 100),
    )


def _calendar() -> CompletenessCalendar:
    values = tuple(
        tuple(
            None if (place, day) == (4, 6) else 1 - ((place * 7 + day * 3) % 23) / 90
            for day in range(31)
        )
        for place in range(5)
    )
    marks = tuple(
        tuple("校" if day == 11 + place else "" for day in range(31)) for place in range(5)
    )
    return CompletenessCalendar(tuple(str(day + 1) for day in range(31)), LOTS, values, marks=marks)


def _map() -> LotMap:
    spots = ((-420, 260), (510, 330), (-130, -340), (180, 20), (900, -260))
    places = tuple(
        Place(
            name,
            float(spot[0]),
            float(spot[1]),
            None if number == 4 else 0.35 + 0.2 * number,
            f"余 {40 - number} 位",
        )
        for number, (name, spot) in enumerate(zip(LOTS, spots, strict=True))
    )
    return LotMap(places, (Arrow(3, 2, "可转移 42 位·时"),))


def _bands() -> IndicatorBands:
    history = tuple(4.2 + math.sin(month) for month in range(13))
    rows = tuple(
        IndicatorRow(name, value, words, BANDS, 0, 10, 5.1, 5.6, 4.0, history)
        for name, value, words in (
            ("全区拥堵指数", 4.6, "4.6"),
            ("中山路", 7.9, "7.9"),
            ("火车站", None, "—"),
        )
    )
    return IndicatorBands(rows)


CHARTS: tuple[tuple[object, ...], ...] = (
    (2, "bands", "体征指标与分级", _bands()),
    (3, "heat", "占有率：时段 × 车场", _heat()),
    (4, "duration", "负荷持续曲线", _curves(), False),
    (4, "map", "缺口与可转移", _map()),
    (5, "flow", "中山路周五进出", _flow(), False),
    (
        *(5, "stays", "停放时长与计价台阶"),
        StayHistogram(
            tuple(float(15 * number) for number in range(25)),
            tuple(90 * math.exp(-(((number - 7) / 5) ** 2)) for number in range(24)),
            ((30, "免费止"), (60, "5 元"), (120, "7 元"), (180, "9 元")),
        ),
        False,
    ),
    (
        *(6, "refused", "到场无位的车"),
        IntervalBars(
            (
                Bar("中山路", 212, 170, 250, is_strong=True),
                Bar("康乐路", 64, 40, 96),
                Bar("火车站", None, note="缺数 9.6 小时"),
            ),
            "辆/日",
            target=50,
            target_words="目标 50",
        ),
        False,
    ),
    (7, "effect", "找位失败率", _effect(), False),
    (12, "calendar", "数据完整率日历", _calendar()),
)
