"""How a call stands in the OpenAPI document: one decorator above the method that answers it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from drives.api.serializers import ConflictSerializer, InvalidSerializer, ProblemSerializer

Serializer = serializers.Serializer[Any]
View = TypeVar("View", bound=Callable[..., Any])

PROBLEM = "application/problem+json"
PROBLEMS = {400: InvalidSerializer, 409: ConflictSerializer}  # any other status: ProblemSerializer
# A wrong key, and too many requests, are answered everywhere.
ALWAYS = (401, 429)
OF_A_BODY = (400, 413, 415)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="A UUID, or at least 22 random characters. For 24 hours the same key and body get the same answer.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The ETag of the drive as you read it."
)
CURSOR = OpenApiParameter("cursor", str, description="Taken from `next` of the page before.")


def operation(
    name: str,
    summary: str,
    description: str,
    *,
    gives: type[Serializer],
    takes: type[Serializer] | Serializer | None = None,
    refuses: Sequence[int] = (),
    status: int = 200,
    lists: bool = False,
    public: bool = False,
    parameters: Sequence[Any] = (),
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[View], View]:
    """Describe a call for integrators. `refuses` are the problems it knows besides those that every call may answer.

    `name` is the operation's id, which generated clients are built on: tests/drives/api/operations.txt lists them all.
    """
    codes = {*ALWAYS, *refuses, *(OF_A_BODY if takes else ()), *(() if public else (403,))}
    answers: dict[Any, Any] = {(status, "application/json"): _list_of(gives) if lists else gives}
    answers.update({(code, PROBLEM): PROBLEMS.get(code, ProblemSerializer) for code in sorted(codes)})
    options: dict[str, Any] = {"auth": [{}, {"key": []}, {"session": []}]} if public else {}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request=takes,
        responses=answers,
        parameters=list(parameters),
        examples=list(examples),
        **options,
    )


def _list_of(row: type[Serializer]) -> Any:
    fields: dict[str, Any] = {"results": row(many=True), "next": serializers.URLField(allow_null=True)}
    return inline_serializer(f"{row.__name__.removesuffix('Serializer')}List", fields)
