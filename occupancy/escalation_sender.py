"""Tells somebody outside: a signed webhook or a mail."""

import datetime as dt
from email.message import EmailMessage

import aiohttp
import aiosmtplib
import msgspec

from occupancy.alarm_words import ALARM_WORDS, SEVERITY_WORDS
from occupancy.escalation import DELIVERY, SIGNATURE, Channel, Due, delivery_of, notice_of, sign
from occupancy.escalation_config import EscalationSettings, MailServer

PATIENCE_SECONDS = 10.0
_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
TROUBLES = (aiohttp.ClientError, aiosmtplib.SMTPException, OSError, TimeoutError)


class RefusedError(OSError):
    """The other side answered, but did not take it."""


async def tell(settings: EscalationSettings, due: Due) -> None:
    """Raises one of TROUBLES."""
    if due.channel is Channel.WEBHOOK:
        await _post(settings, due)
    else:
        await _mail(settings, due)


async def _post(settings: EscalationSettings, due: Due) -> None:
    raised_at = _at(due).isoformat()
    body = msgspec.json.encode(notice_of(due, raised_at, _link(settings, due)))
    await post_signed(settings.webhook, settings.webhook_secret, body, delivery_of(due))


async def post_signed(webhook: str, secret: str, body: bytes, delivery: str) -> None:
    """`delivery` is the same for each attempt. Raises one of TROUBLES."""
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: sign(body, secret),
        DELIVERY: delivery,
    }
    patience = aiohttp.ClientTimeout(PATIENCE_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=patience) as http,
        http.post(webhook, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        if answer.status >= 300:  # noqa: PLR2004
            # Not the whole address: many keep their key in it.
            raise RefusedError(f"{answer.url.host} answered {answer.status}")


async def _mail(settings: EscalationSettings, due: Due) -> None:
    server = settings.mail_server
    if server is None:
        raise RefusedError("there is no mail server any more")
    await hand_in(server, mail_of(settings, due))


async def hand_in(server: MailServer, mail: EmailMessage) -> None:
    """Raises one of TROUBLES."""
    await aiosmtplib.send(
        mail,
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.scheme == "smtps",
        start_tls=server.scheme == "smtp",
        timeout=PATIENCE_SECONDS,
    )


def mail_of(settings: EscalationSettings, due: Due) -> EmailMessage:
    """The mail, in Chinese; its id is the same for each attempt."""
    mail = EmailMessage()
    kind, severity = ALARM_WORDS[due.kind], SEVERITY_WORDS[due.severity]
    again = f"（第 {due.step} 次升级）" if due.step > 1 else ""
    mail["Subject"] = f"[三水智泊] {severity}告警：{due.lot_id} {kind}{again}"
    mail["From"] = settings.mail_from
    mail["To"] = ", ".join(due.mail_to)
    mail["Message-ID"] = f"<{delivery_of(due)}@zhibo.invalid>"
    mail.set_content(
        f"{kind}（{severity}）：{due.lot_id} {due.subject}\n{due.words}\n"
        f"发生于 {_at(due):%Y-%m-%d %H:%M:%S}，至今没有人确认。\n{_link(settings, due)}\n"
    )
    return mail


def _at(due: Due) -> dt.datetime:
    return dt.datetime.fromtimestamp(due.raised_at_ms / 1_000, tz=_SHANGHAI)


def _link(settings: EscalationSettings, due: Due) -> str:
    return f"{settings.public_url}/admin/alarms/{due.alarm_id}"
