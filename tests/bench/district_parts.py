"""What each part of a running service takes: processor time and memory, from /proc."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PARTS = (
    ("forecast_child", "forecasts"),
    ("zhibo serve", "web"),
    ("zhibo recorder", "recorder"),
    ("district_edge", "gateways' stand-in"),
    ("district_readers", "readers"),
    ("recommend_client", "drivers"),
    ("valkey-server", "Redis"),
    ("postgres", "PostgreSQL"),
)
OURS = ("web", "recorder", "Redis", "PostgreSQL", "forecasts")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Used(NamedTuple):
    """Seconds of one core, and bytes that are its own."""

    seconds: float
    own_bytes: int


def used_by_part(root: int) -> dict[str, Used]:
    """Of all processes below `root`."""
    seconds: dict[str, float] = defaultdict(float)
    own: dict[str, int] = defaultdict(int)
    for pid in _below(root):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        part = next((name for mark, name in PARTS if mark in command), "others")
        seconds[part] += (int(fields[11]) + int(fields[12])) / _TICKS
        own[part] += (resident - shared) * _PAGE_BYTES
    return {part: Used(seconds[part], own[part]) for part in seconds}


def _below(root: int) -> Iterator[int]:
    parents: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(stat.rpartition(")")[2].split()[1])].append(int(entry.name))
    waiting = [root]
    while waiting:
        for child in parents[waiting.pop()]:
            yield child
            waiting.append(child)
