from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from drives.api.serializers import ConflictSerializer, InvalidSerializer, ProblemSerializer

AnySerializer = serializers.Serializer[Any]
ViewMethod = TypeVar("ViewMethod", bound=Callable[..., Any])

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_SERIALIZERS = {400: InvalidSerializer, 409: ConflictSerializer}  # any other status: ProblemSerializer
# Every operation may refuse a wrong key or too many requests.
COMMON_ERROR_STATUSES = (401, 429)
BODY_ERROR_STATUSES = (400, 413, 415)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="A UUID, or at least 22 random characters. To retry, send the same key and body: for 24 hours "
    "you get the first response again.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The `ETag` of the drive that you read."
)
CURSOR = OpenApiParameter(
    "cursor", str, description="The page to read. Follow `next` instead of setting this yourself."
)


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
    """Describe an API operation in the OpenAPI document.

    `name` is the operation's id. It must never change, because generated clients use it.
    tests/drives/api/operations.txt lists all ids. `error_statuses` lists the errors that not every operation can
    return.
    """
    codes = {
        *COMMON_ERROR_STATUSES,
        *error_statuses,
        *(BODY_ERROR_STATUSES if request_serializer else ()),
        *(() if public else (403,)),
    }
    responses: dict[Any, Any] = {
        (status, "application/json"): _build_list_serializer(response_serializer) if is_list else response_serializer
    }
    responses.update(
        {(code, PROBLEM_MEDIA_TYPE): PROBLEM_SERIALIZERS.get(code, ProblemSerializer) for code in sorted(codes)}
    )
    options: dict[str, Any] = {"auth": [{}, {"key": []}, {"session": []}]} if public else {}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request=request_serializer,
        responses=responses,
        parameters=list(parameters),
        examples=list(examples),
        **options,
    )


def _build_list_serializer(row: type[AnySerializer]) -> Any:
    next_page = serializers.URLField(allow_null=True, help_text="The URL of the next page, or null on the last page.")
    fields: dict[str, Any] = {"results": row(many=True), "next": next_page}
    return inline_serializer(f"{row.__name__.removesuffix('Serializer')}List", fields)
