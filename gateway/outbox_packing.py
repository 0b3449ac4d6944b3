"""Observations small enough to keep a month of them: each deflated against an earlier one."""

import sqlite3
import zlib

import msgspec

from gateway.observation import Observation, decode_batch, encode_batch

ROWS_A_DICTIONARY = 2_000
_RAW_DEFLATE = -15
_LEVEL = 6
_MEMORY_LEVEL = 5  # observations are small: less to clear for each


class UnreadableRowError(Exception):
    """A row of the outbox does not unpack to an observation."""


class Packer:
    """A dictionary is an observation as it was written once; its id is that one's sequence."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._cached: tuple[int, bytes] = (0, b"")
        self.reload()

    def reload(self) -> None:
        """Go on with the newest dictionary that was committed."""
        row = self._database.execute(
            "SELECT id, payload FROM dictionary ORDER BY id DESC LIMIT 1"
        ).fetchone()
        self._current: tuple[int, bytes] | None = row

    def pack(self, observation: Observation) -> tuple[int, bytes]:
        """The dictionary's id and the deflated observation; call it inside a transaction."""
        plain = encode_batch((observation,))
        current = self._current
        if current is None or observation.sequence - current[0] >= ROWS_A_DICTIONARY:
            current = self._current = (observation.sequence, plain)
            self._database.execute("INSERT OR REPLACE INTO dictionary VALUES (?, ?)", current)
        deflate = zlib.compressobj(
            _LEVEL, zlib.DEFLATED, _RAW_DEFLATE, _MEMORY_LEVEL, zdict=current[1]
        )
        return current[0], deflate.compress(plain) + deflate.flush()

    def unpack(self, dictionary: int, payload: bytes) -> Observation:
        """Raises UnreadableRowError."""
        try:
            inflate = zlib.decompressobj(_RAW_DEFLATE, zdict=self._dictionary(dictionary))
            (observation,) = decode_batch(inflate.decompress(payload))
        except (zlib.error, msgspec.DecodeError, msgspec.ValidationError, ValueError) as reason:
            raise UnreadableRowError(str(reason)) from reason
        return observation

    def forget_unused(self) -> None:
        """Drop the dictionaries that only rows which have left were packed with."""
        self._database.execute(
            "DELETE FROM dictionary WHERE id < coalesce("
            "(SELECT dictionary FROM observation ORDER BY sequence LIMIT 1), 0)"
        )

    def _dictionary(self, id_: int) -> bytes:
        if self._current is not None and self._current[0] == id_:
            return self._current[1]
        if self._cached[0] != id_:
            row = self._database.execute(
                "SELECT id, payload FROM dictionary WHERE id = ?", (id_,)
            ).fetchone()
            if row is None:
                raise UnreadableRowError(f"dictionary {id_} is gone")
            self._cached = row
        return self._cached[1]
