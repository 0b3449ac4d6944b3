"""Files and documents that are wrong in any way are refused, never a crash."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from occupancy.calendar import Calendar
from occupancy.stay import QuoteError, Stay
from occupancy.tariff import Tariff
from occupancy.tariff_apds import read_apds, write_apds
from occupancy.tariff_check import BadTariffError, errors_of
from occupancy.tariff_clock import utc_ms
from occupancy.tariff_entry import price_versions
from occupancy.tariff_exchange import UnreadableTariffError
from occupancy.tariff_file import shipped_tariffs
from occupancy.tariff_golemio import read_golemio, write_golemio
from occupancy.tariff_quote import quote
from occupancy.tariff_toml import TariffFileError, parse_tariff, write_tariff
from tests.occupancy.random_tariffs import random_tariff

KANGLE = shipped_tariffs()[1]
NONSENSE: tuple[Any, ...] = (
    None,
    -1,
    0,
    7,
    10**30,
    1.5,
    "",
    "x",
    "07:00",
    "2026-01-01",
    [],
    [1],
    {},
    {"a": 1},
    True,
)


def spoiled(rng: Random, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """The value with one thing in it replaced, left out or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: spoiled(rng, value[key])}
    if isinstance(value, list | tuple) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        if rng.random() < 0.1:
            return [*value, value[place]]
        return [*value[:place], spoiled(rng, value[place]), *value[place + 1 :]]
    return rng.choice(NONSENSE)


@settings(max_examples=300)
@given(st.randoms(use_true_random=False))
def test_a_spoiled_tariff_is_refused_or_priced(rng: Random) -> None:
    raw = spoiled(rng, msgspec.to_builtins(random_tariff(rng)))
    try:
        tariff = msgspec.convert(raw, Tariff)
    except msgspec.ValidationError:
        return
    if errors_of(tariff):
        return
    start = utc_ms(20_759 * 1440 + rng.randrange(1440))
    try:
        answer = quote(price_versions([tariff], Calendar()), Stay(start, start + 10**7))
    except QuoteError:
        return
    assert answer.total_fen >= 0
    msgspec.json.encode(answer)


@settings(max_examples=300)
@given(st.randoms(use_true_random=False))
def test_a_spoiled_file_is_refused_by_file_and_line(rng: Random) -> None:
    text = write_tariff(random_tariff(rng))
    place = rng.randrange(len(text))
    cut = text[:place] + rng.choice(("", '"', "x", "[", "=", "-", "\n", "9")) + text[place + 1 :]
    try:
        parse_tariff(cut, "x.toml")
    except TariffFileError as refusal:
        lines = refusal.lines
    else:
        lines = ()
    assert all(line.startswith("x.toml:") for line in lines)


@pytest.mark.parametrize(
    ("document", "read"),
    [
        (write_apds(KANGLE).document[0], read_apds),
        (write_golemio(KANGLE).document, read_golemio),
    ],
    ids=["apds", "golemio"],
)
@settings(max_examples=400)
@given(rng=st.randoms(use_true_random=False))
def test_a_spoiled_document_of_others_is_refused_with_a_reason(
    document: dict[str, Any], read: Callable[[Any, Tariff], Any], rng: Random
) -> None:
    try:
        imported = read(spoiled(rng, spoiled(rng, document)), KANGLE)
    except (UnreadableTariffError, BadTariffError):
        return
    assert errors_of(imported.tariff) == []
