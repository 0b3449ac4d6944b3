"""WeChat's envelope: AES-256-CBC around random bytes, a length, the message and the AppID."""

import base64
import binascii
import hashlib
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RANDOM_BYTES = 16
_BLOCK = 16
_PADDED_TO = 32  # PKCS#7 with blocks of 32, as WeChat has it
_HEAD = RANDOM_BYTES + 4


class SealError(Exception):
    """A sealed message cannot be opened with this key for this account."""


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts: what WeChat signs queries and sealed messages with."""
    text = "".join(sorted(parts)).encode("utf-8", "replace")
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def open_sealed(sealed: str, key: bytes, app_id: str) -> bytes:
    """The message inside. Raises SealError, whatever is wrong with it."""
    try:
        raw = base64.b64decode(sealed.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SealError("not base64") from None
    if not raw or len(raw) % _BLOCK:
        raise SealError("not whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_BLOCK])).decryptor()
    plain = _without_padding(decryptor.update(raw) + decryptor.finalize())
    if len(plain) < _HEAD:
        raise SealError("shorter than its head")
    (length,) = struct.unpack(">I", plain[RANDOM_BYTES:_HEAD])
    message, account = plain[_HEAD : _HEAD + length], plain[_HEAD + length :]
    if len(message) != length or account != app_id.encode():
        raise SealError("made for another account, or with another key")
    return message


def seal(message: bytes, key: bytes, app_id: str, random: bytes) -> str:
    """The message as WeChat takes it; `random` are 16 bytes nobody can guess."""
    plain = random + struct.pack(">I", len(message)) + message + app_id.encode()
    padding = _PADDED_TO - len(plain) % _PADDED_TO
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_BLOCK])).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def _without_padding(plain: bytes) -> bytes:
    padding = plain[-1]
    if not 1 <= padding <= _PADDED_TO or plain[-padding:] != bytes([padding]) * padding:
        raise SealError("padded otherwise: another key")
    return plain[:-padding]
