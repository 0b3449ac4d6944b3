"""How long a silent unit is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import LONGEST_PAUSE_MS, Breaker


def _pauses(breaker: Breaker, failures: int) -> list[float]:
    """The pause after each of so many failures in a row, each at the end of the one before."""
    pauses, now_ms = [], 0.0
    for _ in range(failures):
        breaker.failed(now_ms)
        pauses.append(max(breaker.closed_until_ms - now_ms, 0))
        now_ms += pauses[-1]
    return pauses


def test_one_silence_is_forgiven_and_then_pauses_double() -> None:
    assert _pauses(Breaker(), 6) == [0, 100, 200, 400, 800, 1_600]


def test_without_patience_the_first_silence_brings_the_first_pause() -> None:
    assert _pauses(Breaker(patience=1, first_pause_ms=300), 3) == [300, 600, 1_200]


@given(st.integers(1, 5), st.integers(1, 60_000), st.integers(1, 2_000))
def test_no_pause_is_longer_than_half_a_minute(patience: int, first_ms: int, times: int) -> None:
    pauses = _pauses(Breaker(patience, first_ms), times)
    assert max(pauses) <= LONGEST_PAUSE_MS == 30_000
    assert pauses == sorted(pauses)


def test_it_lets_pass_again_exactly_when_the_pause_is_over() -> None:
    breaker = Breaker(patience=1, first_pause_ms=100)
    breaker.failed(1_000)
    assert not breaker.lets_pass(1_099.9)
    assert breaker.lets_pass(1_100)


def test_one_answer_makes_all_silence_forgotten() -> None:
    breaker = Breaker()
    _pauses(breaker, 10)
    breaker.succeeded()
    assert breaker.lets_pass(0)
    assert _pauses(breaker, 2) == [0, 100]
