"""The search box finds by words, pinyin and initials, whatever marks stand between."""

import pytest

from occupancy.web.admin.search import Hit, find

THINGS = [
    Hit("开放 / 停用", "页面", "/admin/closures"),
    Hit("康乐路立体停车场", "车场", "/admin/lots/kangle"),
    Hit("康乐路 kangle-g1", "设备", "/admin/lots/kangle#devices"),
    Hit("告警", "页面", "/admin/alarms"),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("停用", ["开放 / 停用"]),
        ("kfty", ["开放 / 停用"]),
        ("KangLe", ["康乐路立体停车场", "康乐路 kangle-g1"]),
        ("kll", ["康乐路立体停车场", "康乐路 kangle-g1"]),
        ("g 1", ["康乐路 kangle-g1"]),
        ("gao jing", ["告警"]),
        ("", []),
        ("   /", []),
        ("<script>", []),
        ("zzz", []),
    ],
)
def test_what_is_asked_for_is_found(asked: str, expected: list[str]) -> None:
    assert [hit.title for hit in find(asked, THINGS)] == expected
