"""What a command is, and the exit codes and manners that all of them share."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass

FOUND_TROUBLE, BAD_INPUT = 1, 2
STUDY_NICENESS = 10  # what plays studies or makes reports waits for everything that is live
Environ = Mapping[str, str]


def ask_nothing(_: ArgumentParser) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """`run` answers with the exit code; `ask` adds what is asked for behind the name."""

    name: str
    about: str
    run: Callable[[Namespace, Environ], int]
    ask: Callable[[ArgumentParser], None] = ask_nothing
    joins_running: bool = True  # finds the servers of a `zhibo up` that runs in this data folder


def say(words: str) -> None:
    print(words, flush=True)


def person(environ: Environ) -> str:
    """Who acts, as the audit names him, where he did not say."""
    return environ.get("USER") or "command line"
