"""Asks everything in /openapi.json with values drawn from it and beside it; nothing answers 5xx.

`python -m tests.security.api_fuzz --url http://127.0.0.1:8080 --examples 1000` asks a running
service for longer; it exits 1 if it found something.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode

ENDLESS = ("/v1/stream",)  # server-sent events
SAYS_SO = ("/readyz",)  # 503 is what it is there for
PATIENCE_SECONDS = 20
Operation = APIOperation[Any, Any, Any, Any]


def fuzz(url: str, examples: int) -> list[str]:
    """Every answer of 5xx, with what was asked. Blocks; the same seed asks the same."""
    found: list[str] = []
    for operation in _operations(url):
        for mode in GenerationMode:
            _ask(operation, url, mode, examples, found)
    return found


def _operations(url: str) -> Iterator[Operation]:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for told in schema.get_all_operations():
        operation = told.ok()  # type: ignore[union-attr]  # the document is valid: test_openapi
        if operation.path not in (*ENDLESS, *SAYS_SO):
            yield operation


def _ask(
    operation: Operation, url: str, mode: GenerationMode, examples: int, found: list[str]
) -> None:
    @seed(1)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Case[Any]) -> None:
        answer = case.call(base_url=url, timeout=PATIENCE_SECONDS, allow_redirects=False)
        if answer.status_code >= 500:
            found.append(f"{answer.status_code} {case.as_curl_command()[:300]}")

    with suppress(Unsatisfiable):  # nothing about it can be wrong
        one()


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--url", default="http://127.0.0.1:8080")
    told.add_argument("--examples", type=int, default=1_000)
    arguments = told.parse_args()
    found = fuzz(arguments.url, arguments.examples)
    sys.stdout.write("\n".join([*found, f"{len(found)} answers of 5xx\n"]))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
