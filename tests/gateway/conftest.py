"""The gateway's tests run on the event loop the gateway runs on."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """As gateway.process.run does: uvloop tells some failures otherwise than asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}
