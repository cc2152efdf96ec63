"""How a call stands in the schema: one line above the method that answers it."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from drives.api import shapes

View = TypeVar("View", bound=Callable[..., Any])

PROBLEM = "application/problem+json"
MEANINGS = {
    400: shapes.Invalid,
    401: shapes.Problem,
    403: shapes.Problem,
    404: shapes.Problem,
    409: shapes.Conflict,
    410: shapes.Problem,
    412: shapes.Problem,
    413: shapes.Problem,
    415: shapes.Problem,
    422: shapes.Problem,
    428: shapes.Problem,
    429: shapes.Problem,
}
# A wrong key, and too many requests, are answered everywhere.
ALWAYS = (401, 429)
OF_A_BODY = (400, 413, 415)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Random: a UUID, or 22 characters and more. The same key and body are answered alike for 24 hours.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The ETag of the drive as you read it."
)

CURSOR = OpenApiParameter("cursor", str, description="As in `next`.")


def call(
    name: str,
    gives: type[shapes.Shape],
    *refusals: int,
    takes: serializers.Serializer[Any] | None = None,
    status: int = 200,
    lists: bool = False,
    public: bool = False,
    parameters: tuple[Any, ...] = (),
) -> Callable[[View], View]:
    """Name a call, what it takes and gives, and the problems it knows beside those that every call may answer."""
    codes = {*ALWAYS, *refusals, *(OF_A_BODY if takes else ()), *(() if public else (403,))}
    answers: dict[Any, Any] = {(status, "application/json"): _list_of(gives) if lists else gives}
    answers.update({(code, PROBLEM): MEANINGS[code] for code in sorted(codes)})
    options: dict[str, Any] = {"auth": [{}, {"key": []}, {"session": []}]} if public else {}
    return extend_schema(
        operation_id=name, request=takes and type(takes), responses=answers, parameters=list(parameters), **options
    )


def _list_of(shape: type[shapes.Shape]) -> Any:
    fields: dict[str, Any] = {"results": shape(many=True), "next": serializers.URLField(allow_null=True)}
    return inline_serializer(f"{shape.__name__}List", fields)
