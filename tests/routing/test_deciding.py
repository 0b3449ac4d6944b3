import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.lot import OpeningState
from routing.candidate import Candidate
from routing.deciding import MOST_CROWD, Asker, Rules, decide
from routing.question import Wish
from routing.reason import Code
from routing.recommend import Recommendation
from tests.routing.drivers import a_candidate, a_question

RULES = Rules(share=0.6, most_regret_minutes=5.0)
NEAR, FAR = "kangle", "sanda"
SHUT = {"opening": OpeningState.CLOSED}


def town(near: float = 12, far: float = 60, walk: float = 9.0) -> tuple[Candidate, Candidate]:
    return a_candidate(NEAR, free=near, walk=2), a_candidate(FAR, free=far, walk=walk)


def asker(*candidates: Candidate, leaning: str = "", **question: object) -> Asker:
    return Asker(a_question(**question), candidates, leaning)


def chosen(answers: Sequence[Recommendation]) -> list[str]:
    return [answer.chosen.lot_id if answer.chosen else "" for answer in answers]


def test_one_driver_gets_his_best() -> None:
    assert chosen(decide([asker(*town())], RULES)) == [NEAR]


def test_those_of_one_moment_are_spread_over_what_there_is() -> None:
    found = Counter(chosen(decide([asker(*town()) for _ in range(40)], RULES)))
    assert found[NEAR] + found[FAR] == 40
    assert 12 <= found[NEAR] * 1.0 <= 12 / 0.6


def test_a_crowd_beyond_what_is_counted_is_answered_as_well() -> None:
    many = [asker(*town(far=600)) for _ in range(MOST_CROWD + 40)]
    assert Counter(chosen(decide(many, RULES)))[NEAR] <= 12 / 0.6


def test_who_has_no_other_gets_the_last_space() -> None:
    """The one who can go elsewhere does, though he asked first, and is told."""
    flexible = asker(*town(near=4.4, walk=4))
    bound = asker(town(near=4.4)[0], a_candidate(FAR, lot=SHUT))
    answers = decide([flexible, bound], Rules(share=1.0, most_regret_minutes=5.0))
    assert chosen(answers) == [FAR, NEAR]
    assert answers[0].regret_minutes <= 5.0


def test_nobody_is_sent_where_he_cannot_park() -> None:
    high = asker(a_candidate(NEAR, lot=SHUT), a_candidate(FAR, lot=SHUT))
    answers = decide([high, asker(*town())], RULES)
    assert chosen(answers) == ["", NEAR]
    assert answers[0].verdict.code is Code.NOTHING
    assert chosen(decide([high], RULES)) == [""]
    assert decide([], RULES) == []


def test_a_driver_stays_with_what_he_was_shown_while_it_still_does() -> None:
    near = town(walk=3)
    assert chosen(decide([asker(*near, leaning=FAR)], RULES)) == [FAR]
    assert chosen(decide([asker(*town(walk=9), leaning=FAR)], RULES)) == [NEAR]
    assert chosen(decide([asker(*near, leaning="gone")], RULES)) == [NEAR]
    two = [asker(*near, leaning=FAR), asker(*near, leaning=FAR)]
    assert chosen(decide(two, RULES)) == [FAR, FAR]


def test_a_scarce_space_is_left_to_those_who_come_later() -> None:
    def tolls(lot_id: str, arrives_ms: int, leaves_ms: int) -> float:
        assert leaves_ms - arrives_ms == 120 * 60_000
        return 4.0 if lot_id == NEAR else 0.0

    dear = Rules(0.6, 5.0, tolls)
    (answer,) = decide([asker(*town(walk=5))], dear)
    assert chosen([answer]) == [FAR]
    assert answer.regret_minutes == pytest.approx(3)
    assert Code.LEAVES_ROOM in [reason.code for reason in answer.options[0].reasons]
    assert chosen(decide([asker(*town(walk=7))], dear)) == [NEAR]
    assert chosen(decide([asker(*town(walk=5))], Rules(0.6, 2.0, tolls))) == [NEAR]


def test_when_time_is_out_each_takes_the_best_and_is_told() -> None:
    answers = decide([asker(*town()), asker(*town())], RULES, lambda: True)
    assert chosen(answers) == [NEAR, NEAR]
    assert all([note.code for note in one.notes] == [Code.DECIDED_ALONE] for one in answers)


def test_when_time_runs_out_before_the_best_is_sure_it_is_said() -> None:
    """Sixty drivers, thirty car parks with two spaces each: more than are looked at first."""
    luck = random.Random(1)  # noqa: S311 -- a seed, not secrecy
    names = [f"lot {number}" for number in range(30)]
    askers = [
        asker(*(a_candidate(name, free=2, walk=luck.uniform(1, 25)) for name in names))
        for _ in range(60)
    ]
    asked = iter([False])
    answers = decide(askers, RULES, lambda: next(asked, True))
    assert all([note.code for note in one.notes] == [Code.DECIDED_IN_HASTE] for one in answers)


@given(
    st.lists(
        st.tuples(st.floats(0, 12), st.floats(0, 12), st.sampled_from([(), (Wish.SURE,)])),
        min_size=1,
        max_size=12,
    ),
    st.floats(0, 6),
    st.floats(0, 6),
    st.floats(0, 10),
)
def test_nobody_is_ever_asked_to_lose_more_than_the_cap(
    drivers: list[tuple[float, float, tuple[Wish, ...]]], near: float, far: float, toll: float
) -> None:
    askers = [
        asker(
            a_candidate(NEAR, free=near, walk=one),
            a_candidate(FAR, free=far, walk=other),
            wishes=frozenset(wishes),
        )
        for one, other, wishes in drivers
    ]
    rules = Rules(0.6, 5.0, lambda lot_id, _, __: toll if lot_id == NEAR else 0.0)
    for answer in decide(askers, rules):
        best = min(option.minutes for option in answer.options)
        assert answer.options[0].minutes - best <= 5.0 + 1e-6
        assert answer.regret_minutes == pytest.approx(answer.options[0].minutes - best)
