from occupancy.live import LiveOccupancy
from routing.outlooks import MINUTE_MS, Outlooks
from tests.builders import MORNING_MS, a_group
from tests.routing.drivers import Expected
from tests.routing.test_gathering import a_picture


class Counted:
    """Says what it is asked: minutes from now, plus how often it has seen something."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.seen: list[LiveOccupancy] = []

    def see(self, picture: LiveOccupancy) -> None:
        self.seen.append(picture)

    def expect(self, lot_id: str, at_ms: int, now_ms: int, /) -> Expected:
        self.asked.append((lot_id, at_ms, now_ms))
        return Expected((at_ms - now_ms) / MINUTE_MS + len(self.seen))


def test_drivers_of_one_minute_share_one_forecast() -> None:
    counted = Counted()
    outlooks = Outlooks(counted)
    at_ms = MORNING_MS + 10 * MINUTE_MS
    one = outlooks.expect("kangle", at_ms - 20_000, MORNING_MS)
    assert outlooks.expect("kangle", at_ms + 20_000, MORNING_MS + 900) is one
    assert one.free_mean == 10
    assert outlooks.expect("sanda", at_ms, MORNING_MS) is not one
    assert outlooks.expect("kangle", at_ms + 40_000, MORNING_MS).free_mean == 11
    assert len(counted.asked) == 3


def test_a_second_later_it_is_worked_out_anew() -> None:
    counted = Counted()
    outlooks = Outlooks(counted)
    at_ms = MORNING_MS + 10 * MINUTE_MS
    first = outlooks.expect("kangle", at_ms, MORNING_MS)
    assert outlooks.expect("kangle", at_ms, MORNING_MS + 1_000) is not first


def test_a_newer_picture_of_any_lot_changes_every_forecast() -> None:
    counted = Counted()
    outlooks = Outlooks(counted)
    assert outlooks.expect("sanda", MORNING_MS, MORNING_MS).free_mean == 0
    picture = a_picture(a_group(1))
    outlooks.see(picture)
    outlooks.see(picture)
    assert counted.seen == [picture]
    assert outlooks.expect("sanda", MORNING_MS, MORNING_MS).free_mean == 1


def test_nobody_arrives_before_now() -> None:
    counted = Counted()
    now_ms = MORNING_MS + 20_000
    Outlooks(counted).expect("kangle", now_ms, now_ms)
    assert counted.asked == [("kangle", now_ms, now_ms)]
