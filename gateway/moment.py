"""A vendor's way to write a moment, to UTC milliseconds."""

from datetime import datetime, timedelta, timezone
from enum import StrEnum

_SHANGHAI = timezone(timedelta(hours=8))  # no daylight saving since 1991


class TimeForm(StrEnum):
    """How a vendor writes a moment."""

    EPOCH_SECONDS = "epoch_s"
    EPOCH_MS = "epoch_ms"
    LOCAL = "local"  # 2026-10-01 08:00:00 in Asia/Shanghai
    NONE = "none"  # not at all: the moment of hearing stands for it


def moment_ms(form: TimeForm, value: object) -> int:
    """Raises ValueError for what is no moment of this form."""
    if form is TimeForm.LOCAL:
        local = datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=_SHANGHAI)
        return int(local.timestamp() * 1_000)
    number = int(str(value))
    return number * 1_000 if form is TimeForm.EPOCH_SECONDS else number
