"""The README says what the program does."""

import re
from pathlib import Path

from zhibo.parser import COMMANDS
from zhibo.settings import SETTINGS

INVARIANTS, RULES = 8, 14
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_readme_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(ZHIBO_\w+)` \| ([^|]*) \|", README, re.MULTILINE))
    assert set(rows) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        if setting.default and "/" not in setting.default:
            assert rows[setting.name].strip() == f"`{setting.default}`"


def test_every_command_of_the_readme_is_known() -> None:
    named = set(re.findall(r"^\| `zhibo ([\w-]+)", README, re.MULTILINE))
    assert named == {command.name for command in COMMANDS}


def test_the_two_commands_of_the_first_screen_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_promise_names_tests_that_are_there() -> None:
    promises = (ROOT / "docs/promises.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \|.*\| (.*) \|$", promises, re.MULTILINE)
    assert len(rows) == INVARIANTS + RULES
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_every_requirement_that_is_met_names_tests_that_are_there() -> None:
    requirements = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
    row = r"^\| ([\d.]+) \| [123] \| .*? \| (.*?) \| (.*) \|$"
    rows = re.findall(row, requirements, re.MULTILINE)
    assert len({number for number, _, _ in rows}) == len(rows)
    states = [state.partition(":")[0] for _, state, _ in rows]
    assert set(states) == {"met", "open", "not met"}
    counts = ", ".join(f"{states.count(one)} {one}" for one in ("met", "open", "not met"))
    assert f"Today: {counts}." in requirements
    for number, state, shown_by in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown_by)
        assert named or state != "met", number
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), (number, test)
