"""The rules by which conclusions are drawn: condition, threshold, and effect, as readers see."""

from occupancy.congestion import TARGET_TO
from occupancy.measures import MEASURES
from occupancy.report.document import Column, Formula, Table
from occupancy.report.figures import write_share
from occupancy.space_gap import MOST_WALK_METRES

LEAST_REFUSED_A_DAY = 5.0
LEAST_TRANSFERABLE_SHARE = 0.5
MOSTLY_TRANSFERABLE = 0.8
LEAST_NET_SPACES = 10.0
LEAST_GAP_FEN = 100
LEAST_COMPLETE = 0.95
MOST_DRIFT_A_DAY = 3.0
MOST_FINDINGS = 5
GOOD_TRUTH, MOST_UNKNOWN = 0.95, 0.05  # of a sign
FULL, FULL_HOURS, FULL_DAYS = 0.90, 3, 2  # structurally full: so full, so long, on so many days
# Of drivers who could go next door, so many do; nobody has measured it here (待核实).
FOLLOW_SIGN = (0.2, 0.5)
FOLLOW_PRICE = (0.15, 0.4)
UNSURE = "待核实"
_OURS = "三水智泊结论规则"

ADD_SIGN = "rule_add_sign"
ADD_SPACES = "rule_add_spaces"
HOLD_BUILDING = "rule_hold_building"
RE_PRICE = "rule_re_price"
MEND_SIGN = "rule_mend_sign"
MEND_SOURCE = "rule_mend_source"

_ENOUGH_REFUSED = f"日均拒停 ≥ {LEAST_REFUSED_A_DAY:.0f} 辆"
_WALK = f"步行 {MOST_WALK_METRES} 米内"


def _between(shares: tuple[float, float]) -> str:
    return f"{shares[0]:.0%}—{shares[1]:.0%}（{UNSURE}）"


RULES: tuple[Formula, ...] = (
    Formula(
        ADD_SIGN,
        "加屏",
        f"{_ENOUGH_REFUSED}，且其中 {LEAST_TRANSFERABLE_SHARE:.0%} 以上在{_WALK}有位可去"
        " → 在来路上加诱导屏；"
        f"预计效果＝日均可转移辆数 × 看屏改道率 {_between(FOLLOW_SIGN)}",
        "辆/日",
        _OURS,
    ),
    Formula(
        ADD_SPACES,
        "加泊位",
        f"日均净缺口 ≥ {LEAST_REFUSED_A_DAY:.0f} 辆、折合 ≥ {LEAST_NET_SPACES:.0f} 位，"
        "且结构性满位 → 增加泊位；预计效果＝日均净缺口，区间随拒停估计",
        "辆/日",
        _OURS,
    ),
    Formula(
        HOLD_BUILDING,
        "暂缓扩建",
        f"{_ENOUGH_REFUSED}，但 {MOSTLY_TRANSFERABLE:.0%} 以上可转移、"
        f"折合净缺不足 {LEAST_NET_SPACES:.0f} 位 → 先引导，暂不扩建",
        "位",
        _OURS,
    ),
    Formula(
        RE_PRICE,
        "调价",
        f"{_ENOUGH_REFUSED}的一场，停 2 小时比{_WALK}有空位的邻场便宜 "
        f"≥ {LEAST_GAP_FEN / 100:.0f} 元 → 缩小价差；"
        f"预计效果＝日均可转移到该邻场的辆数 × 价格改道率 {_between(FOLLOW_PRICE)}",
        "辆/日",
        _OURS,
    ),
    Formula(
        MEND_SIGN,
        "修屏",
        f"某行准确率低于 {GOOD_TRUTH:.0%}，或数据失联时显示过数字，"
        f"或 {MOST_UNKNOWN:.0%} 以上时间没有回读 → 检修",
        "分钟",
        _OURS,
    ),
    Formula(
        MEND_SOURCE,
        "修数据源",
        f"数据完整率低于 {LEAST_COMPLETE:.0%}，"
        f"或每日漂移平均达到 {MOST_DRIFT_A_DAY:.0f} 辆 → 检修计数和网络",
        "小时",
        _OURS,
    ),
    Formula(
        "rule_tight",
        "紧张时段",
        f"同类日子该小时平均占有率 ≥ {write_share(TARGET_TO, 0)}",
        "",
        _OURS,
    ),
    Formula(
        "rule_structural",
        "结构性满位",
        f"占有率 ≥ {FULL:.0%} 每天满 {FULL_HOURS} 小时，每周至少 {FULL_DAYS} 天",
        "天/周",
        "停车规划指标",
    ),
    Formula(
        "first_in_first_out",
        "停放时长分布（推算）",
        "第 n 辆进场的时刻到（在场数＋n）辆离场的时刻；假定先进先出，均值可信、分布偏窄",
        "分钟",
        "累计曲线法",
    ),
    Formula(
        "expected_peak",
        "预计日高峰",
        "同类日子（工作日、周末、法定节假日）日高峰小时占有率的第 10、50、90 百分位",
        "比例",
        "三水智泊",
    ),
)
WHAT_NEXT = f"满足条件的按预计效果排列，最多 {MOST_FINDINGS} 条；一条都不满足就不提建议。"


def formulas() -> tuple[Formula, ...]:
    """Of the indicators and of the conclusions, for the formulas sheet."""
    measures = tuple(
        Formula(one.code, one.name, one.formula, one.unit, one.source) for one in MEASURES.values()
    )
    return (*measures, *RULES)


def as_table() -> Table:
    """The rules of the conclusions with their thresholds."""
    return Table(
        name="rules",
        title="结论规则与阈值",
        columns=(Column("规则"), Column("条件、结论和预计效果"), Column("单位")),
        rows=tuple((one.name, one.formula, one.unit or None) for one in RULES),
        note=WHAT_NEXT + "指标公式见公式表。",
    )
