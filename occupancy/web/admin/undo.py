"""Taking a calibration back: for ten minutes, by another record."""

from occupancy.audit import Recorded

OPEN_MS = 600_000
_WORDS = "撤销 #"


def is_open(record: Recorded, now_ms: int) -> bool:
    """Whether it may still be taken back; what takes back cannot be taken back itself."""
    is_young = now_ms - record.at_ms < OPEN_MS
    has_before = record.before is not None and record.before.get("cars_by_counters") is not None
    return is_young and has_before and not record.reason.startswith(_WORDS)


def shift_of(record: Recorded) -> int:
    """By how many cars it moved the count."""
    return int(record.after["cars_inside"]) - int(record.before["cars_by_counters"])


def reason_of(record: Recorded) -> str:
    return f"{_WORDS}{record.number}：{record.reason}"
