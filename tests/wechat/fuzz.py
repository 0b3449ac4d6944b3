"""Hostile input for as long as asked: `python -m tests.wechat.fuzz --minutes 10`.

Prints one JSON object: how much was tried, and the first input that did more than be refused.
"""

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from tests.wechat import hostile

_ROUND = 2_000
PARTS: dict[str, tuple[SearchStrategy[Any], Callable[[Any], None]]] = {
    "bodies": (hostile.bodies, hostile.read_a_body),
    "seals": (hostile.sealed_texts, hostile.open_a_seal),
    "queries": (hostile.queries, hostile.check_a_query),
    "words": (hostile.spoken, hostile.talk),
}


def fuzz(seconds: float) -> tuple[Counter[str], str]:
    """How many inputs of each kind, and the first failure in words."""
    tried: Counter[str] = Counter()
    until = time.monotonic() + seconds  # noqa: TID251 -- as long as a person asked for
    while time.monotonic() < until:  # noqa: TID251
        for name, (inputs, read) in PARTS.items():
            try:
                _round(inputs, read, name, tried)
            except Exception:  # noqa: BLE001 -- that is what is looked for
                return tried, traceback.format_exc(limit=-6)
        print(f"{tried.total()} inputs", file=sys.stderr)  # noqa: T201
    return tried, ""


def _round(
    inputs: SearchStrategy[Any], read: Callable[[Any], None], name: str, tried: Counter[str]
) -> None:
    @settings(
        max_examples=_ROUND,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def one(value: object) -> None:
        tried[name] += 1
        read(value)

    one()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.wechat.fuzz")
    parser.add_argument("--minutes", type=float, default=10.0)
    _tried, _failure = fuzz(parser.parse_args().minutes * 60)
    print(json.dumps({"inputs": dict(_tried), "failure": _failure}, ensure_ascii=False))  # noqa: T201
    sys.exit(bool(_failure))
