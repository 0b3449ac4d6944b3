"""Section 8, the signs one by one: did each say what was true, and say nothing when it must not."""

from occupancy.report.document import Block, Chart, Column, Kind, Missing, Section, Sentences, Table
from occupancy.report.facts import SignLine
from occupancy.report.figures import write_share
from occupancy.report.picture import Bar, IntervalBars
from occupancy.report.rules import GOOD_TRUTH, MOST_UNKNOWN
from occupancy.report.study import Study
from occupancy.report.wording import bold, listed, whole
from occupancy.sign_truth import NEAR_SHARE, NEAR_SPACES

NO_DIVERSION = (
    "看屏后改道的比例没有单独测量：计数器不知道司机看过哪块屏。"
    "要知道屏的作用，请做第 7 节的开关试验。"
)


def write(study: Study) -> Section:
    return Section(
        number=8,
        title="诱导屏逐块体检",
        question="每块屏说的是不是真的？",
        decision="定哪些屏要加、要移、要修",
        blocks=_blocks(study),
    )


def truth_of(line: SignLine) -> float | None:
    """The share of judged minutes in which it was right; None where none could be judged."""
    return 1 - line.wrong / line.judged if line.judged else None


def unknown_of(line: SignLine) -> float:
    return line.unknown / line.minutes if line.minutes else 0.0


def worst_first(line: SignLine) -> float:
    """The worst first, what could not be judged last."""
    truth = truth_of(line)
    return 2.0 if truth is None else truth


def is_bad(line: SignLine) -> bool:
    """Whether somebody should mend it."""
    truth = truth_of(line)
    is_wrong = truth is not None and truth < GOOD_TRUTH
    return is_wrong or line.stale_number > 0 or unknown_of(line) > MOST_UNKNOWN


def name_of(study: Study, line: SignLine) -> str:
    lot = study.name_of(line.lot_id)
    return f"{lot}入口屏" if line.at_entrance else f"{line.sign_id} 第 {line.line} 行（{lot}）"


def _blocks(study: Study) -> tuple[Block, ...]:
    lines = study.facts.sign_lines
    if not lines:
        return (
            Missing("这段时间没有诱导屏的显示记录：没有接入的屏，或记录从更晚开始。"),
            Missing(NO_DIVERSION),
        )
    return (
        Sentences(_sentences(study, lines)),
        _chart(study, lines),
        _table(study, lines),
        Missing(NO_DIVERSION),
    )


def _sentences(study: Study, lines: tuple[SignLine, ...]) -> tuple[str, ...]:
    bad = [one for one in lines if is_bad(one)]
    if not bad:
        said = [
            f"{bold(str(len(lines)))} 行显示都达到要求：准确率不低于 {write_share(GOOD_TRUTH, 0)}。"
        ]
    else:
        said = [
            (
                f"{len(lines)} 行显示中 {bold(str(len(bad)))} 行要修："
                f"{listed(name_of(study, one) for one in bad)}。"
            )
        ]
    judged = [one for one in lines if truth_of(one) is not None]
    if judged:
        worst = min(judged, key=worst_first)
        said.append(
            f"准确率最低的是{name_of(study, worst)}，{bold(write_share(truth_of(worst)))}。"
        )
    misled = sum(one.free_while_full for one in lines)
    stale = sum(one.stale_number for one in lines)
    said.append(
        f"满位时仍显示有位共 {whole(misled)} 分钟；数据失联时仍显示数字共 {whole(stale)} 分钟。"
    )
    if stale:
        said.append("失联时必须显示短横，出现数字就是误导，应为 0。")
    return tuple(said)


def _chart(study: Study, lines: tuple[SignLine, ...]) -> Chart:
    ordered = sorted(lines, key=worst_first)
    bars = tuple(
        Bar(
            name_of(study, one),
            None if (truth := truth_of(one)) is None else truth * 100,
            is_strong=is_bad(one),
        )
        for one in ordered
    )
    return Chart(
        name="sign_truth",
        title="显示与实际相符的时间",
        picture=IntervalBars(
            bars, unit="%", decimals=1, target=GOOD_TRUTH * 100, target_words="要求"
        ),
        reading=(
            f"条长为显示数与实际空位相差不超过 {NEAR_SPACES:.0f} 位或 {write_share(NEAR_SHARE, 0)} "
            "的时间；虚线左边的准确率不够，红色的要修（也包括失联时显示过数字的）。"
        ),
        alt="各屏显示准确率的条形图，数值同表。",
        is_wide=False,
    )


def _table(study: Study, lines: tuple[SignLine, ...]) -> Table:
    return Table(
        name="signs",
        title="诱导屏体检表",
        columns=(
            Column("屏"),
            Column("准确率", Kind.SHARE, decimals=1),
            Column("可判断", Kind.NUMBER, "分钟"),
            Column("显示不符", Kind.NUMBER, "分钟"),
            Column("满位显示有位", Kind.NUMBER, "分钟"),
            Column("失联显示数字", Kind.NUMBER, "分钟"),
            Column("屏无回读", Kind.SHARE, decimals=1),
            Column("结论"),
        ),
        rows=tuple(
            (
                *(name_of(study, one), truth_of(one), one.judged, one.wrong),
                *(one.free_while_full, one.stale_number, unknown_of(one)),
                "要修" if is_bad(one) else "正常",
            )
            for one in lines
        ),
        note="每分钟以该分钟开始时屏上回读的内容为准；显示“关”和短横不判断对错。",
    )
