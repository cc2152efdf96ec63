"""The description of the API, as OpenAPI 3.1 for programs and as a web page for developers."""

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

PATH_PARAMETERS = {
    "id": "The `id` from the list.",
    "drive_id": "The `id` of a drive.",
    "booking_id": "The `id` of a booking, not its token.",
    "volunteer_id": "The `id` of a volunteer: `volunteer` in the roster.",
    "token": "The `token` from the answer that created the booking or the waitlist entry.",
}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "config.api.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> SchemaNode:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "pd_…", "description": "An organization's API key."}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "config.api.CoordinatorSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> SchemaNode:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


@cache
def render_schema() -> bytes:
    with override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)
        schema["servers"] = [{"url": settings.BASE_URL}]
        _describe_path_parameters(schema)
        return bytes(OpenApiJsonRenderer().render(schema, renderer_context={}))


def _describe_path_parameters(schema: SchemaNode) -> None:
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    for parameter in (row for operation in operations for row in operation.get("parameters", ())):
        if parameter["in"] == "path":
            parameter["description"] = PATH_PARAMETERS[parameter["name"]]


@require_safe
def show_openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_schema(), content_type="application/json")


@require_safe
def show_api_docs(request: HttpRequest) -> HttpResponse:
    return render(
        request, "api/docs.html", {"calls": _list_operations(), "types": _list_types(), "base_url": settings.BASE_URL}
    )


@dataclass(frozen=True)
class SchemaField:
    """One member of a request or response body."""

    name: str
    kind: str
    link: str  # the name of the member's type if it has its own table
    required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    """An API operation, as shown on the API docs page."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    public: bool
    parameters: list[SchemaField]
    takes: str
    answers: list[tuple[str, str]]  # status, name of the type
    examples: list[tuple[str, str]]  # title, JSON


@cache
def _list_operations() -> list[Operation]:
    described = json.loads(render_schema())["paths"]
    calls = [
        _build_operation(path, method, operation)
        for path, methods in described.items()
        for method, operation in methods.items()
    ]
    return sorted(calls, key=lambda call: not call.public)


def _build_operation(path: str, method: str, described: SchemaNode) -> Operation:
    body = _get_content(described.get("requestBody", {}))
    answers = [_get_content(response) for response in described["responses"].values()]
    return Operation(
        name=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        about=described["description"],
        public={} in described["security"],
        parameters=[_build_parameter(row) for row in described.get("parameters", ()) if row["in"] != "path"],
        takes=_get_component_name(body.get("schema", {})),
        answers=[_build_response(*response) for response in described["responses"].items()],
        examples=[example for content in (body, *answers) for example in _list_examples(content)],
    )


def _build_parameter(row: SchemaNode) -> SchemaField:
    return SchemaField(row["name"], row["in"], "", row.get("required", False), row.get("description", ""))


def _build_response(status: str, response: SchemaNode) -> tuple[str, str]:
    return status, _get_component_name(_get_content(response).get("schema", {}))


def _get_content(described: SchemaNode) -> SchemaNode:
    return next(iter(described.get("content", {}).values()), {})


def _list_examples(content: SchemaNode) -> list[tuple[str, str]]:
    return [
        (row.get("summary", name), json.dumps(row["value"], indent=2, ensure_ascii=False))
        for name, row in content.get("examples", {}).items()
    ]


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
    """Return a description of the member's type, and the type's name if it has its own table."""
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
    """Return the name of the component that a schema refers to, directly or as one of its alternatives."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    alternatives = (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ()))
    return next((name for part in alternatives if (name := _get_component_name(part))), "")
