"""Candidates and questions with everything filled in, so that a test says only what matters."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from occupancy.lot import Place
from routing.candidate import Candidate, Fee, Travel
from routing.question import Question
from tests.builders import MORNING_MS, a_lot

HOSPITAL = Place(23.1579, 112.8893)


@dataclass(frozen=True)
class Expected:
    """So many spaces, for certain or with a given chance."""

    free_mean: float
    chance: float | None = None

    @property
    def low(self) -> float:
        return self.free_mean

    @property
    def high(self) -> float:
        return self.free_mean

    @property
    def basis(self) -> str:
        return "learned"

    def chance_of_at_least(self, spaces: float, promised: float = 0.0) -> float:
        if self.chance is not None:
            return self.chance
        return min(1.0, max(0.0, (self.free_mean - promised) / spaces / 4))


def a_question(**other: Any) -> Question:  # noqa: ANN401
    return replace(Question(HOSPITAL, "三水区人民医院", stay_minutes=120), **other)


def a_candidate(  # noqa: PLR0913
    lot_id: str = "kangle",
    *,
    drive: float = 5.0,
    store: float = 2.0,
    fetch: float = 2.0,
    walk: float = 3.0,
    fee_fen: int | None = 600,
    free: float = 20.0,
    chance: float | None = None,
    lot: dict[str, Any] | None = None,
    **other: Any,  # noqa: ANN401
) -> Candidate:
    made = Candidate(
        lot=a_lot(lot_id=lot_id, short_name=lot_id, **(lot or {})),
        arrives_ms=MORNING_MS,
        travel=Travel(drive, store, fetch, walk),
        fee=Fee(fee_fen),
        outlook=Expected(free, chance),
    )
    return replace(made, **other)
