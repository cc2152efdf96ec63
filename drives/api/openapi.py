"""How a call stands in the OpenAPI document: one decorator above the method that answers it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from drives.api.serializers import ConflictSerializer, InvalidSerializer, ProblemSerializer

AnySerializer = serializers.Serializer[Any]
ViewMethod = TypeVar("ViewMethod", bound=Callable[..., Any])

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_SERIALIZERS = {400: InvalidSerializer, 409: ConflictSerializer}  # any other status: ProblemSerializer
# A wrong key, and too many requests, are answered everywhere.
COMMON_ERROR_STATUSES = (401, 429)
BODY_ERROR_STATUSES = (400, 413, 415)
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


def describe_operation(
    name: str,
    summary: str,
    description: str,
    *,
    response_serializer: type[AnySerializer],
    request_serializer: type[AnySerializer] | AnySerializer | None = None,
    error_statuses: Sequence[int] = (),
    status: int = 200,
    is_list: bool = False,
    public: bool = False,
    parameters: Sequence[Any] = (),
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[ViewMethod], ViewMethod]:
    """Describe a call for integrators. `refuses` are the problems it knows besides those that every call may answer.

    `name` is the operation's id, which generated clients are built on: tests/drives/api/operations.txt lists them all.
    """
    codes = {
        *COMMON_ERROR_STATUSES,
        *error_statuses,
        *(BODY_ERROR_STATUSES if request_serializer else ()),
        *(() if public else (403,)),
    }
    answers: dict[Any, Any] = {
        (status, "application/json"): _build_list_serializer(response_serializer) if is_list else response_serializer
    }
    answers.update(
        {(code, PROBLEM_MEDIA_TYPE): PROBLEM_SERIALIZERS.get(code, ProblemSerializer) for code in sorted(codes)}
    )
    options: dict[str, Any] = {"auth": [{}, {"key": []}, {"session": []}]} if public else {}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request=request_serializer,
        responses=answers,
        parameters=list(parameters),
        examples=list(examples),
        **options,
    )


def _build_list_serializer(row: type[AnySerializer]) -> Any:
    fields: dict[str, Any] = {"results": row(many=True), "next": serializers.URLField(allow_null=True)}
    return inline_serializer(f"{row.__name__.removesuffix('Serializer')}List", fields)
