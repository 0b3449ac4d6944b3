"""Makes a report from history: gathered, written on a thread, with its 15-minute figures."""

import asyncio
from collections.abc import Sequence

from occupancy.database import Pool
from occupancy.report.content import write_report
from occupancy.report.facts import ReportFacts
from occupancy.report.gathering import NoSuchLotError, gather
from occupancy.report.kept import Subject
from occupancy.report.press import CannotBeMadeError, Made, Maker, Say
from occupancy.report.quarters import Quarters
from occupancy.rollup import fill
from occupancy.sign_faces import TownSign

_QUARTER = 15
_GATHERED = 0.8


def maker(signs: Sequence[TownSign]) -> Maker:
    """`signs` are those that the gateways' files name."""

    async def make(connections: Pool, subject: Subject, now_ms: int, say: Say) -> Made:
        try:
            facts = await gather(
                connections,
                subject.period,
                subject.lots,
                now_ms,
                lambda share: say(share * _GATHERED),
                signs,
            )
        except NoSuchLotError as refusal:
            raise CannotBeMadeError(str(refusal)) from None
        report = await asyncio.to_thread(write_report, facts)
        say(1.0)
        return Made(report, _whole(facts))

    return make


def _whole(facts: ReportFacts) -> Quarters:
    """Every quarter of an hour until the end; what was not told is there without figures."""
    start_ms, end_ms = facts.period.start_ms, facts.end_ms
    return {
        lot.lot_id: fill(facts.quarters.get(lot.lot_id, ()), lot.lot_id, start_ms, end_ms, _QUARTER)
        for lot in facts.lots
    }
