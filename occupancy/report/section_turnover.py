"""Section 5, in, out and turnover: how many come, how long they stay, how often a bay is used."""

from typing import NamedTuple

from occupancy import congestion
from occupancy.report import first_out
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_number
from occupancy.report.picture import CumulativeFlow, StayHistogram
from occupancy.report.prices import price_steps
from occupancy.report.study import DayKind, LotStudy, Study
from occupancy.report.wording import bold, no_figures, ranged, whole
from occupancy.rollup import Window, local_day

QUARTERS_A_DAY = 96
HOURS_A_QUARTER = 0.25
EDGES_MINUTES = (0.0, 15, 30, 60, 90, 120, 180, 240, 300, 360, 480, 600, 720)
MOST_STEPS = 5


class Flow(NamedTuple):
    """The mean day of a kind: present at midnight, then cars in and out since, by quarters."""

    entered: tuple[float, ...]
    left: tuple[float, ...]
    days: int

    @property
    def present(self) -> tuple[float, ...]:
        return tuple(one - other for one, other in zip(self.entered, self.left, strict=True))


def write(study: Study) -> Section:
    return Section(
        number=5,
        title="进出与周转",
        question="来了多少车、停多久、一个泊位一天用几次？",
        decision="定限时停放的对象与时长",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    if not study.known:
        return (Missing(no_figures(study.grounds.reason)),)
    busiest = max(study.known, key=lambda one: one.turnover.value or 0.0)
    table = _table(study)
    blocks: list[Block] = [Sentences((*_sentences(study, busiest), *study.why_unknown())), table]
    for kind in DayKind:
        flow = mean_day(study, busiest, kind)
        if flow is not None:
            blocks.append(_flow_chart(busiest, kind, flow))
            break
    return (*blocks, _histogram(study, busiest))


def mean_day(study: Study, lot: LotStudy, kind: DayKind) -> Flow | None:
    """Cars in and out on the mean of the days of a kind that were told whole."""
    days: dict[int, list[Window]] = {}
    for one in lot.seen.windows:
        days.setdefault(local_day(one.start_ms), []).append(one)
    whole_days = [
        windows
        for day, windows in days.items()
        if study.kind_of(day) is kind
        and len(windows) == QUARTERS_A_DAY
        and all(one.told_ms for one in windows)
    ]
    if not whole_days:
        return None
    count = len(whole_days)
    start = sum(part[0].occupied_ms / part[0].told_ms for part in whole_days) / count
    entered, left = [start], [0.0]
    for place in range(QUARTERS_A_DAY):
        entered.append(entered[-1] + sum(part[place].entries for part in whole_days) / count)
        left.append(left[-1] + sum(part[place].exits for part in whole_days) / count)
    return Flow(tuple(entered), tuple(left), count)


def _sentences(study: Study, busiest: LotStudy) -> tuple[str, ...]:
    district = congestion.turnover(*(one.seen for one in study.known))
    entries = sum(one.seen.total("entries") for one in study.known)
    stay = congestion.mean_stay_derived(*(one.seen for one in study.known))
    top = busiest.turnover
    said = [
        (
            f"共进场 {bold(whole(entries))} 辆次，每个泊位每天用 "
            f"{bold(write_number(district.value, 2))} 次；"
            f"最高的是{busiest.name}，{write_number(top.value, 2)} 次。"
        )
    ]
    if stay.value is not None:
        said.append(
            f"平均停放 {ranged(stay, whole)}分钟：计数器不认得单辆车，"
            "由在场车辆数和进场数按利特尔定律推算，括号内为 95% 区间。"
        )
    return tuple(said)


def _table(study: Study) -> Table:
    rows = []
    for one in study.known:
        turnover, stay = one.turnover, one.mean_stay
        days = one.open_days
        entries, exits = one.seen.total("entries"), one.seen.total("exits")
        late = one.seen.total("entries_late") + one.seen.total("exits_late")
        rows.append(
            (
                *(one.name, entries, exits, entries / days if days else None),
                *(turnover.value, stay.value, stay.low, stay.high),
                *(late, one.grounds.completeness),
            )
        )
    total = study.known
    district, stay = (
        congestion.turnover(*(one.seen for one in total)),
        congestion.mean_stay_derived(*(one.seen for one in total)),
    )
    entries = sum(one.seen.total("entries") for one in total)
    rows.append(
        (
            "合计",
            entries,
            sum(one.seen.total("exits") for one in total),
            entries / study.open_days if study.open_days else None,
            *(district.value, stay.value, stay.low, stay.high),
            sum(one.seen.total("entries_late") + one.seen.total("exits_late") for one in total),
            district.completeness,
        )
    )
    return Table(
        name="turnover",
        title="进出、周转与平均停放时间",
        columns=(
            Column("车场"),
            Column("进场", Kind.NUMBER, "辆次"),
            Column("出场", Kind.NUMBER, "辆次"),
            Column("日均进场", Kind.NUMBER, "辆次"),
            Column("周转率", Kind.NUMBER, "次/泊位·日", 2),
            Column("平均停放", Kind.NUMBER, "分钟"),
            Column("下限", Kind.NUMBER, "分钟"),
            Column("上限", Kind.NUMBER, "分钟"),
            Column("中断后补记", Kind.NUMBER, "辆次"),
            Column("数据完整率", Kind.SHARE, decimals=1),
        ),
        rows=tuple(rows),
        note="中断后补记：通信恢复后才知道的进出，数目准确、时刻不准。平均停放为推算值。",
    )


def _flow_chart(lot: LotStudy, kind: DayKind, flow: Flow) -> Chart:
    most = max(range(len(flow.present)), key=lambda place: flow.present[place])
    hour = most * HOURS_A_QUARTER
    present = flow.present[most]
    clock = f"{int(hour):02d}:{int(hour % 1 * 60):02d}"
    return Chart(
        name="cumulative_flow",
        title=f"{lot.name}{kind.value}累计进出（{flow.days} 天平均）",
        picture=CumulativeFlow(
            hours=tuple(place * HOURS_A_QUARTER for place in range(len(flow.entered))),
            entered=flow.entered,
            left=flow.left,
            mark_hour=hour,
            mark_words=f"在场 {whole(present)}",
        ),
        reading=(
            f"两线的竖距是在场车数，横距是停放时间；{clock} 在场最多，为 {whole(present)} 辆。"
            f"进场线从零点已在场的 {whole(flow.entered[0])} 辆算起。"
        ),
        alt=f"{lot.name}{kind.value}一天的累计进场与累计离场两条线，{clock} 相距最大。",
        is_wide=False,
    )


def _histogram(study: Study, lot: LotStudy) -> Chart:
    counts = first_out.histogram(lot.stays, EDGES_MINUTES)
    total = sum(counts)
    steps = price_steps(study, lot)[:MOST_STEPS]
    place = max(range(len(counts)), key=lambda number: counts[number])
    span = f"{whole(EDGES_MINUTES[place])}—{whole(EDGES_MINUTES[place + 1])} 分钟"
    return Chart(
        name="stays",
        title=f"{lot.name}停放时长分布（先进先出推算，偏窄）",
        picture=StayHistogram(edges_minutes=EDGES_MINUTES, counts=counts, steps=steps),
        reading=(
            f"按先进先出推算，最多的一档是 {span}，{whole(counts[place])} 辆次；均值可信，"
            f"真实分布比图上更散；最后一档含更长的。竖线是前 {MOST_STEPS} 个价格变动处。"
            if total
            else "没有一整天连续的数据，推算不出停放时长。"
        ),
        alt=f"{lot.name}停放时长直方图，{len(counts)} 档。",
        is_wide=False,
    )
