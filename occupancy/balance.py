"""How evenly the car parks are used: all alike, or one full beside an empty one."""

from collections.abc import Sequence

from occupancy.indicator import Indicator, Measure, judge
from occupancy.observed import LEAST_TOLD, Observed, grounds

LEAST_LOTS = 2
BALANCE = Measure(
    "balance",
    "均衡度",
    "比例",
    "1 − Σ C_i |o_i − o| ÷（2 o (1 − o) Σ C_i），逐时段计算后取平均；"
    "C 可用车位，o_i 各场占有率，o 全区占有率",
    "停车规划指标",
)


def balance(*lots: Observed) -> Indicator:
    """均衡度: 1 - sum C_i |o_i - o| / (2 o (1 - o) sum C_i), mean over windows; 0 to 1. Planning.

    Windows in which one of the car parks said nothing do not count, nor those in which all stood
    empty or all were full: nothing can be uneven then.
    """
    values = [value for shares in _by_window(lots) if (value := balance_of(shares)) is not None]
    value = sum(values) / len(values) if values else None
    return judge(BALANCE, grounds(*lots), value, otherwise="没有两个以上停车场同时有数据的时段")


def balance_of(lots: Sequence[tuple[float, float]]) -> float | None:
    """Of cars and usable spaces a car park, at one time; None where it has no meaning."""
    cars, spaces = (sum(one[part] for one in lots) for part in (0, 1))
    if len(lots) < LEAST_LOTS or not 0 < cars < spaces:
        return None
    mean = cars / spaces
    apart = sum(abs(one_cars - one_spaces * mean) for one_cars, one_spaces in lots)
    return 1 - apart / (2 * mean * (1 - mean) * spaces)


def _by_window(lots: Sequence[Observed]) -> list[list[tuple[float, float]]]:
    """The means of all open car parks, of windows in which each of them spoke."""
    found: dict[int, list[tuple[float, float]]] = {}
    silent: set[int] = set()
    for lot in lots:
        for one in lot.windows:
            if one.completeness >= LEAST_TOLD:
                means = (one.occupied_ms / one.told_ms, one.usable_ms / one.told_ms)
                found.setdefault(one.start_ms, []).append(means)
            else:
                silent.add(one.start_ms)
    return [means for at, means in sorted(found.items()) if at not in silent]
