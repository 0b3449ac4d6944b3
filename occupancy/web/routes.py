"""One declaration a route: from it come the handler's checks and the OpenAPI document."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from occupancy.web import bodies
from occupancy.web.choices import choices_at, fields_at
from occupancy.web.problems import Problem

_MISNAMED = re.compile(r"^Object .* field `(.*)`$")
Answer = Callable[..., Awaitable[web.StreamResponse]]


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Takes no query parameters."""


class AnyQuery(msgspec.Struct, frozen=True):
    """The route reads its query by itself."""


@dataclass(frozen=True)
class Route:
    """`answer(request, query)` or, with a body, `answer(request, query, body)`.

    A page passes over parameters it does not know: whoever shares its address adds some.
    """

    method: str
    path: str
    answer: Answer
    summary: str
    gives: Any = None
    content_type: str = "application/json"
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    problems: tuple[int, ...] = ()
    tag: str = "live"
    documented: bool = True
    is_page: bool = False
    about: str = ""
    path_about: dict[str, str] = field(default_factory=dict)


def bind(app: web.Application, routes: Iterable[Route]) -> None:
    for route in routes:
        # GET answers HEAD as well: aiohttp adds it.
        app.router.add_route(route.method, route.path, _handler(route))
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, _handler(route))


def _handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    if route.query is AnyQuery:

        async def untouched(request: web.Request) -> web.StreamResponse:
            return await route.answer(request, None)

        return untouched

    if route.is_page:

        async def page(request: web.Request) -> web.StreamResponse:
            return await route.answer(request, _known_of(request, route.query))

        return page

    if route.query is NoQuery and route.body is None:

        async def plain(request: web.Request) -> web.StreamResponse:
            if request.rel_url.raw_query_string:
                read_query(request, NoQuery)
            return await route.answer(request, None)

        return plain

    async def checked(request: web.Request) -> web.StreamResponse:
        query = read_query(request, route.query)
        if route.body is None:
            return await route.answer(request, query)
        return await route.answer(request, query, await read_body(request, route.body))

    return checked


def read_query(request: web.Request, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """The query as `kind`; a parameter that is unknown, repeated or wrong is named."""
    names = [name for name, _ in request.query.items()]  # keys() tells each name once
    known = tuple(f.encode_name for f in msgspec.structs.fields(kind))
    for name in names:
        if name not in known:
            detail = f"there is no parameter {name!r} here"
            raise Problem(400, detail, field=name, choices=known)
        if names.count(name) > 1:
            raise Problem(400, f"the parameter {name!r} stands more than once", field=name)
    try:
        return msgspec.convert(dict(request.query), kind, strict=False)
    except msgspec.ValidationError as reason:
        raise _named(reason, kind) from None


def _known_of(request: web.Request, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """The first value of each parameter that `kind`, whose fields are all words, knows."""
    names = [one.encode_name for one in msgspec.structs.fields(kind)]
    told = {name: request.query[name] for name in names if name in request.query}
    return msgspec.convert(told, kind)


async def read_body(request: web.Request, kind: type[msgspec.Struct]) -> msgspec.Struct:
    raw = await bodies.read_bytes(request)
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as reason:
        raise _named(reason, kind) from None
    except UnicodeDecodeError:
        raise Problem(400, "the body is not JSON: it is not UTF-8") from None
    except msgspec.DecodeError as reason:
        raise Problem(400, f"the body is not JSON: {reason}") from None


def _named(reason: msgspec.ValidationError, kind: type[msgspec.Struct]) -> Problem:
    """The words of msgspec end with ` - at `$.field``."""
    words, _, place = str(reason).partition(" - at `$")
    place = place.rstrip("`")
    choices: tuple[str, ...] = ()
    if found := _MISNAMED.search(words):
        place, choices = f"{place}.{found.group(1)}", fields_at(kind, place)
    elif words.startswith("Invalid enum value"):
        choices = choices_at(kind, place)
    return Problem(400, words, field=place.lstrip("."), choices=choices)
