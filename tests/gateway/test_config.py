"""A gateway's file: what ships is sound, and what is wrong is told before any socket opens."""

import tomllib
from pathlib import Path

import pytest

from gateway.config import (
    BadConfigError,
    Device,
    Link,
    LinkKind,
    Role,
    list_shipped,
    load_config,
    parse_config,
)
from gateway.register_map import RegisterMap, parse_map

LOTS = Path(__file__).parents[2] / "occupancy" / "lots.toml"
REFUSED = sorted((Path(__file__).parent / "cases" / "refused").glob("*.toml"))
SHIPPED = {path.stem: load_config(path) for path in list_shipped()}


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_every_trouble_at_its_line(path: Path) -> None:
    """Each line of the file that is wrong carries a comment `#! words` with the refusal."""
    content = path.read_text(encoding="utf-8")
    expected = [
        f"{path.name}:{number}: {line.partition('#! ')[2]}"
        for number, line in enumerate(content.splitlines(), 1)
        if "#! " in line
    ]
    with pytest.raises(BadConfigError) as refusal:
        parse_config(content, path.name)
    assert sorted(str(refusal.value).splitlines()) == sorted(expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("lot_id = ", "x.toml: Invalid value"),
        ("", "x.toml:1: link: needs at least one [[link]]"),
        ('lot_id = "x"\n[link]\n', "x.toml:1: link: needs at least one [[link]]"),
        ('lot_id = "x"\nlink = [3]\n', "x.toml:1: link number 1: : Expected `object`, got `int`"),
    ],
)
def test_a_file_of_another_shape_is_refused(content: str, words: str) -> None:
    with pytest.raises(BadConfigError) as refusal:
        parse_config(content, "x.toml")
    assert words in str(refusal.value)


def test_a_missing_file_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadConfigError, match="No such file or directory; give the path"):
        load_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gbk.toml"
    path.write_bytes('lot_id = "康乐"'.encode("gbk"))
    with pytest.raises(BadConfigError, match=r"gbk.toml: is not UTF-8"):
        load_config(path)


LANE = """
lot_id = "x"
[[link]]
link_id = "bus"
kind = "rtu_over_tcp"
port = 502
[[device]]
device_id = "in"
link_id = "bus"
map = "acme"
role = "lane"
direction = "entry"
"""
COUNTER = """
model = "acme"
about = ""
functions = [3]
counter_bits = 16
[[point]]
name = "count"
table = "holding"
address = 0
purpose = "count"
"""


def test_a_counter_without_a_width_cannot_be_a_lane() -> None:
    def load(_: str) -> RegisterMap:
        return parse_map(COUNTER.replace("counter_bits = 16", ""), "acme.toml")

    with pytest.raises(BadConfigError, match=r"x.toml:10: in: map: map acme lacks counter_bits"):
        parse_config(LANE, "x.toml", load=load)


GROUP = LANE.replace('"lane"', '"group"').replace(
    'direction = "entry"', 'group_id = "g"\nbays_by_level = [1]'
)
SIGN = LANE.replace('"lane"', '"sign"').replace(
    'direction = "entry"', 'sign_level = 3\nlines = ["x"]'
)
PALLETS = COUNTER.replace('"count"\ntable', '"pallets"\ntable').replace(
    "address = 0", 'address = 0\ntype = "bits"'
)
STATE = '[[point]]\nname = "group_state"\ntable = "holding"\naddress = 1\nlength = 1\n'
FOUR = 'table = "holding"\nlength = 4\nwritable = true\naddress = '


@pytest.mark.parametrize(
    ("config", "map_text", "words"),
    [
        (LANE, COUNTER + "scale = 0.1\n", "has a count that is not one whole number"),
        (LANE, COUNTER + 'type = "i16"\n', "has a count that is not one whole number"),
        (LANE, COUNTER + "length = 2\n", "has a count that is not one whole number"),
        (LANE, COUNTER + 'meaning = { 1 = "one" }\n', "has a count that is not one whole"),
        (GROUP, PALLETS, "lacks group_state that a group needs"),
        (GROUP, PALLETS + STATE, "has a group_state that is not one code meaning jammed"),
        (GROUP, PALLETS + STATE + 'meaning = { 1 = "asleep" }\n', "has a group_state that is not"),
        (GROUP, COUNTER.replace('"count"\nt', '"pallets"\nt'), "has a pallets that is not bits"),
        (SIGN, COUNTER, "lacks numbers that a sign needs; lacks faces that a sign needs"),
        (
            SIGN,
            COUNTER.replace("[3]", "[3, 16]")
            + f'[[point]]\nname = "numbers"\n{FOUR}8\n'
            + f'[[point]]\nname = "faces"\n{FOUR}16\nmeaning = {{ 0 = "number" }}\n',
            "has a faces that is not writable with 4 lines of blank, closed, full, number, stale",
        ),
    ],
)
def test_a_map_that_cannot_serve_the_role_is_refused(
    config: str, map_text: str, words: str
) -> None:
    def load(_: str) -> RegisterMap:
        return parse_map(map_text, "acme.toml")

    with pytest.raises(BadConfigError) as refusal:
        parse_config(config, "x.toml", load=load)
    assert f"map acme {words}" in str(refusal.value)


def test_on_a_bus_no_two_reads_of_a_device_may_have_replies_of_one_shape() -> None:
    twin = '[[point]]\nname = "status"\ntable = "holding"\naddress = 9\n'

    def load(_: str) -> RegisterMap:
        return parse_map(COUNTER + twin, "acme.toml")

    with pytest.raises(BadConfigError, match="in: map: map acme has two reads of 1 holding"):
        parse_config(LANE, "x.toml", load=load)
    over_tcp = parse_config(LANE.replace("rtu_over_tcp", "tcp"), "x.toml", load=load)
    assert list(over_tcp.maps) == ["acme"]


def test_ports_shift_for_a_second_town_on_one_machine() -> None:
    shifted = load_config(list_shipped()[0], port_offset=1_000).car_park.links
    plain = load_config(list_shipped()[0]).car_park.links
    assert [link.port - 1_000 for link in shifted] == [link.port for link in plain]


def test_a_shift_beyond_the_last_port_is_refused() -> None:
    with pytest.raises(BadConfigError, match="ZHIBO_MODBUS_PORT_OFFSET=60000 lifts a port"):
        load_config(list_shipped()[0], port_offset=60_000)


def test_the_shipped_car_parks_are_the_lots_of_the_service() -> None:
    lots = {lot["lot_id"]: lot for lot in tomllib.loads(LOTS.read_text(encoding="utf-8"))["lot"]}
    assert set(SHIPPED) == set(lots)
    for lot_id, config in SHIPPED.items():
        groups = config.devices_of(Role.GROUP)
        assert config.car_park.lot_id == lot_id
        assert sum(device.bays for device in groups) == lots[lot_id]["capacity"]
        plan = lots[lot_id]["groups"]
        other_last = plan.get("other_last", 0)
        alike = [tuple(plan["bays_by_level"])] * (plan["count"] - other_last)
        others = [tuple(plan.get("other_bays_by_level", ()))] * other_last
        assert [device.bays_by_level for device in groups] == [*alike, *others]
        assert [device.group_id for device in groups] == [
            f"g{n}" for n in range(1, plan["count"] + 1)
        ]


def test_together_there_are_889_bays_and_65_devices() -> None:
    devices = [device for config in SHIPPED.values() for device in config.car_park.devices]
    assert sum(device.bays for device in devices) == 889
    assert len(devices) == len({device.device_id for device in devices}) == 65


def test_no_two_car_parks_use_one_port() -> None:
    ports = [link.port for config in SHIPPED.values() for link in config.car_park.links]
    assert len(ports) == len(set(ports))


def test_each_car_park_counts_both_ways_and_has_a_sign_at_its_entrance() -> None:
    for config in SHIPPED.values():
        assert sorted(str(d.direction) for d in config.devices_of(Role.LANE)) == ["entry", "exit"]
        entrance = [d for d in config.devices_of(Role.SIGN) if d.sign_level == 3]
        assert entrance
        assert all(device.lines == (config.car_park.lot_id,) for device in entrance)


def test_three_car_parks_speak_tcp_one_a_bus_and_one_both() -> None:
    kinds = [frozenset(link.kind for link in config.car_park.links) for config in SHIPPED.values()]
    assert kinds.count(frozenset([LinkKind.TCP])) == 3
    assert kinds.count(frozenset([LinkKind.RTU_OVER_TCP])) == 1
    assert kinds.count(frozenset([LinkKind.TCP, LinkKind.RTU_OVER_TCP])) == 1


def test_the_counters_are_not_the_same_in_each_garage() -> None:
    maps = [config.maps[d.map] for config in SHIPPED.values() for d in config.devices_of(Role.LANE)]
    assert {(m.counter_bits, m.point("count").word_order.value) for m in maps} == {
        (16, "high_first"),
        (32, "high_first"),
        (32, "low_first"),
    }


def test_a_device_finds_its_link() -> None:
    config = SHIPPED["zhongshan"]
    lane = config.devices_of(Role.LANE)[0]
    assert isinstance(lane, Device)
    assert isinstance(config.link(lane), Link)
    assert config.link(lane).port == 15_420
