"""Compare the engine with the minute-by-minute reference on many random stays.

.venv/bin/python -m tests.bench.tariff_reference --pairs 200000 --seed 1
"""

import argparse
import sys
from random import Random

import msgspec

from occupancy.calendar import Calendar
from occupancy.stay import Stay
from occupancy.tariff_entry import PricedVersion, price_versions
from occupancy.tariff_quote import quote
from tests.bench.report import Figure, Report, shown
from tests.occupancy.random_tariffs import random_stay, random_versions
from tests.occupancy.reference_tariff import reference_fee

STAYS_A_TARIFF = 4


def differences(pairs: int, seed: int) -> list[dict[str, str]]:
    """Every disagreement, with what is needed to see it again."""
    found = []
    for number in range(pairs // STAYS_A_TARIFF):
        rng = Random(f"{seed}/{number}")  # noqa: S311 -- it must repeat, not be secret
        calendar = Calendar()
        versions = random_versions(rng)
        priced = price_versions(versions, calendar)
        for _ in range(STAYS_A_TARIFF):
            stay = random_stay(rng, versions[0])
            theirs = reference_fee(versions, calendar, stay)
            if seen := disagreement(priced, stay, theirs):
                found.append({"seed": f"{seed}/{number}", "seen": seen, "stay": repr(stay)})
    return found


def disagreement(priced: tuple[PricedVersion, ...], stay: Stay, expected_fen: int) -> str:
    """What is wrong with our quote, or nothing."""
    ours = quote(priced, stay)
    if ours.total_fen != expected_fen:
        return f"{ours.total_fen} fen against {expected_fen}"
    if sum(line.amount_fen for line in ours.lines) != ours.total_fen:
        return f"the lines of {ours} do not add up"

    def fee(leave: int) -> int:
        leave_ms = stay.arrive_ms + (leave - ours.arrive) * 60_000
        return quote(priced, msgspec.structs.replace(stay, leave_ms=leave_ms)).total_fen

    if ours.free_until is not None and (fee(ours.free_until), fee(ours.free_until + 1) > 0) != (
        0,
        True,
    ):
        return f"free until {ours.free_until} is wrong"
    at, next_fen = ours.next_step_at, ours.next_total_fen
    if at is not None and (fee(at), fee(at + 1)) != (expected_fen, next_fen):
        return f"next step at {at} to {next_fen} is wrong"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = differences(asked.pairs, asked.seed)
    figures = [
        shown("pairs", asked.pairs, "pairs"),
        Figure("disagreements", len(found), "pairs", "= 0", not found),
    ]
    print(msgspec.json.encode(Report("tariff-reference", figures, {"first": found[:5]})).decode())
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
