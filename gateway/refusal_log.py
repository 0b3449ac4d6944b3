"""What is refused, in the log: a few a minute and car park, then once how many more there were."""

from collections import Counter
from collections.abc import Callable

import structlog

LINES_A_MINUTE = 10  # and car park
_MINUTE_SECONDS = 60.0

Later = Callable[[float, Callable[[str], None], str], object]  # as a loop's call_later

log = structlog.get_logger()


class RefusalLog:
    """What a flood of refusals leaves in the log is bounded; counting them is the metrics' part."""

    def __init__(self, thing: str, later: Later) -> None:
        """`thing` is what is refused: a message, a post."""
        self._thing = thing
        self._later = later
        self._this_minute = Counter[str]()

    def tell(self, lot_id: str, **words: str | None) -> None:
        """A car park's minute begins with its first refusal; "" is for no car park of ours."""
        if lot_id not in self._this_minute:
            self._later(_MINUTE_SECONDS, self._end_minute, lot_id)
        self._this_minute[lot_id] += 1
        if self._this_minute[lot_id] <= LINES_A_MINUTE:
            told = f"a {self._thing} was refused"
            log.info(told, lot=lot_id, **words)

    def close(self) -> None:
        """What has not been written is summed up now."""
        for lot_id in list(self._this_minute):
            self._end_minute(lot_id)

    def _end_minute(self, lot_id: str) -> None:
        untold = self._this_minute.pop(lot_id, 0) - LINES_A_MINUTE
        if untold > 0:
            words = f"more {self._thing}s were refused than are told"
            log.warning(words, lot=lot_id, untold=untold)
