"""The API's description: OpenAPI 3.1 for programs, the same as one page for people."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

SchemaNode = dict[str, Any]


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the schema speaks of an organization's key."""

    target_class = "config.api.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> SchemaNode:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "pd_…"}


class SessionScheme(OpenApiAuthenticationExtension):
    """How the schema speaks of a signed-in coordinator."""

    target_class = "config.api.CoordinatorSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> SchemaNode:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


@cache
def render_schema() -> bytes:
    """The schema as JSON; it changes with the code only."""
    with override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)
        schema["servers"] = [{"url": settings.BASE_URL}]
        return bytes(OpenApiJsonRenderer().render(schema, renderer_context={}))


@require_safe
def show_openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_schema(), content_type="application/json")


@require_safe
def show_api_docs(request: HttpRequest) -> HttpResponse:
    """Every call on one page; made here, without anybody's script."""
    return render(
        request, "api/docs.html", {"calls": _list_operations(), "types": _list_types(), "base_url": settings.BASE_URL}
    )


@dataclass(frozen=True)
class SchemaField:
    """One member of a body or an answer."""

    name: str
    kind: str
    link: str  # the name of the type that has its own table
    required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    """One call, as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    public: bool
    parameters: list[SchemaField]
    takes: str
    answers: list[tuple[str, str]]  # status, the name of its type


@cache
def _list_operations() -> list[Operation]:
    """Public ones first, each group in the order of the addresses."""
    described = json.loads(render_schema())["paths"]
    calls = [
        _build_operation(path, method, said) for path, methods in described.items() for method, said in methods.items()
    ]
    return sorted(calls, key=lambda call: not call.public)


def _build_operation(path: str, method: str, described: SchemaNode) -> Operation:
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        name=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        about=described["description"],
        public={} in described["security"],
        parameters=[_build_parameter(row) for row in described.get("parameters", ()) if row["in"] != "path"],
        takes=_get_component_name(body.get("schema", {})),
        answers=[_build_response(status, said) for status, said in described["responses"].items()],
    )


def _build_parameter(row: SchemaNode) -> SchemaField:
    place = {"header": "header", "query": "query"}[row["in"]]
    return SchemaField(row["name"], place, "", row.get("required", False), row.get("description", ""))


def _build_response(status: str, said: SchemaNode) -> tuple[str, str]:
    content: SchemaNode = next(iter(said.get("content", {}).values()), {})
    return status, _get_component_name(content.get("schema", {}))


@cache
def _list_types() -> list[tuple[str, str, list[SchemaField]]]:
    schemas = json.loads(render_schema())["components"]["schemas"]
    return [
        (name, described.get("description", ""), _list_fields(described))
        for name, described in schemas.items()
        if "properties" in described
    ]


def _list_fields(described: SchemaNode) -> list[SchemaField]:
    required = described.get("required", ())
    return [
        SchemaField(name, *_describe_type(member), required=name in required, about=member.get("description", ""))
        for name, member in described["properties"].items()
    ]


def _describe_type(member: SchemaNode) -> tuple[str, str]:
    """What a member is in words, and the type it is made of."""
    if name := _get_component_name(member):
        schema = json.loads(render_schema())["components"]["schemas"].get(name, {})
        if "enum" in schema:
            return " | ".join(str(value) for value in schema["enum"]), ""
        return name, name
    if member.get("type") == "array":
        kind, link = _describe_type(member["items"])
        return f"list of {kind}", link
    types = member.get("type", "any")
    words = " or ".join(types) if isinstance(types, list) else str(types)
    return (f"{words} ({member['format']})" if "format" in member else words), ""


def _get_component_name(schema: SchemaNode) -> str:
    """The component that a schema stands for, directly or among alternatives."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    alternatives = (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ()))
    return next((name for part in alternatives if (name := _get_component_name(part))), "")
