"""The indicators of section 2: of this period, of the one before, of a year ago, and the target."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from occupancy import congestion, vitals
from occupancy.balance import balance
from occupancy.congestion import TARGET_TO
from occupancy.indicator import Indicator
from occupancy.observed import Observed
from occupancy.report.document import Kind
from occupancy.report.figures import write_figure
from occupancy.report.study import Study

ACCESS_TARGET = 0.80  # 数据接入率: city plan 2022-2024
INDEX_TARGET = 6.0  # from here on 紧张
Of = Callable[..., Indicator]


class Wanted(NamedTuple):
    """How an indicator is shown, and what it should be; `is_most`: no more than the target."""

    code: str
    name: str
    unit: str
    kind: Kind
    decimals: int
    target: float | None = None
    is_most: bool = True

    def write(self, value: float | None) -> str:
        return write_figure(value, self.kind, self.decimals)


class Sign(NamedTuple):
    """One indicator of the district with what it is held against."""

    wanted: Wanted
    now: Indicator
    before: float | None
    year: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is none, or no figure."""
        if self.wanted.target is None or self.now.value is None:
            return None
        if self.wanted.is_most:
            return self.now.value <= self.wanted.target
        return self.now.value >= self.wanted.target


INDEX = Wanted("congestion_index", "停车拥堵指数", "0—10", Kind.NUMBER, 1, INDEX_TARGET)
PEAK = Wanted("peak_hour_saturation", "高峰饱和度", "", Kind.SHARE, 1, TARGET_TO)
TURNOVER = Wanted("turnover", "泊位周转率", "次/泊位·日", Kind.NUMBER, 2)
OCCUPANCY = Wanted("mean_occupancy", "平均占有率", "", Kind.SHARE, 1)
FULL = Wanted("full_time_share", "满位时间占比", "", Kind.SHARE, 1)
TARGET = Wanted("target_share", "目标区间占比", "", Kind.SHARE, 1)
FOUND = Wanted("found_space", "到达即有位概率", "", Kind.SHARE, 1)
BALANCE = Wanted("balance", "均衡度", "", Kind.SHARE, 1)
ACCESS = Wanted("data_access_rate", "数据接入率", "", Kind.SHARE, 1, ACCESS_TARGET, is_most=False)

_PLAIN: Sequence[tuple[Wanted, Of]] = (
    (PEAK, congestion.peak_hour_saturation),
    (TURNOVER, congestion.turnover),
    (OCCUPANCY, congestion.mean_occupancy),
    (FULL, congestion.full_time_share),
    (TARGET, congestion.target_share),
    (BALANCE, balance),
    (ACCESS, congestion.data_access_rate),
)


def signs_of(study: Study) -> tuple[Sign, ...]:
    """The index first."""
    plain = (_sign(study, wanted, of) for wanted, of in _PLAIN)
    return (_index(study), *plain, _sign(study, FOUND, study.found_space))


def _sign(study: Study, wanted: Wanted, of: Of) -> Sign:
    return Sign(wanted, of(*study.seen), _past(of, study.before), _past(of, study.year))


def _index(study: Study) -> Sign:
    now = vitals.congestion_index(*((one.seen, one.refusals) for one in study.lots))
    of = partial(_index_of, study)
    return Sign(INDEX, now, _past(of, study.before), _past(of, study.year))


def _index_of(study: Study, *seen: Observed) -> Indicator:
    return vitals.congestion_index(*((one, study.refusals_of(one)) for one in seen))


def _past(of: Of, seen: Sequence[Observed]) -> float | None:
    """None, too, where there was nothing to look at."""
    if not any(one.total("told_ms") for one in seen):
        return None
    return of(*seen).value
