"""Section 10, the construction plan: planned, built, connected, and what opening one changed."""

from collections.abc import Sequence

from occupancy import congestion
from occupancy.calendar import date_of
from occupancy.observed import Observed
from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.figures import write_share
from occupancy.report.picture import Bar, IntervalBars
from occupancy.report.study import LotStudy, Study
from occupancy.report.wording import bold, date_words, listed, whole
from occupancy.rollup import local_day
from occupancy.site import Site, Stage

STAGES = {
    Stage.PLANNED: "规划",
    Stage.BUILDING: "在建",
    Stage.BUILT: "已建成",
    Stage.DROPPED: "已取消",
}
UNSURE = "待核实"


def write(study: Study) -> Section:
    return Section(
        number=10,
        title="建设计划进度",
        question="规划的泊位建成、开放、接入了多少，开放以后有什么变化？",
        decision="定下一批选址",
        blocks=_blocks(study),
    )


def _blocks(study: Study) -> tuple[Block, ...]:
    sites = [site for site in study.facts.sites if site.stage is not Stage.DROPPED]
    if not sites:
        return (Missing("还没有录入建设项目：请在“建设项目”页（/reports/sites）填写。"),)
    return (Sentences(_sentences(study, sites)), _chart(study, sites), _table(study, sites))


def is_connected(study: Study, site: Site) -> bool:
    """Whether its data had arrived by the period's end."""
    first_ms = study.facts.first_data_ms.get(site.lot_id)
    return first_ms is not None and first_ms < study.facts.end_ms


def _sentences(study: Study, sites: Sequence[Site]) -> tuple[str, ...]:
    built = [site for site in sites if site.stage is Stage.BUILT]
    connected = [site for site in sites if is_connected(study, site)]
    said = [
        (
            f"{len(sites)} 个项目，已建成 {bold(str(len(built)))} 个"
            f"、{bold(_sum(built, 'built_spaces'))} 个泊位，"
            f"数据已接入 {bold(str(len(connected)))} 个、{_sum(connected, 'built_spaces')} 个泊位。"
        )
    ]
    coming = [site for site in sites if site.stage in (Stage.PLANNED, Stage.BUILDING)]
    if coming:
        said.append(
            f"规划和在建 {len(coming)} 个，规划泊位合计 {_sum(coming, 'planned_spaces')} 个。"
        )
    undated = [site.name for site in built if site.opened_on is None]
    if undated:
        who = "已建成项目" if len(undated) == len(built) else listed(undated)
        said.append(f"{who}的开放日期{UNSURE}，不能作开放前后的对比。")
    said += [words for site in built if (words := effect_words(study, site))]
    if any(site.placeholders for site in sites):
        said.append(f"表中标“{UNSURE}”的各项没有人确认过，请在“建设项目”页补正。")
    return tuple(said)


def _sum(sites: Sequence[Site], field: str) -> str:
    """Of those that are known; — where none is."""
    known = [getattr(site, field) for site in sites if getattr(site, field) is not None]
    return whole(sum(known)) if known else "—"


def effect_words(study: Study, site: Site) -> str:
    """What the others' use was before it opened and since; only where it opened lately."""
    if site.opened_on is None:
        return ""
    judged = [one.evidence for one in study.facts.openings if one.site_id == site.site_id]
    if judged:
        opened = f"{site.name} {date_words(site.opened_on)}开放前后全区对比（中断时间序列）："
        return opened + judged[0].words
    parts = before_and_since(study, site)
    if parts is None:
        return ""
    before, since = parts
    return (
        f"{site.name} {date_words(site.opened_on)}开放后，其余车场的平均占有率由 "
        f"{write_share(before)} 变为 {write_share(since)}；同期的季节和节假日没有扣除。"
    )


def before_and_since(study: Study, site: Site) -> tuple[float, float] | None:
    """Mean occupancy of the other car parks, of the two periods' days before and since."""
    if site.opened_on is None:
        return None
    others = [one for one in study.lots if one.lot.lot_id != site.lot_id]
    first, last = study.period.previous().first, date_of(study.days[-1])
    if not others or not first < site.opened_on <= last:
        return None
    opened = site.opened_on.toordinal() - date_of(0).toordinal()
    halves = [
        [
            _part(seen, opened, is_since=is_since)
            for one in others
            for seen in (one.before, one.seen)
        ]
        for is_since in (False, True)
    ]
    found = [congestion.mean_occupancy(*half).value for half in halves]
    before, since = found
    return None if before is None or since is None else (before, since)


def _part(seen: Observed, day: int, *, is_since: bool) -> Observed:
    windows = tuple(one for one in seen.windows if (local_day(one.start_ms) >= day) is is_since)
    return Observed(seen.facts, seen.period, seen.minutes, windows)


def _chart(study: Study, sites: Sequence[Site]) -> Chart:
    parts = (
        ("规划和在建", [site for site in sites if site.stage is not Stage.BUILT], "planned_spaces"),
        ("已建成", [site for site in sites if site.stage is Stage.BUILT], "built_spaces"),
        ("数据已接入", [site for site in sites if is_connected(study, site)], "built_spaces"),
    )
    bars = tuple(
        Bar(name, sum(getattr(site, field) or 0 for site in part), note=f"（{len(part)} 个项目）")
        for name, part, field in parts
        if part
    )
    return Chart(
        name="sites",
        title="泊位的进度",
        picture=IntervalBars(bars, unit="位"),
        reading="规划和在建按规划泊位计，建成和接入按建成泊位计；泊位数不明的项目按 0 计。",
        alt="规划、建成、接入泊位数的条形图。",
        is_wide=False,
    )


def _table(study: Study, sites: Sequence[Site]) -> Table:
    lots = {one.lot.lot_id: one for one in study.lots}
    return Table(
        name="sites",
        title="建设项目",
        columns=(
            Column("项目"),
            Column("阶段"),
            Column("规划泊位", Kind.NUMBER, "位"),
            Column("建成泊位", Kind.NUMBER, "位"),
            Column("开放日期", Kind.DATE),
            Column("数据接入", Kind.DATE),
            Column("平均占有率", Kind.SHARE, decimals=1),
            Column("周转率", Kind.NUMBER, "次/泊位·日", 2),
            Column("待核实"),
        ),
        rows=tuple(
            (
                *(site.name, STAGES[site.stage], site.planned_spaces, site.built_spaces),
                None if site.opened_on is None else site.opened_on.isoformat(),
                _connected_on(study, site),
                *_use(lots.get(site.lot_id)),
                listed(_UNSURE_WORDS[name] for name in site.placeholders) or None,
            )
            for site in sites
        ),
        note="是否接入以历史数据为准。",
    )


_UNSURE_WORDS = {
    "name": "名称",
    "address": "位置",
    "planned_spaces": "规划泊位",
    "built_spaces": "建成泊位",
    "opened_on": "开放日期",
}


def _connected_on(study: Study, site: Site) -> str | None:
    first_ms = study.facts.first_data_ms.get(site.lot_id)
    if first_ms is None or first_ms >= study.facts.end_ms:
        return None
    return date_of(local_day(first_ms)).isoformat()


def _use(lot: LotStudy | None) -> tuple[float | None, float | None]:
    if lot is None:
        return None, None
    return congestion.mean_occupancy(lot.seen).value, congestion.turnover(lot.seen).value
