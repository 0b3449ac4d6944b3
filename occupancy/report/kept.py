"""What is kept of reports: versions, the sums of their sources, and who waits for one."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from occupancy.report.document import Report
from occupancy.report.period import Period

SETTLE_MS = 10 * 60_000
HOUR_MS = 3_600_000
PDF, QUARTERS = "report.pdf", "quarters"


class Subject(NamedTuple):
    """What a report is about: a period, and car parks in order of their ids; none is all."""

    period: Period
    lots: tuple[str, ...] = ()


class KeptVersion(msgspec.Struct, frozen=True):
    """A version in a list; `published_at_ms` None is a draft."""

    report_id: int
    subject: Subject
    version: int
    note: str
    made_by: str
    made_at_ms: int
    sha256: bytes
    published_by: str | None = None
    published_at_ms: int | None = None
    publication_reason: str | None = None


class KeptReport(NamedTuple):
    """A version, whole: `document` is report.json letter by letter."""

    head: KeptVersion
    report: Report
    document: bytes
    sources: "Sources"


class LotSums(msgspec.Struct, frozen=True, array_like=True):
    """What a car park's history of a period adds up to: another sum is another history."""

    told_ms: int
    occupied_ms: int
    usable_ms: int
    entries: int
    exits: int


class Sources(msgspec.Struct, frozen=True):
    """The history a report was made from; `corrections` of the period known by then.

    Hours that end by `until_ms`: what was still coming in when it was made is no correction of it.
    None: all of the period, as versions once were kept.
    """

    lots: dict[str, LotSums]
    corrections: int
    until_ms: int | None = None


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True):
    """A report that somebody waits for."""

    job_id: int
    subject: Subject
    note: str
    asked_by: str
    asked_at_ms: int
    state: JobState
    progress: float
    stage: str
    trouble: str
    attempts: int
    report_id: int | None

    @property
    def is_open(self) -> bool:
        return self.state in (JobState.WAITING, JobState.RUNNING)


def settled_ms(period: Period, now_ms: int) -> int:
    """Until when the hours of a period are whole: live data and its rollup have passed by."""
    return min(period.end_ms, (now_ms - SETTLE_MS) // HOUR_MS * HOUR_MS)


def find_changes(then: Sources, now: Sources) -> list[str]:
    """The car parks whose history of the period is another one now."""
    known = sorted(then.lots.keys() | now.lots.keys())
    return [lot_id for lot_id in known if then.lots.get(lot_id) != now.lots.get(lot_id)]
