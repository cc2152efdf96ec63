"""Error responses of the API: application/problem+json (RFC 9457) with a stable code."""

import math
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.response import Response

from drives.api.serializers import ReasonSerializer, SlotSerializer
from drives.refusals import Refusal

CONTENT_TYPE = "application/problem+json"
# All other codes have status 400.
STATUS_BY_CODE = {
    "answer_erased": HTTPStatus.GONE,
    "hold_lapsed": HTTPStatus.GONE,
    "key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "request_in_progress": HTTPStatus.CONFLICT,
    "too_many_changes": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_codes": HTTPStatus.TOO_MANY_REQUESTS,
    "version_changed": HTTPStatus.PRECONDITION_FAILED,
}
# The member of the body that an error is about, for errors that name no field.
POINTER_BY_CODE = {"code_wrong": "#/code", "outcome_unknown": "#/outcome"}
CODE_BY_STATUS = {400: "invalid", 404: "not_found"}

ErrorEntry = dict[str, str]


def handle_api_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Build the API's response to a refused or wrong request. Return None for errors that `config.errors` handles."""
    if isinstance(error, Refusal):
        return _build_refusal_problem(error, context)
    if isinstance(error, DjangoValidationError):
        return _build_validation_problem(error)
    if isinstance(error, Http404 | ObjectDoesNotExist):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    return _build_framework_problem(error) if isinstance(error, exceptions.APIException) else None


def build_problem(status: int, code: str, detail: str = "", **members: Any) -> Response:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": int(status), "code": code, "detail": detail, **members}
    return Response(body, status=status, content_type=CONTENT_TYPE)


def _build_refusal_problem(error: Refusal, context: Mapping[str, Any]) -> Response:
    zone = getattr(context.get("view"), "zone", "UTC")
    with timezone.override(zone):
        reasons = [ReasonSerializer.write(reason) for reason in error.reasons]
    alternatives = SlotSerializer.write_all(error.alternatives, zone)
    first = error.reasons[0]
    return build_problem(HTTPStatus.CONFLICT, first.code, first.detail, reasons=reasons, alternatives=alternatives)


def _build_validation_problem(error: DjangoValidationError) -> Response:
    entries = list(_list_field_errors(error))
    code = entries[0]["code"] if len(entries) == 1 else CODE_BY_STATUS[400]
    status = STATUS_BY_CODE.get(code, HTTPStatus.BAD_REQUEST)
    if status == HTTPStatus.BAD_REQUEST:
        return build_problem(status, code, entries[0]["detail"], errors=entries)
    response = build_problem(status, code, entries[0]["detail"])
    if (after := getattr(error, "retry_after", None)) is not None:
        response["Retry-After"] = str(max(1, math.ceil(after.total_seconds())))
    return response


def _list_field_errors(error: DjangoValidationError) -> Iterator[ErrorEntry]:
    fields = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for field, errors in fields.items():
        for one in errors:
            code = one.code or CODE_BY_STATUS[400]
            pointer = POINTER_BY_CODE.get(code, "#") if field == NON_FIELD_ERRORS else f"#/{field}"
            yield {"pointer": pointer, "code": code, "detail": one.messages[0]}


def _build_framework_problem(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        entries = list(_flatten_errors(error.detail, "#"))
        code = entries[0]["code"] if len(entries) == 1 else CODE_BY_STATUS[400]
        return build_problem(HTTPStatus.BAD_REQUEST, code, entries[0]["detail"], errors=entries)
    code, detail = _get_error_code(error), str(error.detail)
    members = {"errors": [{"pointer": "#", "code": code, "detail": detail}]} if error.status_code == 400 else {}
    response = build_problem(error.status_code, code, detail, **members)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if (wait := getattr(error, "wait", None)) is not None:
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    return response


def _get_error_code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _flatten_errors(detail: Any, pointer: str) -> Iterator[ErrorEntry]:
    """Yield REST framework's nested errors one by one, each with a JSON pointer to its field."""
    if isinstance(detail, Mapping):
        for name, nested in detail.items():
            yield from _flatten_errors(nested, _extend_pointer(pointer, str(name)))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for nested in detail:
            yield from _flatten_errors(nested, pointer)
    else:
        yield {"pointer": pointer, "code": getattr(detail, "code", CODE_BY_STATUS[400]), "detail": str(detail)}


def _extend_pointer(pointer: str, name: str) -> str:
    if name == "non_field_errors":
        return pointer
    return name if name.startswith("?") else f"{pointer}/{name}"
