"""The OpenAPI 3.1 document, made from the routes themselves."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from occupancy.web.problems import CONTENT_TYPE, ProblemDocument
from occupancy.web.routes import NoQuery, Route

_REFERENCES = "#/components/schemas/{name}"
_IN_PATH = re.compile(r"{(\w+)}")
_WORDS = {400: "wrong input", 404: "no such thing", 503: "not ready yet"}


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The whole document; routes that are not public (`documented=False`) are left out."""
    shown = [route for route in routes if route.documented]
    kinds = _kinds(shown)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCES)
    schema_of = dict(zip(map(id, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "三水智泊",
            "version": version,
            "description": "Free spaces, fees and guidance for Sanshui's public car parks.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _kinds(routes: Sequence[Route]) -> list[Any]:
    found: list[Any] = [ProblemDocument]
    for route in routes:
        found += [kind for kind in (route.gives, route.body) if kind is not None]
        found += [field.type for field in msgspec.structs.fields(route.query)]
    return [kind for i, kind in enumerate(found) if all(kind is not k for k in found[:i])]


def _operation(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_")
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route, schema_of)],
        "responses": _responses(route, schema_of),
    }
    if route.about:
        operation["description"] = route.about
    if route.body is not None:
        content = {"application/json": {"schema": schema_of[id(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.path_about.get(name, name),
            "schema": {"type": "string"},
        }
        for name in _IN_PATH.findall(route.path)
    ]


def _query_parameters(route: Route, schema_of: dict[int, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "description": schema_of[id(field.type)].get("description", field.encode_name),
            "schema": schema_of[id(field.type)],
        }
        for field in msgspec.structs.fields(route.query)
    ]


def _responses(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    schema = {"type": "string"} if route.gives is None else schema_of[id(route.gives)]
    responses: dict[str, Any] = {
        "200": {"description": route.summary, "content": {route.content_type: {"schema": schema}}}
    }
    refusals = {*route.problems, 400} if route.query is not NoQuery or route.body else {400}
    for status in sorted(refusals | set(route.problems)):
        content = {CONTENT_TYPE: {"schema": schema_of[id(ProblemDocument)]}}
        responses[str(status)] = {"description": _WORDS.get(status, "refused"), "content": content}
    return responses
