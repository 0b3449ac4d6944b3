"""Section 7, does guidance work: trials, how even the car parks are, what drivers did."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from occupancy.balance import balance
from occupancy.calendar import date_of
from occupancy.effect.evidence import Evidence
from occupancy.indicator import LEAST_COMPLETENESS
from occupancy.observed import Observed
from occupancy.report.change_chart import draw_change
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.facts import ChangeSeen
from occupancy.report.figures import write_share
from occupancy.report.picture import EffectSeries, Line
from occupancy.report.study import Study
from occupancy.report.wording import bold, date_words, whole
from occupancy.rollup import Window, local_day

NO_TRIAL = (
    "这段时间没有做诱导开关试验，也没有登记过已能比较前后的变化：不能说指标的变化是诱导带来的。"
    "两样都在“诱导成效”页（/admin/guidance）安排，先算出能看出的最小变化再开始。"
)
TICK_DAYS = 5


def write(study: Study) -> Section:
    return Section(
        number=7,
        title="诱导成效",
        question="诱导有没有用？",
        decision="诱导要不要继续、扩大",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    blocks: list[Block] = []
    changes = study.facts.changes
    every = (*study.facts.evidence, *(one.judged.evidence for one in changes))
    if every:
        said = (*(one.words for one in study.facts.evidence), *map(_change_words, changes))
        blocks += [Sentences(said), _evidence(every)]
        blocks += [draw_change(one.change, one.judged, f"change_{one.number}") for one in changes]
    else:
        blocks.append(Missing(NO_TRIAL))
    days = daily_balance(study)
    if days:
        blocks += [Sentences(_balance_words(days)), _chart(study, days)]
    return (*blocks, *_trips(study))


def _change_words(seen: ChangeSeen) -> str:
    """What a change that was named brought, before against after."""
    change = seen.change
    where = f"，{change.place}" if change.place else ""
    since = date_words(date_of(change.day))
    return (
        f"{change.name}（{change.kind.words}{where}，{since}起）前后：{seen.judged.evidence.words}"
    )


def daily_balance(study: Study) -> dict[int, float]:
    """均衡度 of each day that was told, by day number."""
    parts: dict[int, list[Observed]] = defaultdict(list)
    for one in study.known:
        by_day: dict[int, list[Window]] = defaultdict(list)
        for window in one.seen.windows:
            by_day[local_day(window.start_ms)].append(window)
        for day, windows in by_day.items():
            parts[day].append(
                Observed(one.facts, one.seen.period, one.seen.minutes, tuple(windows))
            )
    found = {}
    for day, lots in sorted(parts.items()):
        value = balance(*lots).value
        if value is not None:
            found[day] = value
    return found


def _balance_words(days: Mapping[int, float]) -> tuple[str, ...]:
    mean = sum(days.values()) / len(days)
    low = min(days, key=lambda day: days[day])
    return (
        (
            f"逐日均衡度平均 {bold(write_share(mean))}，最低的是 {date_words(date_of(low))}，"
            f"{write_share(days[low])}；100% 表示各场一样满，越低说明越是一场满、一场空。"
        ),
    )


def _chart(study: Study, days: Mapping[int, float]) -> Chart:
    first = study.days[0]
    x = tuple(float(day - first) for day in study.days)
    mean = write_share(sum(days.values()) / len(days))
    values = tuple(days.get(day) for day in study.days)
    line = Line("均衡度", x, values, note=f"平均 {mean}")
    ticks = tuple(
        (float(day - first), f"{date_of(day).month}-{date_of(day).day}")
        for day in study.days
        if (day - first) % max(TICK_DAYS, len(study.days) // 7) == 0
    )
    return Chart(
        name="balance",
        title="各场均衡度逐日变化",
        picture=EffectSeries((line,), (), ticks, (), unit="%", scale=100),
        reading=(
            "线越高，各场越均衡；断开处数据不足"
            f" {write_share(LEAST_COMPLETENESS, 0)}。没有开关试验时，升降可能来自天气、节假日。"
        ),
        alt="各场均衡度的逐日折线。",
        is_wide=False,
    )


def _trips(study: Study) -> tuple[Block, ...]:
    trips = study.facts.trips
    if not trips:
        return (Missing("这段时间没有引导行程的记录（行程只保存三十天）。"),)
    shown, chosen, arrived = (
        sum(getattr(one, name) for one in trips) for name in ("shown", "chosen", "arrived")
    )
    said = [
        (
            f"引导行程 {bold(whole(shown))} 次，打开导航 {whole(chosen)} 次"
            f"（{write_share(chosen / shown)}），能以进场记录解释为到达的 {whole(arrived)} 次"
            f"（{write_share(arrived / shown)}）。"
        ),
        "计数器不知道进场的是谁：到达次数偏低，不能当作采纳率的上限。",
    ]
    if study.facts.trips_since_ms > study.period.start_ms:
        since = date_of(local_day(study.facts.trips_since_ms))
        said.append(f"行程只保存三十天，本期只统计到 {date_words(since)}以来的。")
    table = Table(
        name="trips",
        title="引导行程",
        columns=(
            Column("车场"),
            Column("推荐", Kind.NUMBER, "次"),
            Column("打开导航", Kind.NUMBER, "次"),
            Column("到达", Kind.NUMBER, "次"),
            Column("打开导航占比", Kind.SHARE, decimals=1),
            Column("到达占比", Kind.SHARE, decimals=1),
        ),
        rows=(
            *(
                (
                    *(study.name_of(one.lot_id), one.shown, one.chosen, one.arrived),
                    *(one.chosen / one.shown, one.arrived / one.shown),
                )
                for one in trips
            ),
            ("合计", shown, chosen, arrived, chosen / shown, arrived / shown),
        ),
    )
    return Sentences(tuple(said)), table


def _evidence(every: Sequence[Evidence]) -> Table:
    return Table(
        name="evidence",
        title="成效检验",
        columns=(
            Column("指标"),
            Column("方法"),
            Column("作用", Kind.NUMBER, decimals=2),
            Column("下限", Kind.NUMBER, decimals=2),
            Column("上限", Kind.NUMBER, decimals=2),
            Column("p", Kind.NUMBER, decimals=3),
            Column("能看出的最小变化", Kind.NUMBER, decimals=2),
            Column("单位"),
        ),
        rows=tuple(
            (
                *(one.metric.words, one.method_version),
                *(_scaled(value, one.metric.scale) for value in (one.effect, one.low, one.high)),
                *(one.p, _scaled(one.detectable, one.metric.scale), one.unit),
            )
            for one in every
        ),
        note="区间为 95%；没有看出作用不等于没有作用。",
    )


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale
