"""A seeded part of the long comparison; all of it: python -m tests.bench.tariff_reference."""

from tests.bench.tariff_reference import differences

SEEDED_PAIRS = 2_000


def test_the_engine_agrees_with_the_minute_by_minute_reference_on_a_seeded_sample() -> None:
    assert differences(SEEDED_PAIRS, seed=2026) == []
