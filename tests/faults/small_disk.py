"""A disk of our own that can really be full: a tmpfs in a mount namespace, no root needed."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_BLOCK = bytes(1 << 16)


class NoDiskError(Exception):
    """A disk of our own cannot be had here."""


@dataclass
class SmallDisk:
    """Mounted at `path` for whoever is started through `inside`; we reach it by `seen`."""

    path: Path
    process_id: int

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command, on this disk. Our child itself becomes the command: its pid is the same."""
        enter = ("nsenter", "--target", str(self.process_id), "--user", "--mount")
        # PostgreSQL refuses root, which everybody is in here.
        plain = ("unshare", "--user", "--") if os.getuid() else ()
        return [*enter, "--preserve-credentials", "--", *plain, *command]

    def seen(self, name: str = "") -> Path:
        return Path(f"/proc/{self.process_id}/root{self.path}") / name

    def fill(self) -> None:
        """Take every byte that is free."""
        with (self.seen() / "ballast").open("ab", buffering=0) as ballast:
            for size in (len(_BLOCK), 1):
                try:
                    while ballast.write(_BLOCK[:size]):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self.seen() / "ballast").unlink(missing_ok=True)


@asynccontextmanager
async def small_disk(path: Path, megabytes: int) -> AsyncIterator[SmallDisk]:
    """Held by a process that ends when we do: it reads from us."""
    path.mkdir(parents=True, exist_ok=True)
    mount = f"mount -t tmpfs -o size={megabytes}m tmpfs '{path}' && echo ready && exec cat"
    holder = await asyncio.create_subprocess_exec(
        *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    if await holder.stdout.readline() != b"ready\n":
        raise NoDiskError("this machine lets nobody have a mount namespace of his own")
    try:
        yield SmallDisk(path, holder.pid)
    finally:
        holder.stdin.close()
        await holder.wait()
