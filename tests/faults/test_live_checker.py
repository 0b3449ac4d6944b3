import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.live_checker import LOOK_MS, NEVER, Actual, Told, age_ms, list_excesses


def at(second: float, entries: int, exits: int, free: int, leaving: int = 0) -> Actual:
    return Actual(int(second * 1_000), entries, exits, leaving, free)


def told(entries: int | None, exits: int | None, free: int | None, second: float = 20) -> Told:
    return Told(entries, exits, free, int(second * 1_000))


# Two cars enter and are stored, then one is fetched and leaves.
DAY = [at(0, 0, 0, 10), at(10, 2, 0, 8), at(20, 2, 1, 9)]


def test_the_truth_is_not_above_itself() -> None:
    assert list_excesses(told(2, 1, 9), DAY) == []
    assert age_ms(told(2, 1, 9), DAY) == 0


@given(st.integers(1, 5))
def test_one_count_too_many_is_found(excess: int) -> None:
    assert list_excesses(told(2 + excess, 1, 9), DAY)
    assert list_excesses(told(2, 1 + excess, 9), DAY)
    assert list_excesses(told(2, 1, 9 + excess), DAY)


def test_an_old_picture_may_say_what_was_free_then() -> None:
    assert list_excesses(told(0, 0, 10, second=5), DAY) == []
    assert list_excesses(told(0, 0, 11, second=5), DAY)


def test_a_new_picture_may_not_say_what_was_free_long_ago() -> None:
    assert list_excesses(told(2, 0, 10, second=10 + LOOK_MS / 1_000 + 1), DAY)


def test_a_picture_from_the_future_is_held_against_the_present() -> None:
    assert list_excesses(told(2, 1, 9, second=4_000), DAY) == []
    assert list_excesses(told(2, 1, 10, second=4_000), DAY)


def test_spaces_that_were_free_between_two_samples_are_known() -> None:
    """One car is fetched and another stored within a sample: for a moment there was one more."""
    day = [at(0, 1, 0, 8), at(1, 1, 0, 8, leaving=1)]
    assert list_excesses(told(1, 0, 9, second=1), day) == []
    assert list_excesses(told(1, 0, 10, second=1), day)


def test_nothing_said_is_never_above() -> None:
    assert list_excesses(Told(None, None, None, None), DAY) == []


@pytest.mark.parametrize(
    ("published", "age"),
    [
        (told(2, 1, 8), 10_000),
        (told(2, 0, 9), 10_000),
        (told(1, 1, 9), 20_000),
        (told(2, 1, 11), NEVER),
        (told(None, 1, 9), NEVER),
    ],
)
def test_the_age_is_since_the_oldest_number_was_true(published: Told, age: float) -> None:
    assert age_ms(published, DAY) == age
