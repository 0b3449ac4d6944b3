"""Two reports beside each other in words: what got tighter, what was advised then and is now."""

from occupancy.report.document import Finding, Findings, Report, Table
from occupancy.report.figures import write_number
from occupancy.report.period import PeriodKind
from occupancy.report.wording import bold, listed

BY_LOT, LOT, INDEX = "vitals_by_lot", 0, 1
PLACES = 1  # an index is written with one decimal


def compare(ours: Report, theirs: Report) -> tuple[str, ...]:
    """Sentences, the most telling first; each difference is that of the numbers as written."""
    return (*_unlike(ours, theirs), *_tighter(ours, theirs), *_advised(ours, theirs))


def _unlike(ours: Report, theirs: Report) -> list[str]:
    """What makes the two hard to compare."""
    said = []
    if ours.period.days != theirs.period.days and PeriodKind.MONTH not in (
        ours.period.kind,
        theirs.period.kind,
    ):
        said.append(f"两个时段不一样长：{ours.period.days} 天和 {theirs.period.days} 天。")
    if ours.method_version != theirs.method_version:
        said.append(
            f"算法版本不同（{ours.method_version} 和 {theirs.method_version}），"
            "差别可能来自算法：请用现在的版本重新生成旧报告再比。"
        )
    only_ours = [one.name for one in ours.lots if one.lot_id not in _ids(theirs)]
    only_theirs = [one.name for one in theirs.lots if one.lot_id not in _ids(ours)]
    for where, names in ((ours, only_ours), (theirs, only_theirs)):
        if names:
            said.append(f"只有 {where.period.title}有的车场：{listed(names)}。")
    return said


def _ids(report: Report) -> set[str]:
    return {one.lot_id for one in report.lots}


def _tighter(ours: Report, theirs: Report) -> list[str]:
    """Whose congestion index changed most, each way."""
    now, then = indices(ours), indices(theirs)
    changes = {
        lot: round(now[lot], PLACES) - round(then[lot], PLACES) for lot in now if lot in then
    }
    if not changes:
        return ["两份报告没有可以对比的车场指数。"]
    said = []
    up = max(changes, key=lambda lot: changes[lot])
    down = min(changes, key=lambda lot: changes[lot])
    for lot, word in ((up, "变紧最多"), (down, "缓解最多")):
        by = changes[lot]
        if (by > 0) is (word == "变紧最多") and round(by, PLACES):
            said.append(
                f"{word}的是{bold(lot)}：拥堵指数由 {write_number(then[lot], PLACES)} "
                f"变为 {write_number(now[lot], PLACES)}。"
            )
    return said or ["各场拥堵指数都没有变化。"]


def indices(report: Report) -> dict[str, float]:
    """The congestion index of each car park that has one, by its name."""
    tables = (
        block
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Table) and block.name == BY_LOT
    )
    rows = (row for table in tables for row in table.rows)
    found = ((str(row[LOT]), row[INDEX]) for row in rows)
    return {lot: float(index) for lot, index in found if isinstance(index, int | float)}


def _advised(ours: Report, theirs: Report) -> list[str]:
    """Conclusions by rule and car parks: the same one may have other numbers by now."""
    now, then = _findings(ours), _findings(theirs)
    new = [one.action for key, one in now.items() if key not in then]
    gone = [one.action for key, one in then.items() if key not in now]
    still = [one.action for key, one in now.items() if key in then]
    parts = (("新提出的建议", new), ("仍然成立的建议", still), ("不再成立的建议", gone))
    return [f"{word}：{'；'.join(actions)}。" for word, actions in parts if actions]


def _findings(report: Report) -> dict[tuple[str, tuple[str, ...]], Finding]:
    return {
        (one.rule, tuple(sorted(one.lots))): one
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Findings)
        for one in block.findings
    }
