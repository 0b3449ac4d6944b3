"""An operator's words go before computed ones; an entrance is told only what it cannot know."""

import msgspec

from occupancy.live import LiveOccupancy, Received, fold
from occupancy.override import Override, is_showable
from occupancy.restriction import Extent, Restriction
from occupancy.sign_faces import TownSign
from occupancy.sign_orders import orders
from tests.builders import MORNING_MS, a_lot, an_observation

TOWN = TownSign("junction", "kangle", ("kangle", "sanda"))
ENTRANCE = TownSign("kangle-sign", "kangle", ("kangle",), at_entrance=True)
COMPUTED = {"junction": ("24", "—")}


def override(lines: tuple[str, ...], sign_id: str = "junction", until_ms: int = 1) -> Override:
    return Override(
        1, sign_id, lines, MORNING_MS, MORNING_MS + until_ms, is_test=False, reason="", made_by=""
    )


def picture(*restrictions: Restriction) -> LiveOccupancy:
    return fold(None, a_lot(), Received(an_observation(), MORNING_MS, MORNING_MS), restrictions)


def told(*overrides: Override, of: LiveOccupancy | None = None) -> dict[str, object]:
    pictures = {"kangle": of} if of else {}
    return dict(orders([TOWN, ENTRANCE], COMPUTED, pictures, overrides, MORNING_MS))


def restriction(extent: Extent, part: str = "", spaces: int = 0) -> Restriction:
    return Restriction(1, "kangle", extent, MORNING_MS, None, "检修", part, spaces)


def test_a_sign_nobody_overrides_shows_what_is_computed_and_an_entrance_its_own() -> None:
    assert told(of=picture()) == {"junction": ("24", "—"), "kangle-sign": None}
    assert told() == {"junction": ("24", "—"), "kangle-sign": None}


def test_an_override_holds_until_its_time_is_over() -> None:
    assert told(override(("满", "1")))["junction"] == ("满", "1")
    assert told(override(("满", "1"), until_ms=0))["junction"] == ("24", "—")
    ended = msgspec.structs.replace(override(("满", "1")), ended_at_ms=MORNING_MS)
    assert told(ended)["junction"] == ("24", "—")


def test_an_override_of_another_number_of_lines_is_none() -> None:
    assert told(override(("满",)))["junction"] == ("24", "—")


def test_an_entrance_says_what_is_closed_or_reserved() -> None:
    assert told(of=picture(restriction(Extent.LOT)))["kangle-sign"] == ("关",)
    assert told(of=picture(restriction(Extent.GROUP, "g1")))["kangle-sign"] == ("12",)
    assert told(of=picture(restriction(Extent.SPACES, spaces=4)))["kangle-sign"] == ("20",)
    over = override(("7",), "kangle-sign")
    assert told(over, of=picture(restriction(Extent.LOT)))["kangle-sign"] == ("7",)


def test_a_sign_shows_numbers_and_its_three_words() -> None:
    assert [is_showable(line) for line in ("0", "9999", "满", "关", "—")] == [True] * 5
    assert [is_showable(line) for line in ("10000", "-1", "", "a", "１")] == [False] * 5
