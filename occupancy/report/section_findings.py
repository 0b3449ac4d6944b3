"""Section 1, conclusions: what to approve; and the headline, made of the same numbers."""

from occupancy.report import findings, rules
from occupancy.report.document import Finding, Findings, Section, Sentences
from occupancy.report.hourly import hours_of
from occupancy.report.section_when_where import tight_words
from occupancy.report.study import LotStudy, Study
from occupancy.report.vital_signs import INDEX, Sign
from occupancy.report.wording import (
    bold,
    not_known,
    tenths,
    this_period,
    whole,
)
from occupancy.vitals import band_of

NOTHING = "没有一条规则的条件得到满足，本期不提建议。"


def write(study: Study) -> Section:
    found = findings.find(study)
    nothing = "" if found else _nothing(study)
    words = [
        f"{rules.WHAT_NEXT}规则和阈值见第 12 节；费用一律{rules.UNSURE}。",
        *study.why_unknown(),
    ]
    return Section(
        number=1,
        title="结论与建议",
        question="批什么、先做哪件？",
        decision="批准事项",
        blocks=(Findings(found, nothing), Sentences(tuple(words))),
    )


def findings_of(section: Section) -> tuple[Finding, ...]:
    return next(block.findings for block in section.blocks if isinstance(block, Findings))


def _nothing(study: Study) -> str:
    if not study.known:
        return f"数据不足，不能提建议：{study.grounds.reason or '报告里没有车场'}。"
    return NOTHING


def headline(study: Study, index: Sign, found: tuple[Finding, ...]) -> str:
    """The paragraph at the top."""
    if not study.has_data:
        return f"{this_period(study.period)}没有收到数据，不能作出结论。"
    said = [_index_words(study, index)]
    short = [one for one in study.known if (one.refused_a_day or 0) >= rules.LEAST_REFUSED_A_DAY]
    if short:
        said += [_worst(study, max(short, key=lambda one: one.refused_a_day or 0)), _whose(study)]
    elif study.known:
        said.append(f"没有车场日均拒停达到 {whole(rules.LEAST_REFUSED_A_DAY)} 辆。")
    if found:
        said.append(f"建议 {bold(str(len(found)))} 条，先做的是：{found[0].action}。")
    elif study.known:
        said.append(NOTHING)
    return "".join(said)


def _index_words(study: Study, index: Sign) -> str:
    if index.now.value is None:
        return f"{this_period(study.period)}全区停车拥堵指数{not_known(index.now)}。"
    band = band_of(index.now.value).value
    return f"全区停车拥堵指数 {bold(INDEX.write(index.now.value))}，{band}。"


def _worst(study: Study, lot: LotStudy) -> str:
    words = tight_words(hours_of([lot.seen], study.kind_of))
    when = f"{words}最紧，" if words else ""
    return f"{lot.name}{when}估计日均 {bold(tenths(lot.refused_a_day or 0))} 辆车到场无位。"


def _whose(study: Study) -> str:
    """Distribution against quantity, over all car parks."""
    moved = sum(gap.transferable.value or 0.0 for gap in study.gaps.values())
    net = sum(gap.net.value or 0.0 for gap in study.gaps.values())
    numbers = f"附近有位可转移 {whole(moved)} 辆，附近也没有位 {whole(net)} 辆"
    if moved > net:
        return f"缺口主要是{bold('分布')}问题，不是总量问题（{numbers}）。"
    return f"缺口主要是{bold('总量')}问题（{numbers}）。"
