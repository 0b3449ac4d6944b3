import numpy as np
import pytest

from occupancy.effect.held_out import Drivers, judge, wilson


def test_a_share_lies_where_wilson_says() -> None:
    """Newcombe 1998, table I: 81 of 263 and 15 of 148."""
    assert wilson(Drivers(263, 81)) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(Drivers(148, 15)) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_two_shares_differ_as_newcombe_says() -> None:
    """Newcombe 1998, table II, method 10: 56 of 70 against 48 of 80."""
    told = judge(Drivers(70, 56), Drivers(80, 48))
    assert (told.effect, told.low, told.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert told.is_seen
    assert "有改善，+20.0 个百分点" in told.words


def test_where_both_do_alike_nothing_is_seen() -> None:
    chance = np.random.default_rng(1)
    seen = 0
    for _ in range(400):
        guided, plain = chance.binomial(900, 0.4), chance.binomial(100, 0.4)
        seen += judge(Drivers(900, int(guided)), Drivers(100, int(plain))).is_seen
    assert seen / 400 < 0.07


def test_nobody_or_everybody_did_it() -> None:
    for did in (0, 100):
        told = judge(Drivers(100, did), Drivers(100, did))
        assert (told.effect, told.p) == (0, 1.0)


def test_too_few_drivers_say_nothing() -> None:
    told = judge(Drivers(500, 100), Drivers(29, 3))
    assert told.effect is None
    assert "每边至少要 30 位" in told.words
