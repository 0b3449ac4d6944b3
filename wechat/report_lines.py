"""What citizens reported, a line each, as operators read it."""

from datetime import UTC, datetime, timedelta, timezone

from occupancy.database_reports import CitizenReport
from wechat.driver_view import KINDS

_LOCAL = timezone(timedelta(hours=8))
_KIND_WORDS = dict(KINDS)


def report_line(report: CitizenReport) -> str:
    """When, where, what, and what we showed then; a citizen's words move no cursor."""
    at = datetime.fromtimestamp(report.reported_at_ms / 1_000, tz=UTC).astimezone(_LOCAL)
    shown = "当时无数据" if report.free_shown is None else f"当时显示 {report.free_shown} 位"
    if report.quality_shown:
        shown += f"（{report.quality_shown}）"
    words = "".join(letter if letter.isprintable() else " " for letter in report.words)
    said = f"：{words}" if words.strip() else ""
    kind = _KIND_WORDS.get(report.kind, report.kind)
    return f"{at:%Y-%m-%d %H:%M}  {report.lot_id}  {kind}，{shown}{said}"
