"""Whom to tell of alarms that nobody acknowledges, and after how many minutes."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from gateway.address import address, without_password
from gateway.settings import BadSettingError, Setting, text, whole_number
from occupancy.alarm import Severity
from occupancy.escalation import Channel, Step


def _minutes(raw: str) -> int:
    return whole_number(raw, least=0, most=10_080)


WEBHOOK = Setting("ZHIBO_ALARM_WEBHOOK", "", text, "https address that is told of alarms")
WEBHOOK_SECRET = Setting(
    "ZHIBO_ALARM_WEBHOOK_SECRET",
    "",
    text,
    "key of the signature that the address checks",
    secret=True,
)
MAIL_TO = Setting("ZHIBO_ALARM_MAIL_TO", "", text, "who is mailed of alarms, with commas between")
SMTP_URL = Setting(
    "ZHIBO_SMTP_URL", "", address, "smtp://user:password@host:587 (STARTTLS) or smtps://host:465"
)
MAIL_FROM = Setting("ZHIBO_MAIL_FROM", "zhibo@localhost", text, "the sender of our mail")
CRITICAL_MINUTES = Setting(
    "ZHIBO_ALARM_CRITICAL_MINUTES", "5", _minutes, "until a critical alarm is told outside"
)
MAJOR_MINUTES = Setting(
    "ZHIBO_ALARM_MAJOR_MINUTES", "30", _minutes, "until a major alarm is told outside"
)
SETTINGS = (
    WEBHOOK,
    WEBHOOK_SECRET,
    MAIL_TO,
    SMTP_URL,
    MAIL_FROM,
    CRITICAL_MINUTES,
    MAJOR_MINUTES,
)
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. `smtp+plain` is for a server on this machine."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class EscalationSettings:
    """Checked: a channel is there whole or not at all.

    A mail server without `mail_to` serves reports alone.
    """

    minutes: Mapping[Severity, int]
    webhook: str = ""
    webhook_secret: str = ""
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    mail_server: MailServer | None = None
    public_url: str = ""

    @property
    def channels(self) -> tuple[Channel, ...]:
        return (
            *((Channel.WEBHOOK,) if self.webhook else ()),
            *((Channel.MAIL,) if self.mail_server and self.mail_to else ()),
        )

    @property
    def first_steps(self) -> tuple[Step, ...]:
        """What holds until somebody edits the first steps."""
        return tuple(
            Step(severity, 1, minutes, bool(self.webhook), self.mail_to)
            for severity, minutes in self.minutes.items()
        )


def load_settings(environ: Mapping[str, str], public_url: str = "") -> EscalationSettings:
    """Raises BadSettingError."""
    webhook, secret = WEBHOOK.read(environ), WEBHOOK_SECRET.read(environ)
    if webhook and not webhook.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise BadSettingError(
            f"{WEBHOOK.name}={without_password(webhook)}: must begin with https://"
        )
    if webhook and not secret:
        raise BadSettingError(f"{WEBHOOK_SECRET.name} is not set: {WEBHOOK_SECRET.about}")
    to = tuple(one.strip() for one in MAIL_TO.read(environ).split(",") if one.strip())
    smtp = SMTP_URL.read(environ)
    if to and not smtp:
        raise BadSettingError(f"{SMTP_URL.name} is not set: {SMTP_URL.about}")
    return EscalationSettings(
        {
            Severity.CRITICAL: CRITICAL_MINUTES.read(environ),
            Severity.MAJOR: MAJOR_MINUTES.read(environ),
        },
        webhook,
        secret,
        to,
        MAIL_FROM.read(environ),
        _mail_server(smtp) if smtp else None,
        public_url,
    )


def _mail_server(url: str) -> MailServer:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadSettingError(f"{SMTP_URL.name}: must be {SMTP_URL.about}")
    return MailServer(
        parts.scheme,
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )
