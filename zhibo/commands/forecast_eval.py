"""`zhibo forecast-eval`: our forecaster's error on a series of yours."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from zhibo.command import Command, Environ


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("--train", type=Path, required=True, metavar="A.csv")
    parser.add_argument("--test", type=Path, required=True, metavar="B.csv")


def run(arguments: Namespace, _: Environ) -> int:
    from routing.forecast_eval import evaluate_files

    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    evaluation = evaluate_files(arguments.train, arguments.test, say)
    print(msgspec.json.format(msgspec.json.encode(evaluation)).decode())
    return 0


COMMAND = Command("forecast-eval", "our forecaster's error on a series of yours", run, ask)
