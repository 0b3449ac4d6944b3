"""How long a joint decision takes: so many drivers of one moment, 300 lots around a town."""

import statistics
import time

import numpy as np

from routing.assignment import Group, assign
from routing.cost import crowding_minutes
from tests.bench.report import Report, at_most

LOTS, SPACES, TOWN_METRES = 300, 64, 8_000.0
ROUNDS = {500: 25, 5_000: 9}
GOALS_MS = {500: 25.0, 5_000: 400.0}


def measure(_: list[str]) -> Report:
    """The median of several moments, each with other drivers."""
    took = {
        drivers: sorted(_took_ms(drivers, seed) for seed in range(rounds))
        for drivers, rounds in ROUNDS.items()
    }
    figures = [
        at_most(
            f"joint decision of {drivers} drivers x {LOTS} lots, median",
            round(statistics.median(times), 1),
            GOALS_MS[drivers],
            "ms",
        )
        for drivers, times in took.items()
    ]
    spread = {
        str(drivers): [round(times[0], 1), round(times[-1], 1)] for drivers, times in took.items()
    }
    return Report("joint_decision", figures, {"moments": ROUNDS, "fastest_and_slowest_ms": spread})


def _took_ms(drivers: int, seed: int) -> float:
    group = _moment(drivers, np.random.default_rng(seed))
    began = time.perf_counter()
    assign(group)
    return (time.perf_counter() - began) * 1e3


def _moment(drivers: int, chance: np.random.Generator) -> Group:
    """Drivers going to places all over town; each lot has some free spaces, more or less surely."""
    lots = chance.uniform(0, TOWN_METRES, (LOTS, 2))
    places = chance.uniform(0, TOWN_METRES, (drivers, 2))
    metres = np.linalg.norm(places[:, None, :] - lots[None, :, :], axis=2)
    minutes = metres / 75.0 + chance.uniform(0, 3, LOTS)
    free = chance.uniform(0, 2.5 * drivers / LOTS, LOTS)
    cars = np.arange(1, SPACES + 1)
    chances = 1 / (1 + np.exp((cars[None, :] - free[:, None]) / 1.5))
    return Group(
        minutes=minutes,
        tolls=chance.uniform(0, 1, minutes.shape),
        elsewhere=np.full(drivers, 120.0),
        crowding=crowding_minutes(chances, 15.0),
    )
