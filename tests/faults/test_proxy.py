import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Link, Mode, link_to


@pytest.fixture
async def heard() -> list[bytes]:
    return []


@pytest.fixture
async def link(heard: list[bytes]) -> AsyncIterator[Link]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.read(100):
            heard.append(line)
            writer.write(b"done")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with link_to("127.0.0.1", server.sockets[0].getsockname()[1]) as link:
        yield link
    server.close()


async def ask(link: Link, command: bytes = b"command") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        writer.write(command)
        return await reader.read(100)
    finally:
        writer.transport.abort()


async def test_a_sound_link_passes_both_ways(link: Link) -> None:
    assert await ask(link) == b"done"


async def test_a_swallowed_reply_leaves_the_command_executed(
    link: Link, heard: list[bytes]
) -> None:
    link.become(Mode.SWALLOW_REPLY)
    with pytest.raises(ConnectionResetError):
        await ask(link)
    assert heard == [b"command"]


async def test_a_cut_command_never_arrives_whole(link: Link, heard: list[bytes]) -> None:
    link.become(Mode.CUT_COMMAND)
    with pytest.raises(ConnectionResetError):
        await ask(link)
    assert b"command" not in heard


async def test_a_half_open_link_accepts_and_says_nothing(link: Link) -> None:
    link.become(Mode.BLACK_HOLE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await ask(link)


async def test_a_refusing_link_resets_what_was_open(link: Link) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"one")
    assert await reader.read(100) == b"done"
    link.become(Mode.REFUSE)
    with pytest.raises(ConnectionResetError):
        await reader.read(100)
    writer.transport.abort()


async def test_what_was_in_a_black_hole_is_reset_and_what_comes_after_passes(link: Link) -> None:
    link.become(Mode.BLACK_HOLE)
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"one")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.read(100)
    link.become(Mode.PASS)
    with pytest.raises(ConnectionResetError):
        await reader.read(100)
    writer.transport.abort()
    assert await ask(link) == b"done"
