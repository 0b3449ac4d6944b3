import enum

import msgspec
import pytest

from occupancy.web.choices import choices_at, fields_at


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, rename={"kind": "class"}):
    kind: Colour
    size: int = 0


class Outer(msgspec.Struct):
    one: Colour
    either: Colour | Inner
    several: tuple[Colour, ...] = ()
    sets: set[Colour] = set()
    inner: Inner | None = None


@pytest.mark.parametrize(
    "place", [".one", ".either", ".either.class", ".several[0]", ".sets[...]", ".inner.class"]
)
def test_the_values_of_a_place_are_known(place: str) -> None:
    assert set(choices_at(Outer, place)) == {"red", "blue"}


@pytest.mark.parametrize("place", ["", ".inner.size", ".nowhere", ".one.deeper", ".one[0]"])
def test_where_no_enumeration_stands_there_are_no_values(place: str) -> None:
    assert choices_at(Outer, place) == ()


def test_the_fields_of_a_place_are_named_as_they_are_sent() -> None:
    assert fields_at(Outer, "") == ("one", "either", "several", "sets", "inner")
    assert fields_at(Outer, ".either") == fields_at(Outer, ".inner") == ("class", "size")
    assert fields_at(Outer, ".one") == ()
