"""A small line of free spaces over the last hours, as SVG paths; gaps stay gaps."""

from collections.abc import Sequence

import msgspec

WIDTH, HEIGHT, PADDING = 240.0, 48.0, 3.0
Point = tuple[float, float]


class Sparkline(msgspec.Struct, frozen=True):
    """The `d` of three paths in a view box of WIDTH x HEIGHT; empty where nothing is known."""

    line: str
    area: str
    end: str


def draw(values: Sequence[float | None], most: float) -> Sparkline:
    """One line a run of known values; 0 at the bottom, `most` at the top."""
    runs = _runs(values, most)
    last = runs[-1][-1] if runs and values[-1] is not None else None
    return Sparkline(
        line="".join(_line(run) for run in runs),
        area="".join(_area(run) for run in runs),
        end="" if last is None else f"M{last[0]:.1f} {last[1]:.1f}h0",
    )


def band(low: Sequence[float | None], high: Sequence[float | None], most: float) -> str:
    """The `d` of what lies between two lines, a piece a run in which both are known."""
    pairs = zip(low, high, strict=True)
    known = [one if None not in one else (None, None) for one in pairs]
    lows, highs = (_runs([pair[side] for pair in known], most) for side in (0, 1))
    return "".join(
        f"{_line(top)}L{_line(bottom[::-1])[1:]}Z" for bottom, top in zip(lows, highs, strict=True)
    )


def _runs(values: Sequence[float | None], most: float) -> list[list[Point]]:
    step = WIDTH / max(len(values) - 1, 1)
    runs: list[list[Point]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        height = (HEIGHT - 2 * PADDING) * value / max(most, 1)
        behind = len(values) - 1 - index
        runs[-1].append((WIDTH - behind * step, HEIGHT - PADDING - height))
    return [run for run in runs if run]


def _line(run: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)


def _area(run: list[Point]) -> str:
    return f"{_line(run)}V{HEIGHT:.0f}H{run[0][0]:.1f}Z"
