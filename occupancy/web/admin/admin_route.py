"""One declaration a page of the operators: its address, what it takes to see it, who answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from occupancy.permissions import Permission
from occupancy.web.admin.visit import Visit

Answer = Callable[[Visit], Awaitable[web.StreamResponse]]


class Access(Enum):
    """Who may come where no permission is needed."""

    ANYBODY = "anybody"  # before logging in
    HALF = "half"  # the password was right; the second factor may be missing
    LOGGED_IN = "logged_in"


@dataclass(frozen=True)
class AdminRoute:
    """`needs` is asked of the person; with `lot` in the path also for that car park.

    What is `town_wide` is for those alone who answer for every car park.
    """

    method: str
    path: str
    answer: Answer
    needs: Permission | Access
    lot: str = ""  # the part of the address that names a car park
    town_wide: bool = False
