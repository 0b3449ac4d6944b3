"""What somebody outside is told of an alarm nobody acknowledged, and when it is tried again."""

import hashlib
import hmac
from enum import StrEnum

import msgspec

from occupancy.alarm import AlarmKind, Severity

MOST_STEPS = 5
PAUSES_SECONDS = (10, 30, 60, 300, 900, 1_800)
SIGNATURE, DELIVERY = "X-Zhibo-Signature", "X-Zhibo-Delivery"


class Channel(StrEnum):
    """How somebody is told."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class Step(msgspec.Struct, frozen=True):
    """Who is told of an alarm that nobody has acknowledged for so long.

    `from_settings`: nobody has edited it, it is as the service's settings say.
    """

    severity: Severity
    number: int
    after_minutes: int
    by_webhook: bool
    mail_to: tuple[str, ...] = ()
    from_settings: bool = False
    version: int = 0


class Due(msgspec.Struct, frozen=True):
    """An alarm that must be told by one channel at one step; times are UTC milliseconds."""

    alarm_id: int
    channel: Channel
    kind: AlarmKind
    lot_id: str
    subject: str
    severity: Severity
    words: str
    raised_at_ms: int
    attempts: int
    step: int = 1
    mail_to: tuple[str, ...] = ()


class Notice(msgspec.Struct, frozen=True):
    """The body of a webhook, as JSON."""

    alarm: int
    kind: AlarmKind
    lot: str
    subject: str
    severity: Severity
    words: str
    raised_at: str
    link: str
    step: int


def notice_of(due: Due, raised_at: str, link: str) -> Notice:
    return Notice(
        due.alarm_id,
        due.kind,
        due.lot_id,
        due.subject,
        due.severity,
        due.words,
        raised_at,
        link,
        due.step,
    )


def sign(body: bytes, secret: str) -> str:
    """`sha256=` and the HMAC of the body in hex, as common receivers check it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def delivery_of(due: Due) -> str:
    """The same for each attempt: a receiver that has it already need do nothing."""
    step = f"step{due.step}-" if due.step > 1 else ""
    return f"alarm-{due.alarm_id}-{step}{due.channel.value}"


def pause_seconds(attempts: int) -> int:
    """Until the next attempt after so many that failed; never given up while the alarm lasts."""
    return PAUSES_SECONDS[min(max(attempts, 1), len(PAUSES_SECONDS)) - 1]
