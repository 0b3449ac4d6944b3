"""Errors as RFC 9457 problem documents that name the field and the way out."""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

CONTENT_TYPE = "application/problem+json"
_TITLES = {
    400: "The request is wrong",
    404: "There is no such thing",
    405: "This address does not take that method",
    408: "The request took too long",
    413: "The request is too large",
    415: "This kind of body is not taken",
    429: "Too many requests",
    503: "Not ready yet",
}
RETRY_AFTER_SECONDS = "2"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457; `field` names the parameter at fault, `choices` what would be right."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    field: str = ""
    choices: tuple[str, ...] = ()


class Problem(Exception):  # noqa: N818  # RFC 9457's own word
    """A request cannot be answered; the document says why."""

    def __init__(
        self, status: int, detail: str, *, field: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.document = ProblemDocument(
            title=_TITLES.get(status, "The request failed"),
            status=status,
            detail=_sayable(detail),
            field=_sayable(field),
            choices=choices,
        )


def _sayable(words: str) -> str:
    """What a caller sent need not be text: bytes that are none are shown as marks."""
    return words.encode("utf-8", "replace").decode()


def answer(problem: Problem) -> web.Response:
    response = web.Response(
        body=msgspec.json.encode(problem.document),
        status=problem.document.status,
        content_type=CONTENT_TYPE,
    )
    if problem.document.status == web.HTTPServiceUnavailable.status_code:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


@web.middleware
async def as_documents(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error a reader meets is a document, aiohttp's own included."""
    try:
        return await handler(request)
    except Problem as problem:
        return answer(problem)
    except web.HTTPRequestEntityTooLarge:
        return answer(Problem(413, "the body is larger than this address takes"))
    except web.HTTPMethodNotAllowed as refusal:
        return _other_method(request, sorted({*refusal.allowed_methods, "OPTIONS"}))
    except web.HTTPNotFound:
        return answer(Problem(404, f"nothing is served at {request.path}"))


def _other_method(request: web.Request, allowed: list[str]) -> web.Response:
    """What this address takes instead: to OPTIONS, a browser's question, that is the answer."""
    methods = ", ".join(allowed)
    if request.method != "OPTIONS":
        detail = f"{request.method} is not taken here"
        response = answer(Problem(405, detail, choices=tuple(allowed)))
    else:
        response = web.Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = methods
        response.headers["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match"
        response.headers["Access-Control-Max-Age"] = "86400"
    response.headers["Allow"] = methods
    return response
