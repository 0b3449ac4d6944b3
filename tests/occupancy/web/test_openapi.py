"""The document is valid, complete, and says what is really answered."""

from collections.abc import AsyncIterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.occupancy.web.faces import Served, served

# Pages and their parts: for people, not for programs.
PAGES = {
    "/",
    "/board",
    "/board/live-worker.js",
    "/board/trends",
    "/favicon.ico",
    "/open",
    "/open/",
    "/open/catalogue",
    "/vitals",
    "/static/{name}",
}


@pytest.fixture
async def shown() -> AsyncIterator[Served]:
    async with served() as running:
        running.show("kangle", 1)
        yield running


async def test_the_document_is_valid(shown: Served) -> None:
    OpenAPIV31SpecValidator(await shown.get("/openapi.json")).validate()


async def test_every_route_is_documented_or_a_page(shown: Served) -> None:
    paths = (await shown.get("/openapi.json"))["paths"]
    documented = {
        (method.upper(), path) for path, operations in paths.items() for method in operations
    }
    served_ones = {
        (route.method, route.resource.canonical)
        for route in shown.face.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    undocumented = {path for method, path in served_ones - documented}
    assert undocumented <= PAGES
    assert documented <= served_ones


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/v1/lots", "/v1/lots"),
        ("/v1/lots/{lot_id}", "/v1/lots/kangle"),
        ("/v1/lots/{lot_id}", "/v1/lots/sanda"),
        ("/healthz", "/healthz"),
        ("/v1/lots/{lot_id}", "/v1/lots/nowhere"),
        ("/readyz", "/readyz"),
        ("/v1/lots", "/v1/lots?colour=red"),
    ],
)
async def test_an_answer_is_what_the_document_promises(
    shown: Served, template: str, path: str
) -> None:
    document = await shown.get("/openapi.json")
    async with shown.http.get(shown.url(path)) as answer:
        body: Any = await answer.json(content_type=None)
        status, kind = str(answer.status), answer.content_type
    promised = document["paths"][template]["get"]["responses"][status]["content"][kind]["schema"]
    jsonschema.validate(body, {**promised, "components": document["components"]})


async def test_people_can_read_every_operation(shown: Served) -> None:
    paths = (await shown.get("/openapi.json"))["paths"]
    async with shown.http.get(shown.url("/docs")) as answer:
        page = await answer.text()
    assert answer.content_type == "text/html"
    for path in paths:
        assert f"<code>{path}</code>" in page
