"""What one poll of a device brought: values, or why not."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from gateway.decode import Value


class FailureKind(StrEnum):
    """Why a poll brought nothing."""

    REFUSED = "refused"  # nothing listens there
    TIMEOUT = "timeout"  # asked, no answer in time
    BROKEN = "broken"  # the connection broke while we waited
    SHORT_REPLY = "short_reply"  # fewer addresses than asked
    STRAY_REPLY = "stray_reply"  # an answer to another question
    EXCEPTION = "exception"  # the device said no
    BUSY = "busy"  # the device asked to be asked again


class Reading(msgspec.Struct, frozen=True):
    """Values of one device at one moment, by point name; `unreadable` says what made no sense."""

    device_id: str
    values: Mapping[str, Value]
    read_at_ms: int
    unreadable: tuple[str, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """One poll that failed, with the words for a log."""

    device_id: str
    kind: FailureKind
    at_ms: int
    note: str = ""
