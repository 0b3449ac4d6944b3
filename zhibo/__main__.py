"""`zhibo COMMAND`: gathers what is set, runs the command, ends with its exit code."""

import os
import select
import signal
import sys
from typing import TYPE_CHECKING

import gateway.process
import occupancy.config
from zhibo import environ, refusals
from zhibo.parser import make_parser

if TYPE_CHECKING:
    from zhibo.command import Command


_NOBODY_READS = 128 + signal.SIGPIPE  # as a shell says it of others


def main() -> None:
    """Exit 0 when all went well, 1 when a check found something, 2 when the input is wrong."""
    arguments = make_parser().parse_args()
    command: Command = arguments.command
    try:
        told = environ.gather(arguments, joins_running=command.joins_running)
        if told.get("ZHIBO_CHILD"):
            gateway.process.die_with_parent(signal.SIGTERM)
        level = occupancy.config.LOG_LEVEL.read(told)
        gateway.process.configure_logging(command.name, level)
        code = command.run(arguments, told)
        sys.stdout.flush()
    except refusals.kinds() as refusal:
        refusals.refuse(command.name, refusal)
    except BaseExceptionGroup as group:
        first = refusals.find(group)
        if first is None:
            raise
        refusals.refuse(command.name, first)
    except BrokenPipeError:
        if not _is_left():
            raise
        code = _NOBODY_READS
    sys.exit(code)


def _is_left() -> bool:
    """`zhibo doctor | head`: the reader is gone; what is flushed at the end goes nowhere."""
    looks = select.poll()
    looks.register(sys.stdout, 0)
    if not looks.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


if __name__ == "__main__":
    main()
