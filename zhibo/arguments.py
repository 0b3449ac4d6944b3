"""Arguments that several commands take: days, a car park's name, the simulator's flags."""

import datetime as dt
import re
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path


def day(raw: str) -> dt.date:
    try:
        return dt.date.fromisoformat(raw)
    except ValueError:
        raise ArgumentTypeError(f"{raw!r} is not a day such as 2026-11-23") from None


def lot_name(raw: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", raw):
        raise ArgumentTypeError(f"{raw!r} is no name of a car park: a-z, 0-9, '_' and '-'")
    return raw


def ask_days(parser: ArgumentParser) -> None:
    for flag, name, about in (("--from", "first", "first day"), ("--to", "last", "last day")):
        parser.add_argument(
            flag, dest=name, type=day, required=True, metavar="DATE", help=f"{about}, 2026-11-23"
        )


def ask_config(parser: ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG.toml")


def ask_town(parser: ArgumentParser) -> None:
    parser.add_argument("--speed", metavar="X")
    parser.add_argument("--seed", metavar="N")
    parser.add_argument("--faults", metavar="NAME")
