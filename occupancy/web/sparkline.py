"""A small line of free spaces over the last hours, as SVG; gaps stay gaps."""

from collections.abc import Sequence

WIDTH, HEIGHT, PADDING = 240, 48, 4


def draw(values: Sequence[float | None], most: float) -> str:
    """One polyline a run of known values; 0 at the bottom, `most` at the top."""
    runs = _runs(values, most)
    lines = "".join(_line(run) for run in runs)
    end = f'<circle cx="{runs[-1][-1][0]:.1f}" cy="{runs[-1][-1][1]:.1f}" r="3.5"/>' if runs else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none" fill="#8FB3D9" '
        f'stroke="#8FB3D9" stroke-width="2" stroke-linejoin="round">{lines}{end}</svg>'
    )


def _runs(values: Sequence[float | None], most: float) -> list[list[tuple[float, float]]]:
    step = (WIDTH - 2 * PADDING) / max(len(values) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        height = (HEIGHT - 2 * PADDING) * value / max(most, 1)
        runs[-1].append((PADDING + index * step, HEIGHT - PADDING - height))
    return [run for run in runs if run]


def _line(run: list[tuple[float, float]]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    return f'<polyline points="{points}" fill="none"/>'
