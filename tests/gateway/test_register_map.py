"""What a register map must be before any device is asked by it."""

import pytest

from gateway.register_map import BadMapError, Point, PointType, Table, coded, load_map, parse_map

HEAD = 'model = "x"\nabout = "a test"\nfunctions = [3, 1]\n'
POINT = '[[point]]\nname = "count"\ntable = "holding"\naddress = 0\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + POINT + POINT, "x.toml: point count stands twice"),
        (HEAD + POINT + "length = 0\n", "point count length must be at least 1"),
        (HEAD + POINT.replace("0", "65536"), "point count lies outside addresses 0 to 65535"),
        (HEAD + POINT + 'type = "u32"\nlength = 63\n', "point count does not fit in one read"),
        (HEAD + POINT.replace("holding", "coil"), "point count coils hold bits only"),
        (HEAD + POINT.replace("holding", "input"), "point count needs function 4"),
        (HEAD + POINT + "writable = true\n", "`functions` does not allow 16"),
        (HEAD + POINT + "scale = 0\n", "point count scale must not be 0"),
        (HEAD + POINT + 'meaning = { "a" = "b" }\n', "point count meaning must be whole numbers"),
        ("block_addresses = 126\n" + HEAD + POINT, "block_addresses must lie between 1 and 125"),
        ("largest_hole = -1\n" + HEAD + POINT, "largest_hole must not be negative"),
        (HEAD.replace("3, 1", "3, 5") + POINT, "function 5 is not among 1, 2, 3, 4, 16"),
        (HEAD + POINT + "adress = 1\n", "x.toml: Object contains unknown field `adress`"),
        (HEAD + "point = [", "x.toml: "),
    ],
)
def test_a_bad_map_names_the_file_the_point_and_the_reason(text: str, words: str) -> None:
    with pytest.raises(BadMapError) as refusal:
        parse_map(text, "x.toml")
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("x.toml: ")


def test_all_troubles_of_a_map_are_told_at_once() -> None:
    with pytest.raises(BadMapError) as refusal:
        parse_map(HEAD + POINT + "length = 0\nwritable = true\n", "x.toml")
    assert len(str(refusal.value).splitlines()) == 2


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadMapError, match="known: adam_6050, ld120, led_sign"):
        load_map("acme_9000")


def test_a_model_of_another_folder_cannot_be_named() -> None:
    with pytest.raises(BadMapError, match="there is no register map"):
        load_map("../car_parks/kangle")


def test_a_point_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="map nice_lp22 has no point pallets"):
        load_map("nice_lp22").point("pallets")


@pytest.mark.parametrize(
    ("type_", "table", "length", "width"),
    [
        (PointType.U16, Table.HOLDING, 3, 3),
        (PointType.U32, Table.INPUT, 3, 6),
        (PointType.BITS, Table.INPUT, 16, 1),
        (PointType.BITS, Table.INPUT, 17, 2),
        (PointType.BITS, Table.DISCRETE, 17, 17),
    ],
)
def test_a_point_takes_as_many_addresses_as_its_type_needs(
    type_: PointType, table: Table, length: int, width: int
) -> None:
    point = Point("p", table, 10, type_, length)
    assert point.width == width
    assert point.end == 10 + width


def test_a_meaning_is_found_by_its_code() -> None:
    assert coded(load_map("shengjiang_plc").point("group_state"))[4] == "jammed"
