"""A change somebody names: what, where, since which day; and over which days it is judged."""

from enum import StrEnum

import msgspec

from occupancy.effect.metric import Metric
from occupancy.rollup import day_start_ms


class ChangeKind(StrEnum):
    """What was changed; the words say it to planners."""

    SIGN = "sign"
    PRICE = "price"
    SPACES = "spaces"
    RULE = "rule"
    ROAD = "road"
    OTHER = "other"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    ChangeKind.SIGN: "诱导屏",
    ChangeKind.PRICE: "收费",
    ChangeKind.SPACES: "车位增减",
    ChangeKind.RULE: "管理规定",
    ChangeKind.ROAD: "周边道路",
    ChangeKind.OTHER: "其他",
}


class Change(msgspec.Struct, frozen=True):
    """Days are counted as in occupancy.calendar; `day` is the first day with the change.

    `lot_id` None: not one car park's. The effect is the whole district's all the same. `metric`
    and the days are chosen before anybody sees a result, and never afterwards.
    """

    name: str
    kind: ChangeKind
    lot_id: str | None
    place: str
    day: int
    metric: Metric
    before_days: int
    after_days: int

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last day that are looked at."""
        return self.day - self.before_days, self.day + self.after_days - 1

    def is_over(self, now_ms: int) -> bool:
        """Whether all its days have passed: nothing is judged before."""
        return now_ms >= day_start_ms(self.span[1] + 1)

    def overlaps(self, first: int, last: int) -> bool:
        """Whether it shares a day with these."""
        return self.span[0] <= last and first <= self.span[1]
