"""Looks at the certificate that a server shows, also one that nobody would trust any more."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable

from cryptography import x509

from gateway.certificate import Endpoint, Greeting, Term

PATIENCE_SECONDS = 5.0
_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL's message: will you speak TLS?
_TROUBLES = (OSError, TimeoutError, ssl.SSLError, ValueError, asyncio.IncompleteReadError)


async def look_at(endpoints: Iterable[Endpoint]) -> list[Term]:
    """Each endpoint's term, in their order; nothing but a handshake is said to any of them."""
    return list(await asyncio.gather(*(_look(endpoint) for endpoint in endpoints)))


async def _look(endpoint: Endpoint) -> Term:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            shown = await _ask(endpoint)
        ends = x509.load_der_x509_certificate(shown).not_valid_after_utc
    except TimeoutError:
        return Term(endpoint, None, f"no answer within {PATIENCE_SECONDS:.0f} s")
    except _TROUBLES as trouble:
        return Term(endpoint, None, str(trouble) or "the connection was closed")
    return Term(endpoint, int(ends.timestamp() * 1_000))


async def _ask(endpoint: Endpoint) -> bytes:
    """The certificate as it is sent, in DER. Raises one of _TROUBLES."""
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    try:
        if endpoint.greeting is Greeting.POSTGRES:
            writer.write(_SSL_REQUEST)
            if await reader.readexactly(1) != b"S":
                raise ValueError("the server does not speak TLS")
        await writer.start_tls(_unchecked(), server_hostname=endpoint.host)
        spoken: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return spoken.getpeercert(binary_form=True) or b""
    finally:
        writer.close()
        with contextlib.suppress(*_TROUBLES):
            await writer.wait_closed()


def _unchecked() -> ssl.SSLContext:
    """It must show even what has expired; whoever really connects checks for himself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
