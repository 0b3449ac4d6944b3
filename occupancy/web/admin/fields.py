"""Reads single fields of a form; what is wrong with one is said in words beside it."""

from collections.abc import Mapping

MOST_REASON = 200
_MOST_DIGITS = 15


def whole_number(text: str) -> int | None:
    """A number without sign; None for anything else."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return int(digits) if is_number else None


def find_reason_flaw(form: Mapping[str, str], example: str) -> dict[str, str]:
    """Empty if there is a reason of the right length."""
    reason = form.get("reason", "").strip()
    if not reason:
        return {"reason": f"请填写原因，例如：{example}"}
    if len(reason) > MOST_REASON:
        return {"reason": f"原因最多 {MOST_REASON} 个字，现在是 {len(reason)} 个"}
    return {}
