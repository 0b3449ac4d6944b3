"""ARCHITECTURE.md, the import rules and the folders say the same."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from zhibo.parser import COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGES = ("gateway", "occupancy", "routing", "wechat", "lot_sim", "zhibo")
_ROOM = re.compile(r"^- `(?P<path>[a-z_0-9/]+)\.py`(?P<pure> P)?: ", re.MULTILINE)


def rooms_in_the_document() -> dict[str, bool]:
    """Path without ending to whether it is said to be pure."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return {match["path"]: bool(match["pure"]) for match in _ROOM.finditer(text)}


def rooms_on_disk() -> set[str]:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return {str(f.relative_to(ROOT).with_suffix("")) for f in files if f.name != "__init__.py"}


def pure_rooms_in_the_import_rules() -> set[str]:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = rules["tool"]["importlinter"]["contracts"]
    (pure,) = (contract for contract in contracts if contract["id"] == "pure")
    return {module.replace(".", "/") for module in pure["source_modules"]}


def test_every_room_has_its_line() -> None:
    assert set(rooms_in_the_document()) == rooms_on_disk()


def test_no_room_has_two_lines() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    lines = Counter(match["path"] for match in _ROOM.finditer(text))
    assert not [path for path, count in lines.items() if count > 1]


def test_the_rooms_said_to_be_pure_are_held_to_it() -> None:
    said = {path for path, pure in rooms_in_the_document().items() if pure}
    assert said == pure_rooms_in_the_import_rules()


def test_every_command_has_the_room_of_its_name() -> None:
    rooms = {file.stem for file in (ROOT / "zhibo/commands").glob("*.py")} - {"__init__"}
    assert rooms == {command.name.replace("-", "_") for command in COMMANDS}


def test_every_module_says_its_purpose_in_its_first_line() -> None:
    silent = [
        room
        for room in rooms_on_disk()
        if not (ROOT / f"{room}.py").read_text(encoding="utf-8").startswith('"""')
    ]
    assert not silent


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_to_files_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert not [link for link in links if not (ROOT / link).exists()]
