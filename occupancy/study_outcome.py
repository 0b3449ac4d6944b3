"""What came of a study, as planners read it: each difference in words that its interval bears."""

import msgspec

NAMES = {
    "entries": "进场",
    "refused": "到场无位",
    "gave_up": "放弃停车",
    "full_minutes": "满位时间",
    "walk_metres": "平均步行",
    "search_minutes": "平均找位",
    "occupancy": "平均占用率",
    "revenue_fen": "收费",
}
_FEN = 100
# whether less of it is what a city wants; of the others it depends
LESS_IS_BETTER = frozenset({"refused", "gave_up", "full_minutes", "walk_metres", "search_minutes"})
LOOSE_FIT = 0.35  # above it the hours of the fitted town are not those of the record
LOOSE_TOTAL = 0.05


class Difference(msgspec.Struct, frozen=True):
    """One figure without and with the change; an empty `lot_id` is the district."""

    name: str
    lot_id: str
    unit: str
    without: float
    with_change: float
    difference: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """The interval leaves no change out."""
        return self.low > 0 or self.high < 0

    @property
    def title(self) -> str:
        return NAMES.get(self.name, self.name)

    @property
    def verdict(self) -> str:
        if not self.is_sure:
            return "看不出差别"
        return "增加" if self.difference > 0 else "减少"

    @property
    def is_better(self) -> bool | None:
        """None where nothing is sure, or where more is neither better nor worse."""
        if not self.is_sure or self.name not in LESS_IS_BETTER:
            return None
        return self.difference < 0


class Fit(msgspec.Struct, frozen=True):
    """How the fitted town compares with the record of one car park, a mean day."""

    lot_id: str
    recorded_entries_a_day: float
    fitted_entries_a_day: float
    recorded_occupied: float
    fitted_occupied: float
    hourly_error: float

    @property
    def is_loose(self) -> bool:
        off = abs(self.fitted_entries_a_day - self.recorded_entries_a_day)
        return self.hourly_error > LOOSE_FIT or off > LOOSE_TOTAL * self.recorded_entries_a_day


class StudyOutcome(msgspec.Struct, frozen=True):
    """Whatever else the player says is not ours to read."""

    method_version: str
    fits: tuple[Fit, ...]
    differences: tuple[Difference, ...]
    seeds: int
    days: int

    @property
    def of_district(self) -> list[Difference]:
        return [in_yuan(one) for one in self.differences if not one.lot_id]

    def of_lot(self, lot_id: str) -> list[Difference]:
        return [in_yuan(one) for one in self.differences if one.lot_id == lot_id]

    @property
    def sentences(self) -> list[str]:
        """What may be said of the district, each from one row of its table."""
        return [sentence(one) for one in self.of_district if one.name in _SAID]


_SAID = ("refused", "full_minutes", "gave_up", "revenue_fen")


def read_outcome(outcome: str) -> StudyOutcome:
    return msgspec.json.decode(outcome, type=StudyOutcome)


def in_yuan(one: Difference) -> Difference:
    """Money as people read it; everything else as it is."""
    if not one.unit.startswith("分/"):
        return one
    values = (one.without, one.with_change, one.difference, one.low, one.high)
    return Difference(
        one.name, one.lot_id, one.unit.replace("分", "元", 1), *(value / _FEN for value in values)
    )


def sentence(one: Difference) -> str:
    if not one.is_sure:
        return (
            f"{one.title}看不出差别：相差 {number(one.difference)} {one.unit}，"
            f"95% 区间 {number(one.low)} 至 {number(one.high)}，含零。"
        )
    return (
        f"{one.title}{one.verdict} {number(abs(one.difference))} {one.unit}"
        f"（95% 区间 {_between(one)}），由 {number(one.without)} 变为 {number(one.with_change)}。"
    )


def _between(one: Difference) -> str:
    ends = sorted((abs(one.low), abs(one.high)))
    return f"{number(ends[0])} 至 {number(ends[1])}"


def number(value: float) -> str:
    """As many digits as a planner reads: none from a hundred on, two below one."""
    digits = 0 if abs(value) >= _FEN else 1 if abs(value) >= 1 else 2
    written = f"{abs(value):,.{digits}f}"
    return f"−{written}" if value < 0 and written.strip("0.") else written
