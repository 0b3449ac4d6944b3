"""The congestion report as plain data: `report.json` is this, and every face is drawn from it.

Words are Chinese; `**` around a part of a sentence makes it stand out. A number that is not known
is None and shows as a dash; why it is not known stands in words beside it.
"""

from enum import StrEnum

import msgspec

from occupancy.report.period import Period
from occupancy.report.picture import Picture

SCHEMA = "zhibo.report/1"


class Tone(StrEnum):
    """How a number is to be taken; every face says it by a word or a sign, not by colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Confidence(StrEnum):
    """How sure a finding's effect is."""

    HIGH = "high"  # 高
    MEDIUM = "medium"  # 中
    LOW = "low"  # 低


class Kind(StrEnum):
    """What a column holds: decides its alignment, its cell in a sheet, and how it is written."""

    TEXT = "text"
    NUMBER = "number"
    SHARE = "share"  # 0 to 1, shown in per cent
    FEN = "fen"  # integer fen, shown in yuan
    DATE = "date"  # a day, 2026-10-01
    MOMENT = "moment"  # milliseconds UTC, shown in Asia/Shanghai


class Kpi(msgspec.Struct, frozen=True):
    """One big number under the headline, or one of section 2; `code` as in the vital signs.

    `compared`: against last month, last year or a target, as words (上月 5.1 ↓0.5).
    `completeness` 0 to 1; `missing` says why `value` is None.
    """

    code: str
    name: str
    value: float | None
    unit: str = ""
    kind: Kind = Kind.NUMBER
    decimals: int = 1
    band: str = ""
    compared: str = ""
    tone: Tone = Tone.PLAIN
    completeness: float | None = None
    missing: str = ""


class Sentences(msgspec.Struct, frozen=True, tag="sentences"):
    """What the numbers say, in whole sentences made from them."""

    sentences: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """One line of 结论与建议, and the rule that produced it.

    `effect`, `low`, `high`: the expected effect with its range, in `unit`; None where only the
    words of `effect_words` can be said. `sections`: where the evidence stands.
    """

    rule: str  # the name of the rule, as the formulas sheet explains it
    action: str
    evidence: str
    effect_words: str
    confidence: Confidence
    cost: str
    who: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    sections: tuple[int, ...] = ()
    lots: tuple[str, ...] = ()


class Findings(msgspec.Struct, frozen=True, tag="findings"):
    """At most five; none is a result, too, and says so in `nothing`."""

    findings: tuple[Finding, ...]
    nothing: str = ""


class Column(msgspec.Struct, frozen=True):
    """A column of a table; `unit` stands in its head."""

    title: str
    kind: Kind = Kind.TEXT
    unit: str = ""
    decimals: int = 0


Cell = str | int | float | None


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table of typed columns; each row has as many cells as there are columns."""

    name: str  # a-z, 0-9 and _: names the CSV file and the JSON
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Chart(msgspec.Struct, frozen=True, tag="chart"):
    """One picture and how to read it; drawn by `occupancy.report.drawing` from `picture` alone.

    `reading` is the 读法 under it, `alt` what somebody is told who cannot see it.
    """

    name: str  # a-z, 0-9 and _: names the SVG and the PNG
    title: str
    picture: Picture
    reading: str
    alt: str
    is_wide: bool = True  # otherwise two stand side by side where there is room


class Missing(msgspec.Struct, frozen=True, tag="missing"):
    """What cannot be said, and why: "no data" in words."""

    reason: str


Block = Sentences | Findings | Table | Chart | Missing


class Section(msgspec.Struct, frozen=True):
    """One of the twelve; `question` is the one it answers, `decision` what it is for."""

    number: int
    title: str
    question: str
    decision: str
    blocks: tuple[Block, ...]


class Formula(msgspec.Struct, frozen=True):
    """A line of the formulas sheet."""

    code: str
    name: str
    formula: str
    unit: str
    source: str


class LotNote(msgspec.Struct, frozen=True):
    """A car park of the report, and what its numbers must be read with (opened on, closed for)."""

    lot_id: str
    name: str
    usable: int | None
    completeness: float
    note: str = ""


class Report(msgspec.Struct, frozen=True):
    """One report, whole. `version` and `note` are given by whoever keeps it; drafts have 0.

    `headline` is the paragraph at the top; `is_sample`: figures of the simulated town or with
    placeholders in them. `completeness`: of all lots together.
    """

    period: Period
    title: str
    subtitle: str
    generated_at_ms: int
    method_version: str
    headline: str
    kpis: tuple[Kpi, ...]
    sections: tuple[Section, ...]
    lots: tuple[LotNote, ...]
    formulas: tuple[Formula, ...]
    completeness: float | None
    is_sample: bool = False
    is_partial: bool = False  # the period had not ended when this was made
    version: int = 0
    note: str = ""
    schema: str = SCHEMA
