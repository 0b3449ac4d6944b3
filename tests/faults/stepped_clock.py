"""`zhibo` with a wall clock that a test can step: `python -m tests.faults.stepped_clock FILE ...`.

FILE holds by how many milliseconds the clock is wrong, and may change at any time.
"""

import sys
from pathlib import Path

import gateway.process


def step(file: Path, by_ms: int) -> None:
    """Set the clocks that follow this file; they never see it half written."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(by_ms))
    fresh.replace(file)


def main() -> None:
    file, true_ms = Path(sys.argv.pop(1)), gateway.process.now_ms
    gateway.process.now_ms = lambda: true_ms() + int(file.read_text())
    import zhibo.__main__  # noqa: PLC0415  # it takes the clock as it is now

    zhibo.__main__.main()


if __name__ == "__main__":
    main()
