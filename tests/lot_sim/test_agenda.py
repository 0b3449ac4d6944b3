from hypothesis import given
from hypothesis import strategies as st

from lot_sim.agenda import Agenda

moments = st.lists(st.integers(0, 1_000), max_size=30)


def run(at: list[int], stops: list[int]) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    agenda = Agenda(0)
    for number, at_ms in enumerate(at):
        agenda.at(at_ms, lambda now, n: seen.append((now, n)), number)
    for stop in [*stops, 1_000]:
        agenda.run_until(stop)
    assert len(agenda) == 0
    assert agenda.done == len(at)
    return seen


@given(moments, moments)
def test_events_happen_in_order_of_time_however_often_one_looks(
    at: list[int], stops: list[int]
) -> None:
    seen = run(at, sorted(stops))
    assert seen == sorted((at_ms, number) for number, at_ms in enumerate(at))


def test_an_event_planned_into_the_past_happens_now() -> None:
    seen: list[int] = []
    agenda = Agenda(50)
    agenda.at(10, seen.append)
    agenda.run_until(60)
    assert seen == [50]
    assert agenda.now_ms == 60


def test_looking_back_does_not_turn_time_back() -> None:
    agenda = Agenda(50)
    agenda.run_until(10)
    assert agenda.now_ms == 50


def test_an_event_may_plan_another_that_is_due_at_once() -> None:
    seen: list[str] = []
    agenda = Agenda(0)

    def first(now_ms: int) -> None:
        agenda.at(now_ms, lambda _: seen.append("second"))
        seen.append("first")

    agenda.at(5, first)
    agenda.run_until(5)
    assert seen == ["first", "second"]
