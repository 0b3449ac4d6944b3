"""The folder outside the database where heads of the audit are noted, and the key that signs."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from occupancy.audit_head import NotedHead, read_lines, write_line

HEADS, KEY, PUBLIC_KEY = "heads.txt", "key.pem", "key.pub.pem"


class NoKeyError(Exception):
    """Heads were noted, but the key that shows who signed them is not there; says where."""


@dataclass(frozen=True)
class AuditNotes:
    """`folder` holds the heads and the public key, `key_file` the key that signs them."""

    folder: Path
    key_file: Path

    def note(self, noted: NotedHead) -> None:
        """On the disk when this returns. Raises OSError."""
        line = write_line(noted, self._signing_key())
        handle = os.open(self.folder / HEADS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[NotedHead]:
        """Every head that was noted, the oldest first. Raises BadHeadError, NoKeyError."""
        heads = self.folder / HEADS
        if not heads.exists():
            return []
        return read_lines(heads.read_text(encoding="ascii", errors="replace"), self._public_key())

    def _signing_key(self) -> Ed25519PrivateKey:
        """Made at the first use; only its owner may read it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.key_file.exists():
            self._make_key()
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise NoKeyError(f"{self.key_file}: no Ed25519 key")
        return key

    def _make_key(self) -> None:
        key = Ed25519PrivateKey.generate()
        handle = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(handle, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / PUBLIC_KEY).write_bytes(public)

    def _public_key(self) -> Ed25519PublicKey:
        file = self.folder / PUBLIC_KEY
        if not file.exists():
            if self.key_file.exists():
                return self._signing_key().public_key()
            raise NoKeyError(f"{file}: the key that checks the noted heads is not there")
        key = serialization.load_pem_public_key(file.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise NoKeyError(f"{file}: no Ed25519 key")
        return key
