"""Field devices for the benchmarks, in a process of their own that ends with its parent."""

import argparse
import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

import uvloop

from gateway.config import LinkKind
from tests.field_line import Act, FieldLine, Request, serving

BITS_A_CHARACTER = 10  # 8N1 with its start and stop bit


@dataclass
class _Remembering(FieldLine):
    """Gives the same answer to the same question without working it out again."""

    answers: dict[Request, bytes] = field(default_factory=dict)

    def answer(self, request: Request) -> bytes:
        known = self.answers.get(request)
        if known is None:
            known = self.answers[request] = super().answer(request)
        return known


@contextmanager
def running(
    lines: int, kind: LinkKind, *, late_share: float = 0.0, seed: int = 0
) -> Iterator[list[int]]:
    """The ports of `lines` lines served by a child process."""
    command = [sys.executable, "-m", "tests.bench.field_server", str(lines), kind.value]
    options = [f"--late-share={late_share}", f"--seed={seed}"]
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
    dice = random.Random(arguments.seed)  # noqa: S311  # not for secrets

    def script(_: Request) -> Act:
        return Act.LATE if dice.random() < arguments.late_share else Act.ANSWER

    lines = [_Remembering(LinkKind(arguments.kind), script=script) for _ in range(arguments.lines)]
    async with AsyncExitStack() as stack:
        for line in lines:
            await stack.enter_async_context(serving(line))
        print(*(line.port for line in lines), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("lines", type=int)
    parser.add_argument("kind")
    parser.add_argument("--late-share", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    uvloop.run(_serve(parser.parse_args()))
