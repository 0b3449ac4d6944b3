"""Field devices for the benchmarks, in a process of their own that ends with its parent."""

import argparse
import asyncio
import logging
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

import structlog
import uvloop

from gateway.config import LinkKind
from tests.field_line import Act, FieldLine, Request, serving


class _Forgetting(list[Request]):
    """Keeps no record of a million requests."""

    def append(self, _: Request) -> None:
        return


@dataclass
class _Remembering(FieldLine):
    """Gives the same answer to the same question without working it out again."""

    answers: dict[Request, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.requests = _Forgetting()

    def answer(self, request: Request) -> bytes:
        known = self.answers.get(request)
        if known is None:
            known = self.answers[request] = super().answer(request)
        return known


def be_quiet() -> None:
    """Thousands of wanted failures are not worth a line of log each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@contextmanager
def running(lines: int, kind: LinkKind, *options: str) -> Iterator[list[int]]:
    """The ports of `lines` lines served by a child process; `options` as its command's."""
    command = [sys.executable, "-m", "tests.bench.field_server", str(lines), kind.value]
    with subprocess.Popen(  # noqa: S603  # our own module
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield [int(port) for port in child.stdout.readline().split()]
        finally:
            child.stdin.close()


async def _serve(arguments: argparse.Namespace) -> None:
    dice = random.Random(arguments.seed)  # noqa: S311

    def script(request: Request) -> Act:
        if request.unit == arguments.dead_unit:
            return Act.SILENT
        return Act.LATE if dice.random() < arguments.late_share else Act.ANSWER

    lines = [
        _Remembering(LinkKind(arguments.kind), script=script, baud=arguments.baud)
        for _ in range(arguments.lines)
    ]
    async with AsyncExitStack() as stack:
        for line in lines:
            await stack.enter_async_context(serving(line))
        print(*(line.port for line in lines), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("lines", type=int)
    parser.add_argument("kind")
    parser.add_argument("--late-share", type=float, default=0.0)
    parser.add_argument("--dead-unit", type=int, default=-1)
    parser.add_argument("--baud", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(_serve(_arguments()))
