"""What is measured of the whole district: its name, its unit, and which way is good."""

from enum import StrEnum


class Metric(StrEnum):
    """District totals: a driver sent away from one car park appears at another."""

    REFUSED = "refused"
    SATURATED_MINUTES = "saturated_minutes"
    FOUND = "found"
    BALANCE = "balance"
    CHOSEN = "chosen"  # of drivers, where some are held out

    @property
    def words(self) -> str:
        return _ABOUT[self][0]

    @property
    def unit(self) -> str:
        return _ABOUT[self][1]

    @property
    def decimals(self) -> int:
        return 1

    @property
    def scale(self) -> float:
        """What a value is multiplied with to be read: shares are shown in percent."""
        return 1.0 if self.is_sum else 100.0

    @property
    def is_sum(self) -> bool:
        """A sum over the block's time, not a share or a mean."""
        return self in (Metric.REFUSED, Metric.SATURATED_MINUTES)

    @property
    def more_is_better(self) -> bool:
        return not self.is_sum


_ABOUT = {
    Metric.REFUSED: ("被拒车辆", "辆"),
    Metric.SATURATED_MINUTES: ("满位时长", "车场·分钟"),
    Metric.FOUND: ("到场有位率", "个百分点"),
    Metric.BALANCE: ("全区均衡度", "个百分点"),
    Metric.CHOSEN: ("按建议出发的比例", "个百分点"),
}
OF_BLOCKS = (Metric.REFUSED, Metric.SATURATED_MINUTES, Metric.FOUND, Metric.BALANCE)
