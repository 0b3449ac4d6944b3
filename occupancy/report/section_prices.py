"""Section 9, prices and stays: price gaps between neighbours, and stays around the steps."""

from occupancy.report import first_out
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_fen, write_share
from occupancy.report.picture import Bar, IntervalBars
from occupancy.report.prices import (
    NEAR_METRES,
    STAYS_MINUTES,
    are_places_sure,
    are_prices_sure,
    fees_of,
    free_minutes,
    near_pairs,
    nearest,
    price_steps,
)
from occupancy.report.study import LotStudy, Study
from occupancy.report.wording import bold, listed, whole

TWO_HOURS = STAYS_MINUTES.index(120)
AROUND_MINUTES = 30
LEAST_SHARE = 0.01
FREE_NOT_MEASURED = (
    "免费时段的利用率没有测量：计数器不认得单辆车，先进先出的推算看不见短停。"
    "要评价免费时长，请接入带逐车进出记录的道闸。"
)


def write(study: Study) -> Section:
    return Section(
        number=9,
        title="价格与时长",
        question="价差把车引向了哪里？",
        decision="定哪些价格要调",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    if not study.lots:
        return (Missing("报告里没有车场。"),)
    blocks: list[Block] = [Sentences(_sentences(study))]
    if any(fee is not None for one in study.lots for fee in fees_of(study, one)):
        blocks += [_chart(study), _fees(study)]
    if pairs := near_pairs(study):
        blocks.append(
            Table(
                name="price_gaps",
                title=f"{NEAR_METRES} 米步行内的价差",
                columns=(
                    Column("车场"),
                    Column("邻近车场"),
                    Column("步行", Kind.NUMBER, "米"),
                    Column("停 2 小时", Kind.FEN, "元", 2),
                    Column("邻近停 2 小时", Kind.FEN, "元", 2),
                    Column("价差", Kind.FEN, "元", 2),
                ),
                rows=tuple(
                    (
                        *(pair.one.name, pair.other.name, pair.metres),
                        *(pair.fees[TWO_HOURS], pair.fees_other[TWO_HOURS]),
                        _difference(pair.fees[TWO_HOURS], pair.fees_other[TWO_HOURS]),
                    )
                    for pair in pairs
                ),
                note="步行距离为入口直线距离乘 1.3。价差为本场减邻近车场。",
            )
        )
    if study.known:
        blocks.append(_around_steps(study))
    return (*blocks, Missing(FREE_NOT_MEASURED))


def _difference(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _sentences(study: Study) -> tuple[str, ...]:
    said = [*_cheapest(study), *_gaps(study)]
    unsure = [
        words
        for words, is_sure in (
            ("收费标准", are_prices_sure(study)),
            ("入口坐标", are_places_sure(study)),
        )
        if not is_sure
    ]
    if unsure:
        said.append(f"{listed(unsure)}待核实，本节结论随之待核实。")
    return tuple(said)


def _cheapest(study: Study) -> list[str]:
    fees = [
        (fee, one.name) for one in study.lots if (fee := fees_of(study, one)[TWO_HOURS]) is not None
    ]
    if not fees:
        return ["没有一个车场有现行收费标准。"]
    low, high = min(fees), max(fees)
    if low[0] == high[0]:
        return [f"工作日 9 时起停 2 小时，各场都是 {bold(write_fen(low[0]))} 元。"]
    cheap = listed(name for fee, name in fees if fee == low[0])
    dear = listed(name for fee, name in fees if fee == high[0])
    return [
        (
            f"工作日 9 时起停 2 小时，{cheap}最便宜，{bold(write_fen(low[0]))} 元；"
            f"{dear}最贵，{bold(write_fen(high[0]))} 元。"
        )
    ]


def _gaps(study: Study) -> list[str]:
    pairs = near_pairs(study)
    if not pairs:
        near = nearest(study)
        if near is None:
            return []
        return [
            (
                f"步行 {NEAR_METRES} 米内没有相邻的两个车场，"
                f"最近的是{near[0].name}和{near[1].name}，"
                f"{whole(near[2])} 米：价格引不动车。"
            )
        ]
    known = [
        (gap, pair)
        for pair in pairs
        if (gap := _difference(pair.fees[TWO_HOURS], pair.fees_other[TWO_HOURS])) is not None
    ]
    if not any(gap for gap, _ in known):
        return [f"步行 {NEAR_METRES} 米内的车场之间，停 2 小时没有价差。"]
    gap, pair = max(known, key=lambda one: abs(one[0]))
    dear, cheap = (pair.one, pair.other) if gap > 0 else (pair.other, pair.one)
    return [
        (
            f"价差最大的一对：停 2 小时{dear.name}比步行 {whole(pair.metres)} 米的{cheap.name}"
            f"贵 {bold(write_fen(abs(gap)))} 元。"
        )
    ]


def _chart(study: Study) -> Chart:
    bars = tuple(
        Bar(one.name, None if fee is None else fee / 100)
        for one in study.lots
        for fee in [fees_of(study, one)[TWO_HOURS]]
    )
    return Chart(
        name="prices",
        title="工作日 9 时起停 2 小时的价格",
        picture=IntervalBars(bars, unit="元", decimals=2),
        reading="条长为一次停放的应付金额，按报告期末的现行收费标准计算。",
        alt="各场停 2 小时价格的条形图，数值同表。",
        is_wide=False,
    )


def _fees(study: Study) -> Table:
    return Table(
        name="fees",
        title="工作日 9 时起停放的价格",
        columns=(
            Column("车场"),
            Column("免费时长", Kind.NUMBER, "分钟"),
            *(Column(f"停 {_stay(minutes)}", Kind.FEN, "元", 2) for minutes in STAYS_MINUTES),
        ),
        rows=tuple(
            (one.name, free_minutes(study, one), *fees_of(study, one)) for one in study.lots
        ),
        note="小型汽车，无优惠；收费标准待核实。"
        if not are_prices_sure(study)
        else "小型汽车，无优惠。",
    )


def _stay(minutes: int) -> str:
    return f"{minutes} 分钟" if minutes < 60 else f"{minutes // 60} 小时"  # noqa: PLR2004


def _around_steps(study: Study) -> Table:
    rows = [
        (one.name, step, words, *_shares(one, step))
        for one in study.known
        for step, words in price_steps(study, one)
    ]
    rows = [row for row in rows if max(row[3] or 0.0, row[4] or 0.0) >= LEAST_SHARE]
    return Table(
        name="stays_around_steps",
        title="价格变动处前后的停放（推算）",
        columns=(
            Column("车场"),
            Column("停满", Kind.NUMBER, "分钟"),
            Column("价格变为"),
            Column(f"此前 {AROUND_MINUTES} 分钟内离场", Kind.SHARE, decimals=1),
            Column(f"此后 {AROUND_MINUTES} 分钟内离场", Kind.SHARE, decimals=1),
        ),
        rows=tuple(rows),
        note=(
            f"占全部停放的比例，两边都不到 {write_share(LEAST_SHARE, 0)} 的不列。先进先出的推算"
            "只说明平均的停放落在哪一档，看不出有没有人掐着时间离场：那要逐车的进出记录。"
        ),
    )


def _shares(lot: LotStudy, step: float) -> tuple[float | None, float | None]:
    before, at, after = (
        first_out.share_within(lot.stays, minutes)
        for minutes in (step - AROUND_MINUTES, step, step + AROUND_MINUTES)
    )
    if before is None or at is None or after is None:
        return None, None
    return at - before, after - at
