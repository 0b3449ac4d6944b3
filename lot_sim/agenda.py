"""What happens when: events in simulated order, the same for any way of asking."""

import heapq
from collections.abc import Callable
from typing import Any

Action = Callable[..., None]


class Agenda:
    """A heap of events. An action is called as `action(at_ms, *arguments)`."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.done = 0
        self._number = 0
        self._heap: list[tuple[int, int, Action, tuple[Any, ...]]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, at_ms: int, action: Action, *arguments: Any) -> None:  # noqa: ANN401
        """Events of the same moment happen in the order in which they were planned."""
        self._number += 1
        heapq.heappush(self._heap, (at_ms, self._number, action, arguments))

    def run_until(self, until_ms: int) -> None:
        """Let everything happen that is due; a moment already passed changes nothing."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            at_ms, _, action, arguments = heapq.heappop(heap)
            self.now_ms = max(self.now_ms, at_ms)
            action(self.now_ms, *arguments)
            self.done += 1
        self.now_ms = max(self.now_ms, until_ms)
