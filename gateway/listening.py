"""Opens the place where others reach us; one that cannot be opened is told with its field."""

import errno

from aiohttp import web


class CannotListenError(Exception):
    """Nothing can be heard at the address of the file; names its field and the way out."""


async def listen_at(
    runner: web.AppRunner, host: str, port: int, *, if_taken: str, field: str = ""
) -> None:
    """Serve there. `if_taken` is the way out where another process has the port.

    `field` stands before `host` and `port` where the file has them under other names. Raises
    CannotListenError.
    """
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, UnicodeError) as reason:
        code = reason.errno if isinstance(reason, OSError) else None
        if code == errno.EADDRINUSE:
            words = f"{field}port: {port} at {host} is taken: {if_taken}"
        elif code == errno.EACCES:
            words = f"{field}port: {port} is not ours to open: {_NOT_OURS}"
        else:
            words = f"{field}host: {host!r} is no address of this machine: {_FOREIGN}"
        raise CannotListenError(words) from None


_NOT_OURS = "take one from 1024 on, and let the reverse proxy listen below"
_FOREIGN = "write 127.0.0.1 behind a reverse proxy, or one that `ip addr` shows"
