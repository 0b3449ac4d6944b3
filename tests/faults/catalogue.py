"""Every row of the fault table by its name, and how often the long run does it at least."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from tests.faults import (
    delivery_faults,
    outbox_faults,
    postgres_faults,
    process_faults,
    redis_faults,
)
from tests.faults.link_faults import on_postgres, on_redis
from tests.faults.proxy import Mode
from tests.faults.stage import Stage
from tests.faults.watch import Watch


class Fault(NamedTuple):
    """`strike` does it and gives the moment at which it was over, by our clock."""

    strike: Callable[[Stage, Watch], Awaitable[int]]
    at_least: int = 1


FAULTS: Mapping[str, Fault] = {
    "kill -9": Fault(process_faults.kill, 100),
    "redis unreachable 1 h": Fault(redis_faults.hour_away),
    "redis wiped": Fault(redis_faults.wiped, 5),
    "streams deleted": Fault(redis_faults.streams_deleted, 5),
    "redis log cut, restarted twice": Fault(redis_faults.log_cut, 5),
    "postgres down": Fault(postgres_faults.down, 5),
    "postgres immediate shutdown": Fault(postgres_faults.shut_down_at_once, 5),
    "postgres disk full": Fault(postgres_faults.disk_full, 5),
    **{
        f"{server} link: {words}": Fault(on(mode))
        for server, on in (("redis", on_redis), ("postgres", on_postgres))
        for words, mode in (
            ("30 % loss", Mode.LOSS),
            ("2 s delay", Mode.DELAY),
            ("half-open", Mode.BLACK_HOLE),
            ("reset in a command", Mode.CUT_COMMAND),
            ("reply swallowed", Mode.SWALLOW_REPLY),
        )
    },
    "outbox disk full, then freed": Fault(outbox_faults.disk_full),
    "outbox with a torn page": Fault(outbox_faults.torn_page),
    "two recorders believe": Fault(process_faults.two_recorders_believe),
    "recorder stopped 30 s": Fault(process_faults.recorder_stopped),
    "duplicate and reordered delivery": Fault(delivery_faults.again_and_reordered),
    "clock steps of an hour": Fault(outbox_faults.clock_steps),
}
