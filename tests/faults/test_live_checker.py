import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.live_checker import (
    LOOK_MS,
    NEVER,
    SHORTEST_MOVE_MS,
    SILENT,
    Actual,
    Told,
    ToldGroup,
    age_ms,
    list_excesses,
)


def at(second: float, entries: int, exits: int, *free: int, simulated_ms: int = 0) -> Actual:
    groups = {f"g{number}": count for number, count in enumerate(free, 1)}
    return Actual(int(second * 1_000), simulated_ms, entries, exits, groups)


def told(entries: int | None, exits: int | None, *free: int, second: float = 20) -> Told:
    read_at_ms = int(second * 1_000)
    groups = {f"g{number}": ToldGroup(count, read_at_ms) for number, count in enumerate(free, 1)}
    return Told(entries, exits, sum(free), read_at_ms, groups)


# A car enters and is stored in the first group, then one of the second is fetched and leaves.
DAY = [at(0, 0, 0, 10, 5), at(10, 1, 0, 9, 5), at(20, 1, 1, 9, 6)]


def test_the_truth_is_not_above_itself() -> None:
    assert list_excesses(told(1, 1, 9, 6), DAY) == []
    assert age_ms(told(1, 1, 9, 6), DAY) == 0


@given(st.integers(1, 5))
def test_one_count_too_many_is_found(excess: int) -> None:
    assert list_excesses(told(1 + excess, 1, 9, 6), DAY)
    assert list_excesses(told(1, 1 + excess, 9, 6), DAY)
    assert len(list_excesses(told(1, 1, 9 + excess, 6), DAY)) == 2
    assert len(list_excesses(told(1, 1, 9, 6 + excess), DAY)) == 2


def test_a_sum_above_its_groups_is_found() -> None:
    assert list_excesses(told(1, 1, 9, 6)._replace(free=16), DAY) == ["16 free, 15 at most"]


def test_an_old_picture_may_say_what_was_free_then() -> None:
    assert list_excesses(told(0, 0, 10, 5, second=5), DAY) == []
    assert list_excesses(told(0, 0, 11, 5, second=5), DAY)


def test_a_new_picture_may_not_say_what_was_free_long_ago() -> None:
    assert list_excesses(told(1, 0, 10, 5, second=10 + LOOK_MS / 1_000 + 1), DAY)


def test_each_controller_has_its_own_moment() -> None:
    """The first was read before the car was stored, the second after one was fetched."""
    groups = {"g1": ToldGroup(10, 5_000), "g2": ToldGroup(6, 20_000)}
    assert list_excesses(Told(0, 0, 16, 20_000, groups), DAY) == []


def test_a_picture_from_the_future_is_held_against_the_present() -> None:
    assert list_excesses(told(1, 1, 9, 6, second=4_000), DAY) == []
    assert list_excesses(told(1, 1, 10, 6, second=4_000), DAY)


def test_a_machine_moves_one_car_at_a_time() -> None:
    """Two samples that say the same hide a car out and one in only if there was time for both."""
    for simulated_ms, most in ((SHORTEST_MOVE_MS - 1, 8), (SHORTEST_MOVE_MS, 9)):
        day = [at(0, 1, 0, 8), at(1, 1, 0, 8, simulated_ms=simulated_ms)]
        assert list_excesses(told(1, 0, most, second=1), day) == []
        assert list_excesses(told(1, 0, most + 1, second=1), day)


def test_nothing_said_is_never_above() -> None:
    assert list_excesses(SILENT, DAY) == []
    assert age_ms(SILENT, DAY) == NEVER


@pytest.mark.parametrize(
    ("published", "age"),
    [
        (told(1, 0, 9, 6), 10_000),
        (told(1, 1, 9, 5), 10_000),
        (told(0, 1, 9, 6), 20_000),
        (told(0, 0, 9, 5), 20_000),
        (told(1, 1, 11, 6), NEVER),
        (told(None, 1, 9, 6), NEVER),
    ],
)
def test_the_age_is_since_the_oldest_number_was_true(published: Told, age: float) -> None:
    assert age_ms(published, DAY) == age
