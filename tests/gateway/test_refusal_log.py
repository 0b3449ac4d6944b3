"""How many lines refused messages may leave in the log."""

from collections.abc import Callable

from structlog.testing import capture_logs

from gateway.refusal_log import LINES_A_MINUTE, RefusalLog


class Minutes:
    """Ends when the test says so."""

    def __init__(self) -> None:
        self._due: list[tuple[Callable[[str], None], str]] = []

    def later(self, seconds: float, call: Callable[[str], None], lot_id: str) -> None:
        assert seconds == 60
        self._due.append((call, lot_id))

    def end(self) -> None:
        due, self._due = self._due, []
        for call, lot_id in due:
            call(lot_id)


def test_a_flood_leaves_ten_lines_a_minute_and_then_says_once_how_many_more_there_were() -> None:
    minutes = Minutes()
    refusals = RefusalLog("message", minutes.later)
    with capture_logs() as lines:
        for n in range(1_000):
            refusals.tell("mall", topic=f"parking/mall/s{n}/state", reason="state: is missing")
        assert len(lines) == LINES_A_MINUTE
        minutes.end()
        assert lines[LINES_A_MINUTE:] == [
            {
                "event": "more messages were refused than are told",
                "log_level": "warning",
                "lot": "mall",
                "untold": 990,
            }
        ]
        refusals.tell("mall", topic="parking/mall/s1/state", reason="state: is missing")
        assert len(lines) == LINES_A_MINUTE + 2
        minutes.end()
        assert len(lines) == LINES_A_MINUTE + 2


def test_one_car_parks_flood_hides_no_other_car_parks_refusal() -> None:
    refusals = RefusalLog("message", Minutes().later)
    with capture_logs() as lines:
        for _ in range(100):
            refusals.tell("mall", topic="parking/mall/s1/state", reason="state: is missing")
        refusals.tell("clinic", topic="bays/clinic/c1", reason="message: must be one of the words")
    assert [line["topic"] for line in lines if line["lot"] == "clinic"] == ["bays/clinic/c1"]


def test_what_was_not_told_is_summed_up_at_the_end() -> None:
    refusals = RefusalLog("message", Minutes().later)
    with capture_logs() as lines:
        for _ in range(LINES_A_MINUTE + 3):
            refusals.tell("mall", topic="parking/mall/s1/state", reason="state: is missing")
        refusals.close()
        refusals.close()
    assert [line["untold"] for line in lines if "untold" in line] == [3]
