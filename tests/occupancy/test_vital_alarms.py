"""A vital sign beyond its rule raises an alarm by the machinery that raises the others."""

import msgspec
import pytest

from occupancy import congestion
from occupancy.alarm import RULES, AlarmKind, Rulebook, step
from occupancy.indicator import Indicator
from occupancy.vital_alarms import FRESH_MS, vital_conditions
from occupancy.vital_signs import CONGESTION_NOW, QUARTER_MS, Grain, Vital, VitalQuery
from tests.builders import MORNING_MS

END_MS = MORNING_MS + QUARTER_MS


def figure(code: str, value: float | None) -> Indicator:
    measure = {CONGESTION_NOW.code: CONGESTION_NOW, "access": congestion.DATA_ACCESS}[code]
    return Indicator(measure.code, measure.name, measure.unit, value, measure.basis, 1.0)


def vital(subject: str, *figures: Indicator) -> Vital:
    query = VitalQuery(subject, Grain.QUARTER, MORNING_MS, END_MS, ())
    return Vital(1, END_MS, query, figures, "")


def raised(*vitals: Vital, now_ms: int = END_MS) -> list[tuple[AlarmKind, str]]:
    found = step({}, vital_conditions(vitals, now_ms), now_ms, Rulebook(RULES))
    return [(one.key.kind, one.key.lot_id) for one in found.raised]


def test_an_index_from_eight_on_is_an_alarm_with_its_band() -> None:
    assert raised(vital("zhongshan", figure(CONGESTION_NOW.code, 7.9))) == []
    high = vital("zhongshan", figure(CONGESTION_NOW.code, 8.4))
    assert raised(high) == [(AlarmKind.CONGESTION_HIGH, "zhongshan")]
    (condition,) = vital_conditions([high], END_MS)
    assert condition.words == "停车拥堵指数 8.4（严重）"


def test_a_fifth_of_the_data_missing_is_an_alarm_of_the_district() -> None:
    assert raised(vital("district", figure("access", 0.81))) == []
    assert raised(vital("district", figure("access", 0.79))) == [
        (AlarmKind.DATA_ACCESS_LOW, "district")
    ]


def test_no_data_and_old_data_raise_nothing() -> None:
    assert raised(vital("kangle", figure(CONGESTION_NOW.code, None))) == []
    high = vital("kangle", figure(CONGESTION_NOW.code, 9.0))
    assert raised(high, now_ms=END_MS + FRESH_MS + 1) == []


@pytest.mark.parametrize("threshold", [5.0, 9.5])
def test_the_rule_of_a_car_park_decides(threshold: float) -> None:
    rule = msgspec.structs.replace(RULES[AlarmKind.CONGESTION_HIGH], threshold=threshold)
    book = Rulebook(RULES, {("kangle", AlarmKind.CONGESTION_HIGH): rule})
    high = vital("kangle", figure(CONGESTION_NOW.code, 8.4))
    found = step({}, vital_conditions([high], END_MS), END_MS, book)
    assert bool(found.raised) == (threshold < 8.4)
