"""Which vital signs may be beyond their bounds: conditions for the alarms, in operators' words."""

from collections.abc import Iterable

from occupancy import congestion
from occupancy.alarm import AlarmKind, Condition, Key
from occupancy.indicator import Indicator
from occupancy.vital_signs import CONGESTION_NOW, Vital, band_words

FRESH_MS = 45 * 60_000  # an older quarter of an hour says nothing of now
PERCENT = 100.0


def vital_conditions(newest: Iterable[Vital], now_ms: int) -> list[Condition]:
    """What the newest quarter of an hour measured; whether it is too much, the rules say."""
    return [
        condition
        for vital in newest
        if now_ms - vital.query.until_ms <= FRESH_MS
        for figure in vital.figures
        if (condition := _condition(vital.query.subject, figure)) is not None
    ]


def _condition(subject: str, figure: Indicator) -> Condition | None:
    if figure.value is None:
        return None
    if figure.code == CONGESTION_NOW.code:
        band = band_words(figure)
        words = f"停车拥堵指数 {figure.value:.1f}（{band.value if band else ''}）"
        key = Key(AlarmKind.CONGESTION_HIGH, subject, figure.code)
        return Condition(key, figure.value, words)
    if figure.code == congestion.DATA_ACCESS.code:
        missing = (1 - figure.value) * PERCENT
        words = f"数据接入率 {figure.value:.0%}，缺 {missing:.0f} %"
        key = Key(AlarmKind.DATA_ACCESS_LOW, subject, figure.code)
        return Condition(key, missing, words)
    return None
