"""Pieces of SVG with literal colours and fonts: one picture for screen, PDF, sheet and mail.

No pattern, no style sheet, no script: browsers, WeasyPrint and resvg draw these alike.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

import msgspec

WIDE, HALF = 904, 444
FONTS = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, Source Han Sans SC, sans-serif"
INK, SOFT, RULE, PAPER, PLATE = "#1f2a37", "#5b6573", "#e3e8ee", "#ffffff", "#f4f7fa"
BLUE, RED, GREEN, PURPLE, AMBER = "#0b57b0", "#a8071a", "#00755f", "#6b3fa0", "#8a4f00"
BLUSH, SKY = "#fde8e8", "#dce9f8"
RAMP = ("#fff8e8", "#ffe3ab", "#fdbb63", "#e0852a", "#b05510", "#6b2c05")
RAMP_INK = (INK, INK, INK, INK, PAPER, PAPER)
RAMP_EDGE = "#e8d9b8"  # the palest colours end somewhere on white paper
SOLID = ""
# Each line has a colour and a dash of its own: neither is the only sign.
STROKES = (
    (RED, SOLID),
    (BLUE, "8 3"),
    (GREEN, "2 3"),
    (PURPLE, "9 3 2 3"),
    (SOFT, "5 2"),
    (AMBER, "1 2"),
    (INK, "12 4"),
)
SIZE = 12
_WIDE_MARKS = "WF"
_ASCII_EM = 0.56


class Plot(msgspec.Struct, frozen=True):
    """A field of a picture with its scales: from values to places."""

    left: float
    top: float
    right: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / ((self.x_high - self.x_low) or 1)
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / ((self.y_high - self.y_low) or 1)
        return self.bottom - share * (self.bottom - self.top)


def picture(width: float, height: float, title: str, about: str, parts: Iterable[str]) -> str:
    """A whole SVG document, told to those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{place(width)}" height="{place(height)}" '
        f'viewBox="0 0 {place(width)} {place(height)}" role="img" font-family="{FONTS}" '
        f'font-size="{SIZE}"><title>{escape(title)}</title><desc>{escape(about)}</desc>'
        f'<rect width="{place(width)}" height="{place(height)}" fill="{PAPER}"/>'
        f"{''.join(parts)}</svg>"
    )


def place(value: float) -> str:
    """A coordinate to a tenth, without what says nothing."""
    return f"{value:.1f}".removesuffix(".0")


def text(
    x: float,
    y: float,
    words: str,
    anchor: str = "start",
    fill: str = INK,
    size: float = SIZE,
    weight: int = 400,
) -> str:
    heavy = f' font-weight="{weight}"' if weight != 400 else ""  # noqa: PLR2004 -- a font's usual weight
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    large = f' font-size="{place(size)}"' if size != SIZE else ""
    return (
        f'<text x="{place(x)}" y="{place(y)}" fill="{fill}"{side}{large}{heavy}>'
        f"{escape(words)}</text>"
    )


def rect(
    x: float, y: float, width: float, height: float, fill: str, edge: str = "", radius: float = 0
) -> str:
    round_ = f' rx="{place(radius)}"' if radius else ""
    stroke = f' stroke="{edge}"' if edge else ""
    return (
        f'<rect x="{place(x)}" y="{place(y)}" width="{place(max(width, 0))}" '
        f'height="{place(max(height, 0))}" fill="{fill}"{stroke}{round_}/>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1, dash: str = SOLID
) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{place(x1)}" y1="{place(y1)}" x2="{place(x2)}" y2="{place(y2)}" '
        f'stroke="{stroke}" stroke-width="{place(width)}"{dashed}/>'
    )


def path(
    points: Sequence[tuple[float, float]], stroke: str, width: float = 2, dash: str = SOLID
) -> str:
    """One line through the points."""
    if not points:
        return ""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{_through(points)}" fill="none" stroke="{stroke}" '
        f'stroke-width="{place(width)}" stroke-linejoin="round"{dashed}/>'
    )


def area(points: Sequence[tuple[float, float]], fill: str, opacity: float = 1) -> str:
    """The ground inside the points."""
    see_through = f' fill-opacity="{opacity}"' if opacity < 1 else ""
    return f'<path d="{_through(points)}Z" fill="{fill}"{see_through}/>' if points else ""


def _through(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{place(x)} {place(y)}" for x, y in points)


def dot(x: float, y: float, radius: float, fill: str, edge: str = "") -> str:
    stroke = f' stroke="{edge}" stroke-width="2"' if edge else ""
    return f'<circle cx="{place(x)}" cy="{place(y)}" r="{place(radius)}" fill="{fill}"{stroke}/>'


def hatch(x: float, y: float, width: float, height: float, step: float = 5) -> str:
    """No data: slanted lines inside a rectangle, each ending at its edges."""
    strokes = []
    offset = step
    while offset < width + height:
        x1, y1 = (offset, 0.0) if offset <= width else (width, offset - width)
        x2, y2 = (0.0, offset) if offset <= height else (offset - height, height)
        strokes.append(f"M{place(x + x1)} {place(y + y1)}L{place(x + x2)} {place(y + y2)}")
        offset += step
    ground = rect(x, y, width, height, PLATE)
    return f'{ground}<path d="{"".join(strokes)}" stroke="#8592a3" fill="none"/>'


def runs(
    xs: Sequence[float], ys: Sequence[float | None], plot: Plot
) -> list[list[tuple[float, float]]]:
    """The line's unbroken parts, as places: where nothing is known, nothing is drawn."""
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is None:
            parts.append([])
        else:
            parts[-1].append((plot.x(x), plot.y(y)))
    return [part for part in parts if part]


def width_of(words: str, size: float = SIZE) -> float:
    """About how wide words are: a Chinese character is as wide as it is high."""
    ems = (1.0 if unicodedata.east_asian_width(c) in _WIDE_MARKS else _ASCII_EM for c in words)
    return sum(ems) * size


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from below `low` to above `high`, about so many steps."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low, low + 1]
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((1, 2, 2.5, 5, 10), key=lambda one: abs(one * power - raw))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def decimals_of(marks: Sequence[float]) -> int:
    """How many decimals tell neighbouring ticks apart."""
    step = abs(marks[1] - marks[0]) if len(marks) > 1 else 1
    return next((digits for digits in range(4) if abs(round(step, digits) - step) < 1e-9), 4)  # noqa: PLR2004 -- a billionth of a step is no step


def level(value: float, limits: Sequence[float]) -> int:
    """Which colour of the ramp: 0 below the first limit."""
    return sum(value >= limit for limit in limits)
