import pytest

from lot_sim.config import SHIPPED_SCENARIO
from lot_sim.scenario import BadScenarioError, parse_scenario

SHIPPED = SHIPPED_SCENARIO.read_text(encoding="utf-8")


def edited(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('lot_id = "kangle"', 'lot_id = "sanda"', "lot.lot_id 'sanda' stands twice"),
        ('device_id = "kangle-out"', 'device_id = "kangle-in"', "'kangle-in' stands twice"),
        ("port = 15121", "port = 15120", "kangle-out: port 15120 unit 1 is kangle-in already"),
        ("port = 15121", "port = 70000", "kangle-out: port must lie between 1 and 65535"),
        ("port = 15121", "port = 15300\nunit = 99", "port 15300 carries two kinds of framing"),
        ("unit = 21", "unit = 300", "sanda-sign: unit must lie between 0 and 247"),
        ("count = 9", "count = 0", "kangle: group needs count and bays_by_level of at least 1"),
        ("count = 9", "cuont = 9", "sanshui.toml: Object contains unknown field `cuont`"),
        ("port = 15121", 'port = "x"', "$.lot[0].device[1].port"),
        ('direction = "exit"\n', "", "kangle: device with direction = 'exit' is missing"),
        ('direction = "exit"\n', "", 'kangle: a lane needs direction = "entry" or "exit"'),
        ('kind = "hospital"', 'kind = "hospitla"', "destination '三水区人民医院': kind 'hospitla'"),
        ("cars_a_day = 470", "cars_a_day = -1", "cars_a_day must not be negative"),
        ("median_minutes = 95.0", "median_minutes = 0", "kind.hospital.stay: median_minutes"),
        ("share = 0.62", "share = 0", "kind.hospital.stay needs at least one part"),
        ("week = [1.15, ", "week = [", "kind.hospital.week needs 7 numbers"),
        ('fault = "stuck_loop"', 'fault = "stuck"', "preset.ordinary: fault 'stuck' is none of"),
        ("minutes = 35", "minutes = 0", "preset.ordinary: group_jammed: per_device_week"),
        ("none = []", "calm = []", "preset.none is missing"),
        ("[habits]", "[habits", "sanshui.toml: "),
    ],
)
def test_a_bad_scenario_names_the_file_and_the_key(old: str, new: str, words: str) -> None:
    text = edited(old, new) if old in SHIPPED else edited(old.replace(".0", ""), new)
    with pytest.raises(BadScenarioError) as caught:
        parse_scenario(text, "sanshui.toml")
    assert words in str(caught.value)
    assert all(line.startswith("sanshui.toml: ") for line in str(caught.value).splitlines())


def test_all_troubles_are_told_at_once() -> None:
    text = edited("port = 15121", "port = 70000").replace("cars_a_day = 470", "cars_a_day = -1")
    with pytest.raises(BadScenarioError) as caught:
        parse_scenario(text, "sanshui.toml")
    assert len(str(caught.value).splitlines()) == 2
