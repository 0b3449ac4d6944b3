"""The shape every benchmark prints."""

from typing import Any

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One measured number against its goal; `goal` in words, e.g. "<= 250"."""

    name: str
    value: float
    unit: str
    goal: str
    ok: bool


class Report(msgspec.Struct, frozen=True):
    """One benchmark's JSON object."""

    bench: str
    figures: list[Figure]
    details: dict[str, Any] = {}

    @property
    def ok(self) -> bool:
        return all(figure.ok for figure in self.figures)


def at_most(name: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(name, value, unit, f"<= {limit:g}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(name, value, unit, f">= {limit:g}", value >= limit)


def shown(name: str, value: float, unit: str) -> Figure:
    """A number without a goal, stated for the record."""
    return Figure(name, value, unit, "stated", ok=True)
