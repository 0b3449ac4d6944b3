"""What the pages draw of an experiment: its state, its blocks as a grid, its effect on a scale."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from occupancy.calendar import date_of
from occupancy.effect.evidence import Evidence, number
from occupancy.effect.experiment import ON, REST_DAY, Experiment, Plan
from occupancy.rollup import DAY_MS, local_day, local_hour

WIDTH, PADDING = 640.0, 60.0
LABEL_WIDTH = 44.0
CELL_HEIGHT, DAY_CELL_HEIGHT = 13.0, 30.0
HEAD = 22.0
MOST_CELL_WIDTH = 28.0
SCALE_WIDTH, SCALE_HEIGHT, MIDDLE = 420.0, 84.0, 58.0


class State(StrEnum):
    """How far an experiment has come."""

    PLANNED = "planned"
    WAITING = "waiting"  # started, its first block has not come
    RUNNING = "running"
    MISSED = "missed"  # never started
    STOPPED = "stopped"
    ENDED = "ended"


WORDS: Mapping[State, str] = {
    State.PLANNED: "计划中",
    State.WAITING: "已开始，等第一段",
    State.RUNNING: "进行中",
    State.MISSED: "没有开始",
    State.STOPPED: "已停止",
    State.ENDED: "已结束",
}


def state_of(experiment: Experiment, now_ms: int) -> State:
    if experiment.stopped_ms is not None:
        return State.STOPPED if experiment.started_ms is not None else State.MISSED
    if experiment.started_ms is None:
        return State.MISSED if experiment.is_over(now_ms) else State.PLANNED
    if experiment.is_over(now_ms):
        return State.ENDED
    return State.RUNNING if experiment.is_running(now_ms) else State.WAITING


class Cell(msgspec.Struct, frozen=True):
    """One block in the grid; `kind` is a class of the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    is_now: bool


class Label(msgspec.Struct, frozen=True):
    """A word beside the grid."""

    x: float
    y: float
    words: str


class Grid(msgspec.Struct, frozen=True):
    """Days from left to right, hours from top to bottom."""

    width: float
    height: float
    cells: tuple[Cell, ...]
    labels: tuple[Label, ...]


def grid_of(plan: Plan, now_ms: int) -> Grid:
    first = local_day(plan.from_ms)
    days = -(-(plan.to_ms - plan.from_ms) // DAY_MS)
    a_day = DAY_MS // plan.block_ms
    height = CELL_HEIGHT if a_day > 1 else DAY_CELL_HEIGHT
    width = min((WIDTH - LABEL_WIDTH) / days, MOST_CELL_WIDTH)
    now = plan.block_at(now_ms)
    cells = []
    for block, arm in enumerate(plan.arms):
        day, row = divmod(block, a_day)
        kind = ("on" if arm == ON else "off") + (" rest" if plan.kinds[block] == REST_DAY else "")
        x, y = LABEL_WIDTH + day * width, HEAD + row * height
        cells.append(Cell(x, y, width - 1, height - 1, kind, block == now))
    every = max(1, round(days / 8))
    labels = [
        Label(LABEL_WIDTH + day * width, HEAD - 7, f"{date_of(first + day):%m-%d}")
        for day in range(0, days, every)
    ]
    if a_day > 1:
        labels += [
            Label(0, HEAD + (row + 1) * height - 3, f"{local_hour(plan.start_of(row))}时")
            for row in range(0, a_day, 3)
        ]
    return Grid(WIDTH, HEAD + a_day * height, tuple(cells), tuple(labels))


class Scale(msgspec.Struct, frozen=True):
    """An effect on a line: where nought, the estimate and its interval stand.

    Changes within `least` could not have been seen.
    """

    width: float
    height: float
    middle: float
    zero: float
    effect: float
    low: float
    high: float
    least: tuple[float, float] | None
    low_words: str
    high_words: str


def scale_of(evidence: Evidence) -> Scale | None:
    """None where nothing can be said."""
    if evidence.effect is None or evidence.low is None or evidence.high is None:
        return None
    least = evidence.detectable or 0.0
    every = (0.0, evidence.low, evidence.high, least, -least)
    from_, to = min(every), max(every)
    span = (to - from_) or 1.0

    def place(value: float) -> float:
        return round(PADDING + (value - from_) / span * (SCALE_WIDTH - 2 * PADDING), 1)

    return Scale(
        width=SCALE_WIDTH,
        height=SCALE_HEIGHT,
        middle=MIDDLE,
        zero=place(0.0),
        effect=place(evidence.effect),
        low=place(evidence.low),
        high=place(evidence.high),
        least=(place(-least), place(least)) if evidence.detectable else None,
        low_words=number(evidence.low, evidence.metric),
        high_words=number(evidence.high, evidence.metric),
    )
