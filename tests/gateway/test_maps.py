"""Every shipped map against registers as the device would send them: a folder a model."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.decode import Block, blocks_of, decode_blocks
from gateway.register_map import RegisterMap, Table, list_models, load_map

CASES = Path(__file__).parent / "cases"
MODELS = list_models()


def _cases() -> Iterator[Any]:
    for model in MODELS:
        for path in sorted((CASES / model).glob("*.toml")):
            yield pytest.param(model, path, id=f"{model}-{path.stem}")


def _answers(register_map: RegisterMap, case: Mapping[str, Any]) -> dict[Block, list[int]]:
    """What the device would answer to our own reads, cut from the case's registers."""
    answers = {}
    for block in blocks_of(register_map, register_map.points):
        words = case["words"].get(block.table.value, [])
        first = case["first"] if isinstance(case["first"], int) else case["first"][block.table]
        answers[block] = words[block.address - first : block.end - first]
    return answers


@pytest.mark.parametrize(("model", "path"), list(_cases()))
def test_registers_mean_what_the_case_says(model: str, path: Path) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    register_map = load_map(model)
    values, unreadable = decode_blocks(register_map.points, _answers(register_map, case))
    expected = dict(case["values"])
    if "pallets_set" in expected:
        pallets = values["pallets"]
        assert isinstance(pallets, tuple)
        assert [n for n, bit in enumerate(pallets) if bit] == expected.pop("pallets_set")
    shown = {name: _as_toml(values[name]) for name in expected}
    assert shown == expected
    assert unreadable == case.get("unreadable", [])


def _as_toml(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("model", MODELS)
def test_each_map_has_a_case(model: str) -> None:
    assert list((CASES / model).glob("*.toml"))


def test_only_signs_may_be_written() -> None:
    writable = {m for m in MODELS if any(p.writable for p in load_map(m).points)}
    assert writable == {"led_sign"}


@pytest.mark.parametrize("model", MODELS)
def test_a_map_allows_no_function_it_does_not_need(model: str) -> None:
    register_map = load_map(model)
    needed = {point.table.read_function for point in register_map.points}
    if any(point.writable for point in register_map.points):
        needed.add(16)
    assert set(register_map.functions) == needed


@pytest.mark.parametrize(("table", "function"), [("coil", 1), ("discrete", 2), ("holding", 3)])
def test_a_table_is_read_by_its_own_function(table: str, function: int) -> None:
    assert Table(table).read_function == function
