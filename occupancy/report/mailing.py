"""A report as a mail: what it says in short, the first picture, and the PDF with it."""

import hashlib
from email.message import EmailMessage
from html import escape

from occupancy import database_report_versions
from occupancy.database import Pool
from occupancy.database_report_mail import Mailing
from occupancy.escalation_config import EscalationSettings
from occupancy.escalation_sender import RefusedError, hand_in
from occupancy.report.drawing import draw
from occupancy.report.figures import write_figure
from occupancy.report.kept import PDF, KeptReport
from occupancy.report.picture import HeatMap
from occupancy.report.png import png
from occupancy.report.sections import charts_of

_IMAGE = "chart@zhibo.invalid"


async def send(connections: Pool, settings: EscalationSettings, mail: Mailing) -> None:
    """Raises one of escalation_sender.TROUBLES."""
    if settings.mail_server is None:
        raise RefusedError("there is no mail server any more")
    kept = await database_report_versions.get_report(connections, mail.report_id)
    file = await database_report_versions.find_file(connections, mail.report_id, PDF)
    await hand_in(settings.mail_server, mail_of(settings, kept, mail.recipient, file))


def mail_of(
    settings: EscalationSettings, kept: KeptReport, recipient: str, file: bytes | None
) -> EmailMessage:
    """Its id is the same for each attempt, and another for each address and version."""
    report = kept.report
    mail = EmailMessage()
    correction = "（更正版）" if report.version > 1 else ""
    mail["Subject"] = (
        f"[三水智泊] {report.title} {report.period.title} 第 {report.version} 版{correction}"
    )
    mail["From"] = settings.mail_from
    mail["To"] = recipient
    mail["Message-ID"] = f"<report-{_digest(kept, recipient)}@zhibo.invalid>"
    lines = _lines(settings, kept)
    mail.set_content("\n".join(lines) + "\n")
    heat = next((one for one in charts_of(report) if isinstance(one.picture, HeatMap)), None)
    body = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    shown = "" if heat is None else f'<p><img src="cid:{_IMAGE}" alt="{escape(heat.alt)}"></p>'
    mail.add_alternative(f'<html lang="zh-CN"><body>{body}{shown}</body></html>', subtype="html")
    if heat is not None:
        html = mail.get_payload()[1]  # type: ignore[index]  # the alternative just added
        html.add_related(png(draw(heat)), "image", "png", cid=f"<{_IMAGE}>")  # type: ignore[union-attr]  # a message
    if file is not None:
        name = f"report-{report.period.slug}-v{report.version}.pdf"
        mail.add_attachment(file, maintype="application", subtype="pdf", filename=name)
    return mail


def _lines(settings: EscalationSettings, kept: KeptReport) -> list[str]:
    report = kept.report
    kpis = [
        f"{kpi.name}：{write_figure(kpi.value, kpi.kind, kpi.decimals)}{kpi.unit} "
        f"{kpi.missing if kpi.value is None else kpi.compared}".rstrip()
        for kpi in report.kpis
    ]
    note = [f"版本说明：{report.note}"] if report.version > 1 else []
    query = f"?lots={','.join(kept.head.subject.lots)}" if kept.head.subject.lots else ""
    address = f"{settings.public_url}/reports/{report.period.slug}/v{report.version}{query}"
    return [
        f"{report.title} {report.period.dates}",
        *note,
        report.headline.replace("**", ""),
        "",
        *kpis,
        "",
        f"全文：{address}",
    ]


def _digest(kept: KeptReport, recipient: str) -> str:
    return hashlib.sha256(kept.head.sha256 + recipient.encode()).hexdigest()[:32]
