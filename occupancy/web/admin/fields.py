"""Reads single fields of a form; what is wrong with one is said in words beside it."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from occupancy.calendar import day_of
from occupancy.edit import BadEditError
from occupancy.web.formats import SHANGHAI

MOST_REASON = 200
_MOST_DIGITS = 15


def whole_number(text: str) -> int | None:
    """A number without sign; None for anything else."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return int(digits) if is_number else None


def read_day(form: Mapping[str, str], field: str) -> int:
    """A date as the calendar counts days. Raises BadEditError for what is none."""
    text = form.get(field, "").strip()
    try:
        return day_of(dt.date.fromisoformat(text))
    except ValueError:
        raise BadEditError(field, f"“{text[:20]}”不是日期") from None


def find_reason_flaw(form: Mapping[str, str], example: str) -> dict[str, str]:
    """Empty if there is a reason of the right length."""
    reason = form.get("reason", "").strip()
    if not reason:
        return {"reason": f"请填写原因，例如：{example}"}
    if len(reason) > MOST_REASON:
        return {"reason": f"原因最多 {MOST_REASON} 个字，现在是 {len(reason)} 个"}
    return {}


def local_moment(text: str) -> int | None:
    """UTC milliseconds of a time in Sanshui as a browser's field gives it; None for no time."""
    try:
        at = dt.datetime.strptime(text.strip(), "%Y-%m-%dT%H:%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None
    return round(at.timestamp() * 1_000)


def local_field(ms: int | None) -> str:
    """What a browser's field for a time shows; empty for none."""
    if ms is None:
        return ""
    return f"{dt.datetime.fromtimestamp(ms / 1_000, tz=SHANGHAI):%Y-%m-%dT%H:%M}"


def sent_version(form: Mapping[str, str]) -> int:
    """Which version the form showed; -1, which none is, where it does not say."""
    found = whole_number(form.get("version", ""))
    return -1 if found is None else found


def conflict_words(theirs: object) -> str:
    """What somebody else made of the thing meanwhile."""
    now = msgspec.json.encode(theirs).decode() if theirs else "没有这一项"
    return f"别人刚刚改成了 {now}；没有改动，请核对后再提交"
