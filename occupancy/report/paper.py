"""The report as HTML: the same article on the page, in the PDF and in the file that is sent."""

import base64
from collections.abc import Callable
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from occupancy.report.document import Chart, Column, Confidence, Finding, Kind, Kpi, Report, Tone
from occupancy.report.drawing import draw, is_wide
from occupancy.report.figures import write_cell, write_figure, write_moment, write_number
from occupancy.report.sections import anchor_of, charts_of

STYLE = files("occupancy.report") / "static" / "report.css"
_CONFIDENCE = {Confidence.HIGH: "高", Confidence.MEDIUM: "中", Confidence.LOW: "低"}
# Said beside the number, so that its colour is not the only sign.
_TONES = {Tone.PLAIN: "", Tone.GOOD: "✓ 良好", Tone.WARNING: "! 留意", Tone.BAD: "× 不佳"}
_FIGURES = frozenset({Kind.NUMBER, Kind.SHARE, Kind.FEN})
Address = Callable[[Chart], str]

_ENVIRONMENT = Environment(
    loader=PackageLoader("occupancy.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def article(
    report: Report, picture: Address, downloads: str = "", notice: str = "", query: str = ""
) -> Markup:
    """`picture` is where a chart's SVG is; `downloads` where its files are: without it none.

    `notice` is what must be known before reading: that data was corrected since. `query` follows
    the addresses of downloads.
    """
    text = _ENVIRONMENT.get_template("article.html").render(
        report=report, picture=picture, downloads=downloads, notice=notice, query=query
    )
    return Markup(text)  # noqa: S704 -- the template escapes what it is given


def whole(report: Report, picture: Address, *, is_print: bool = False) -> str:
    """A document that needs nothing beside it but what `picture` names; its style is inside."""
    return _ENVIRONMENT.get_template("whole.html").render(
        report=report,
        article=article(report, picture),
        style=Markup(STYLE.read_text(encoding="utf-8")),  # noqa: S704 -- ours
        is_print=is_print,
    )


def picture_inside(chart: Chart) -> str:
    """The picture itself as an address: nothing is fetched."""
    return f"data:image/svg+xml;base64,{base64.b64encode(draw(chart).encode()).decode()}"


def with_bold(sentence: str) -> Markup:
    """`**` around a part makes it stand out."""
    parts = [escape(part) for part in sentence.split("**")]
    marked = [
        Markup("<strong>{}</strong>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def _kpi_words(kpi: Kpi) -> str:
    return write_figure(kpi.value, kpi.kind, kpi.decimals)


def _effect(finding: Finding) -> str:
    """The range under the words, where there is one."""
    if finding.low is None or finding.high is None:
        return ""
    digits = 0 if min(abs(finding.low), abs(finding.high)) >= 10 else 1  # noqa: PLR2004 -- as one reads it
    low, high = (write_number(end, digits) for end in (finding.low, finding.high))
    return f"区间 {low} 至 {high} {finding.unit}".rstrip()


def confidence_word(confidence: Confidence) -> str:
    return _CONFIDENCE[confidence]


def _is_figure(column: Column) -> bool:
    return column.kind in _FIGURES


def _head(column: Column) -> str:
    return f"{column.title}（{column.unit}）" if column.unit else column.title


_ENVIRONMENT.filters.update(
    bold=with_bold,
    kpi=_kpi_words,
    confidence=confidence_word,
    tone=_TONES.__getitem__,
    effect=_effect,
    head=_head,
    moment=write_moment,
    anchor=anchor_of,
)
_ENVIRONMENT.globals.update(
    cell=write_cell, is_figure=_is_figure, is_wide=is_wide, charts_of=charts_of, zip=zip
)
