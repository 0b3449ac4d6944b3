"""The report as PDF/UA by WeasyPrint: tagged, its fonts inside, its text to be searched."""

import shutil
import subprocess
from importlib import import_module
from types import ModuleType

from occupancy.report.document import Report
from occupancy.report.paper import picture_inside, whole

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk"
CURE = f"apt-get install {PACKAGES}"


class NoPdfError(Exception):
    """WeasyPrint finds no Pango here; the message says what to install."""


def pdf(report: Report) -> bytes:
    """The same report is the same PDF, byte for byte. Raises NoPdfError."""
    weasyprint = load()
    made = weasyprint.HTML(string=whole(report, picture_inside, is_print=True)).write_pdf(
        pdf_variant="pdf/ua-1",
        pdf_identifier=f"{report.period.slug} v{report.version}".encode(),
    )
    return bytes(made)


def load() -> ModuleType:
    """WeasyPrint, which loads system libraries as it is imported. Raises NoPdfError."""
    try:
        return import_module("weasyprint")
    except OSError as trouble:
        raise NoPdfError(f"no PDF without Pango: {CURE} ({trouble})") from None


def has_chinese_font() -> bool:
    """Whether the font that reports name is there; True where nothing can say."""
    match = shutil.which("fc-match")
    if match is None:
        return True
    asked = (match, "-f", "%{family}", "Noto Sans CJK SC:lang=zh-cn")
    found = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    return "CJK" in found.stdout
