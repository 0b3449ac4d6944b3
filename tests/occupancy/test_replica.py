"""When heavy reads may go to the replica: a pure decision."""

from hypothesis import given
from hypothesis import strategies as st

from occupancy.replica import BACK_AFTER_LOOKS, Mark, ReplicaState, Sight, Standing, step

LIMIT_MS = 10_000
UNSEEN = Standing(ReplicaState.UNSEEN)


def looked(*sights: Sight, before: Standing = UNSEEN, from_ms: int = 0) -> Standing:
    """One look a second."""
    for number, sight in enumerate(sights):
        before = step(before, sight, from_ms + number * 1_000, LIMIT_MS)
    return before


SERVING = looked(*[Sight(5, 5)] * BACK_AFTER_LOOKS)


def test_a_replica_serves_once_it_has_kept_up_for_a_few_looks() -> None:
    assert looked(*[Sight(5, 5)] * (BACK_AFTER_LOOKS - 1)).state is ReplicaState.UNSEEN
    assert SERVING.serves
    assert SERVING.lag_ms == 0


def test_lag_counts_from_the_oldest_position_that_is_not_replayed() -> None:
    standing = looked(Sight(6, 5), Sight(7, 5), Sight(8, 6), before=SERVING, from_ms=10_000)
    assert standing.lag_ms == 1_000
    assert standing.marks == (Mark(7, 11_000), Mark(8, 12_000))


def test_an_idle_primary_lets_no_replica_lag() -> None:
    assert looked(*[Sight(5, 5)] * 100, before=SERVING, from_ms=10_000).lag_ms == 0


def test_a_replica_beyond_the_limit_stops_at_once_and_returns_well_within_it() -> None:
    lagging = looked(*[Sight(9, 5)] * 12, before=SERVING, from_ms=10_000)
    assert lagging.state is ReplicaState.LAGGING
    caught_up = looked(*[Sight(9, 9)] * (BACK_AFTER_LOOKS - 1), before=lagging, from_ms=30_000)
    assert caught_up.state is ReplicaState.LAGGING
    assert looked(Sight(9, 9), before=caught_up, from_ms=40_000).serves


def test_a_dead_or_promoted_replica_serves_nobody() -> None:
    assert step(SERVING, Sight(5, None), 0, LIMIT_MS).state is ReplicaState.AWAY
    promoted = step(SERVING, Sight(5, None, is_promoted=True), 0, LIMIT_MS)
    assert promoted.state is ReplicaState.PROMOTED


def test_it_goes_on_serving_while_the_primary_is_away() -> None:
    assert looked(*[Sight(None, 5)] * 60, before=SERVING, from_ms=10_000).serves


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2), st.integers(1, 4_000)),
        max_size=60,
    )
)
def test_whoever_serves_is_within_the_limit(looks: list[tuple[int, int | None, int]]) -> None:
    """However positions grow and looks come: the true age of what is missing is never more."""
    standing, now_ms, written, replayed = UNSEEN, 0, 1, 1
    seen_at: dict[int, int] = {}
    for growth, follows, pause_ms in looks:
        now_ms += pause_ms
        written += growth
        seen_at.setdefault(written, now_ms)
        replayed = min(written, replayed + (follows or 0))
        standing = step(
            standing, Sight(written, None if follows is None else replayed), now_ms, LIMIT_MS
        )
        missing = [at for position, at in seen_at.items() if position > replayed]
        age_ms = now_ms - min(missing, default=now_ms)
        if standing.serves:
            assert age_ms <= LIMIT_MS
        if standing.lag_ms is not None:
            assert standing.lag_ms == age_ms
