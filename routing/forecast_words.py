"""A forecast in words, Chinese and English: what is expected, how sure, and on what it stands."""

from routing.forecast import Expectation, ForecastBasis

_CERTAIN, _IMPOSSIBLE = 0.995, 0.005
_BASIS_ZH = {
    ForecastBasis.LEARNED: "按本停车场近几周规律和当前车位推算",
    ForecastBasis.SIBLINGS: "本停车场历史尚短，参照其他停车场规律和当前车位推算",
    ForecastBasis.STALE: "数据来源已中断，按中断前车位和历史规律推算，把握较小",
    ForecastBasis.PROFILE: "没有当前车位数据，仅按历史规律推算，把握较小",
}
_BASIS_EN = {
    ForecastBasis.LEARNED: "from this car park's recent weeks and its spaces now",
    ForecastBasis.SIBLINGS: "young history: from the other car parks' days and its spaces now",
    ForecastBasis.STALE: "its source is silent: from its last count and what is usual, less sure",
    ForecastBasis.PROFILE: "no count at present: only from what is usual, less sure",
}


def chance_percent(chance: float) -> str:
    """A chance as people say it: nothing in the future is quite sure."""
    if chance >= _CERTAIN:
        return "99% 以上"
    if chance <= _IMPOSSIBLE:
        return "不到 1%"
    return f"{chance:.0%}"


def chinese(expected: Expectation) -> str:
    spaces = f"约 {expected.free_mean:.0f} 个空位（八成把握在 {_between(expected)} 之间）"
    chance = chance_percent(expected.chance_of_at_least(1))
    return f"预计{spaces}，有空位的把握 {chance}；{_BASIS_ZH[expected.basis]}"


def english(expected: Expectation) -> str:
    chance = chance_percent(expected.chance_of_at_least(1))
    chance = chance.replace(" 以上", " or more").replace("不到 ", "below ")
    return (
        f"about {expected.free_mean:.0f} free spaces (80 %: {_between(expected)}), "
        f"chance of a space {chance}; {_BASIS_EN[expected.basis]}"
    )


def _between(expected: Expectation) -> str:
    return f"{expected.low:.0f}—{expected.high:.0f}"
