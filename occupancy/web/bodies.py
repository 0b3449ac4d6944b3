"""Reads what is sent to an address: no longer and no slower than the table here lets it be."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

from occupancy.web.problems import Problem

BODY_SECONDS = 8.0
KB = 1_024
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 500
# Where nothing else is said: a form of some fields, a question of the API.
BODY_BYTES = 64 * KB
BODY_BYTES_OF: Mapping[str, int] = {
    # Before anybody has proved who he is, and nothing of it is long.
    "/admin/login": 8 * KB,
    "/admin/second-factor": 8 * KB,
    "/admin/logout": 2 * KB,
    "/admin/me": 8 * KB,
    "/admin/me/sessions": 2 * KB,
    # A citizen's report: 500 letters, nine bytes each in a form.
    "/m/report": 8 * KB,
    # A tariff's text: 100,000 letters.
    "/admin/tariffs/drafts/{draft}": 1_024 * KB,
    "/admin/tariffs/drafts/{draft}/preview": 1_024 * KB,
}


def most_bytes(request: web.Request) -> int:
    """How much this request's address takes."""
    resource = request.match_info.route.resource
    return BODY_BYTES_OF.get(resource.canonical, BODY_BYTES) if resource else BODY_BYTES


async def read_bytes(request: web.Request) -> bytes:
    """The whole body. Raises Problem."""
    most = most_bytes(request)
    if (request.content_length or 0) > most:
        raise _too_long(most)  # it says so itself: nothing is read
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.clone(client_max_size=most).read()
    except TimeoutError:
        raise Problem(408, f"the body did not come within {BODY_SECONDS:.0f} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_long(most) from None
    except web.RequestPayloadError:
        raise Problem(400, "the body is not what its headers say") from None


async def read_form(request: web.Request) -> list[tuple[str, str]]:
    """The fields of a form in their order; files are taken nowhere. Raises Problem."""
    raw = await read_bytes(request)
    if raw and request.content_type != FORM:
        raise Problem(415, f"a form comes as {FORM}; files are not taken")
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Problem(400, f"the body is not a form of at most {MOST_FIELDS} fields") from None


def _too_long(most: int) -> Problem:
    return Problem(413, f"the body is larger than this address takes: at most {most // KB} kB")
