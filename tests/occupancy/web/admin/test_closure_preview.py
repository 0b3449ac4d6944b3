"""A preview tells what the recorder will make of it: each place is taken away once."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from occupancy.live import LiveOccupancy, Received, fold
from occupancy.restriction import Extent, Restriction
from occupancy.web.admin.closure_preview import preview
from tests.builders import MORNING_MS, a_group, a_lot, an_observation

HOUR_MS = 3_600_000
CARS = st.tuples(*[st.integers(0, 6)] * 3)


def closing(extent: Extent, part: str = "", spaces: int = 0) -> Restriction:
    return Restriction(0, "kangle", extent, MORNING_MS, None, "检修", part, spaces)


CLOSINGS = st.one_of(
    st.sampled_from(["g1", "g2"]).map(lambda part: closing(Extent.GROUP, part)),
    st.integers(1, 3).map(lambda level: closing(Extent.LEVEL, str(level))),
    st.integers(1, 36).map(lambda spaces: closing(Extent.SPACES, spaces=spaces)),
)


def picture(
    one: tuple[int, ...], two: tuple[int, ...], restrictions: list[Restriction]
) -> LiveOccupancy:
    groups = (a_group(1, one), a_group(2, two))
    cars = sum((*one, *two))
    seen = an_observation(
        groups=groups, observed_at_ms=MORNING_MS, cars_inside=cars, cars_on_pallets=cars
    )
    return fold(None, a_lot(), Received(seen, MORNING_MS, MORNING_MS), restrictions)


@given(CARS, CARS, st.lists(CLOSINGS, max_size=3), CLOSINGS)
def test_the_preview_is_what_the_recorder_makes_of_it(
    one: tuple[int, ...], two: tuple[int, ...], standing: list[Restriction], made: Restriction
) -> None:
    now = picture(one, two, standing)
    effect = preview(a_lot(), now, made, standing, [], None)
    assert effect.free_before == now.free
    assert effect.free_after == picture(one, two, [*standing, made]).free


def test_what_is_closed_already_takes_nothing_more() -> None:
    level, group = closing(Extent.LEVEL, "1"), closing(Extent.GROUP, "g1")
    now = picture((0, 0, 0), (0, 0, 0), [level])
    effect = preview(a_lot(), now, group, [level], [], None)
    assert (effect.free_before, effect.free_after) == (24, 12)
    assert preview(a_lot(), now, level, [level], [], None).free_after == effect.free_before
    assert effect.standing == (level,)


def test_what_was_kept_a_moment_ago_counts_before_the_picture_knows_it() -> None:
    level, group = closing(Extent.LEVEL, "1"), closing(Extent.GROUP, "g1")
    effect = preview(a_lot(), picture((0, 0, 0), (0, 0, 0), []), group, [level], [], None)
    assert (effect.free_before, effect.free_after) == (24, 12)


def test_what_will_be_over_or_has_not_begun_does_not_count() -> None:
    over = msgspec.structs.replace(closing(Extent.GROUP, "g1"), until_ms=MORNING_MS + HOUR_MS)
    tomorrow = msgspec.structs.replace(
        closing(Extent.GROUP, "g2"), from_ms=MORNING_MS + 24 * HOUR_MS
    )
    now = picture((0, 0, 0), (0, 0, 0), [over])
    effect = preview(a_lot(), now, tomorrow, [over], [], None)
    assert (effect.free_before, effect.free_after) == (36, 18)
    assert effect.standing == ()


def test_a_lot_that_is_closed_stays_closed() -> None:
    lot = closing(Extent.LOT)
    now = picture((0, 0, 0), (0, 0, 0), [lot])
    effect = preview(a_lot(), now, closing(Extent.GROUP, "g1"), [lot], [], None)
    assert effect.was_closed
    assert effect.closes_all
    assert effect.stops_advice


def test_where_nobody_knows_the_preview_says_nothing() -> None:
    effect = preview(a_lot(), None, closing(Extent.GROUP, "g1"), [], [], None)
    assert (effect.free_before, effect.free_after) == (None, None)
    old = picture((0, 0, 0), (0, 0, 0), [])
    without = tuple(msgspec.structs.replace(one, bays_by_level=()) for one in old.groups)
    older = msgspec.structs.replace(old, groups=without)
    assert preview(a_lot(), older, closing(Extent.GROUP, "g1"), [], [], None).free_after is None
