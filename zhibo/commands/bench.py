"""`zhibo bench`: the project's own benchmarks, from a checkout."""

import argparse
import importlib
import sys
from argparse import ArgumentParser, Namespace

import msgspec

from zhibo.command import BAD_INPUT, FOUND_TROUBLE, Command, Environ


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("bench", nargs="?", metavar="NAME")
    parser.add_argument("rest", nargs=argparse.REMAINDER)


def run(arguments: Namespace, _: Environ) -> int:
    try:
        benches = importlib.import_module("tests.bench")
    except ModuleNotFoundError:
        print("zhibo bench runs from a checkout, where tests/bench is", file=sys.stderr)
        return BAD_INPUT
    if not arguments.bench:
        print("\n".join(f"  {name:<12} {about}" for name, about in benches.list_benches().items()))
        return 0
    if arguments.bench not in benches.list_benches():
        print(f"no bench {arguments.bench!r}; `zhibo bench` lists them", file=sys.stderr)
        return BAD_INPUT
    report = benches.measure(arguments.bench, arguments.rest)
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    return 0 if report.ok else FOUND_TROUBLE


COMMAND = Command("bench", "the project's own benchmarks; alone it lists them", run, ask)
