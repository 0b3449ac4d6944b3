"""Section 6, refused and queues: how many found no space, and what of waiting is not measured."""

from occupancy import refused
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_share
from occupancy.report.picture import Bar, IntervalBars
from occupancy.report.study import Study
from occupancy.report.wording import bold, listed, no_figures, tenths, whole
from occupancy.rollup import MINUTE_MS

MOST_SPELLS = 10
NOT_MEASURED = (
    "存取车排队和取车等待没有进历史库：设备的排队数只用于当时的引导，事后不能统计，"
    "因此本节不给等待时间。要评价值守和第二通道，请先让记录保存每个机组的排队数。"
)


def write(study: Study) -> Section:
    return Section(
        number=6,
        title="拒停与排队",
        question="多少车到了门口没有位？",
        decision="定值守人手与第二通道",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    if not study.known:
        return Missing(no_figures(study.grounds.reason)), Missing(NOT_MEASURED)
    return (
        Sentences((*_sentences(study), *study.why_unknown())),
        _chart(study),
        _table(study),
        _spells(study),
        Missing(NOT_MEASURED),
    )


def _sentences(study: Study) -> tuple[str, ...]:
    lots = sorted(study.known, key=lambda one: -(one.refused_a_day or 0.0))
    top = lots[0]
    a_day, days = top.refused_a_day, top.open_days
    found = top.refusals.indicator
    if not a_day or found.low is None or found.high is None:
        return ("没有出现满位时段，估计没有车辆被拒。",)
    first = (
        f"{bold(top.name)}估计日均 {bold(whole(a_day))} 辆到场无位"
        f"（95% 区间 {whole(found.low / days)}—{whole(found.high / days)}），"
        f"满位共 {len(top.refusals.spells)} 次。"
    )
    others = [f"{one.name} {tenths(value)} 辆" for one in lots[1:] if (value := one.refused_a_day)]
    none = [one.name for one in lots if not one.refused_a_day]
    said = [first]
    if others:
        said.append(f"其余日均：{listed(others)}。")
    if none:
        said.append(f"{listed(none)}估计没有拒停。")
    found_space = study.found_space(*(one.seen for one in study.known))
    if found_space.value is not None:
        said.append(
            f"到场的车中 {bold(write_share(found_space.value))} 在 3 分钟内进场（拒停为估计）。"
        )
    said.append("没有计数器看得见被拒的车，以上是估计：同类日子本该来的，减去实际进来的。")
    return tuple(said)


def _chart(study: Study) -> Chart:
    bars: list[Bar] = []
    for one in sorted(study.known, key=lambda lot: -(lot.refused_a_day or 0.0)):
        found, days = one.refusals.indicator, one.open_days
        low = None if found.low is None or not days else found.low / days
        high = None if found.high is None or not days else found.high / days
        bars.append(Bar(one.name, one.refused_a_day, low, high, is_strong=not bars))
    return Chart(
        name="refused",
        title="日均拒停（估计）",
        picture=IntervalBars(tuple(bars), unit="辆/日", decimals=1),
        reading="条长为日均到场无位的车辆估计，横线为 95% 区间；区间越宽，同类的日子越少。",
        alt="各场日均拒停估计与区间的条形图，数值同表。",
        is_wide=False,
    )


def _table(study: Study) -> Table:
    rows = []
    for one in study.known:
        found, days = one.refusals.indicator, one.open_days
        stay = one.mean_stay.value
        check = refused.erlang_check(one.seen, one.refusals, stay)
        minutes = sum(spell.until_ms - spell.from_ms for spell in one.refusals.spells) / MINUTE_MS
        rows.append(
            (
                *(one.name, one.refused_a_day, found.value, found.low, found.high),
                *(check.value, len(one.refusals.spells), minutes / days if days else None),
            )
        )
    return Table(
        name="refused",
        title="拒停估计与核对",
        columns=(
            Column("车场"),
            Column("日均拒停", Kind.NUMBER, "辆", 1),
            Column("合计", Kind.NUMBER, "辆"),
            Column("下限", Kind.NUMBER, "辆"),
            Column("上限", Kind.NUMBER, "辆"),
            Column("爱尔朗 B 核对", Kind.NUMBER, "辆"),
            Column("满位次数", Kind.NUMBER, "次"),
            Column("日均满位", Kind.NUMBER, "分钟"),
        ),
        rows=tuple(rows),
        note="爱尔朗 B 假定稳态，只核对数量级。",
    )


def _spells(study: Study) -> Table:
    found = [(spell, one.name) for one in study.known for spell in one.refusals.spells]
    found.sort(key=lambda pair: -pair[0].refused)
    return Table(
        name="full_spells",
        title="拒停最多的十次满位",
        columns=(
            Column("车场"),
            Column("开始", Kind.MOMENT),
            Column("时长", Kind.NUMBER, "分钟"),
            Column("本该来", Kind.NUMBER, "辆"),
            Column("实际进", Kind.NUMBER, "辆"),
            Column("拒停", Kind.NUMBER, "辆"),
        ),
        rows=tuple(
            (
                *(name, spell.from_ms, (spell.until_ms - spell.from_ms) / MINUTE_MS),
                *(spell.expected, spell.entries, spell.refused),
            )
            for spell, name in found[:MOST_SPELLS]
        ),
    )
