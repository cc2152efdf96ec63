"""Error responses: a page, or problem+json under /api/."""

import logging
import sys
from http import HTTPStatus

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.encoding import iri_to_uri

from config import connections
from drives.booking import views_book

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
CODE_BY_STATUS = {
    400: "malformed",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    500: "error",
    503: "unavailable",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _render_error(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _render_error(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404. If punctuation was pasted along with a link, redirect to the URL without it instead."""
    if (
        request.method in {"GET", "HEAD"}
        and not _is_api_request(request)
        and (path := _clean_pasted_path(request.path))
    ):
        return redirect(iri_to_uri("?".join(filter(None, (path, request.META["QUERY_STRING"])))))
    return _render_error(request, 404)


def _clean_pasted_path(path: str) -> str:
    """Return the path without the punctuation at its end, or "" if there is none or a redirect would be unsafe."""
    end = len(path)
    while end and not (path[end - 1].isalnum() or path[end - 1] in "-_"):
        end -= 1
    # Check the second character, because "//host" and "/\\host" would redirect to another site.
    if path[end:] in {"", "/"} or not (path[1:2].isalnum() or path[1:2] in {"-", "_"}):
        return ""
    return path[:end] if "." in path[path.rfind("/", 0, end) : end] else f"{path[:end]}/"


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    # The web server drops a body that is too long, and with it the token.
    is_dropped = int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_UPLOAD_BYTES
    typed = None if is_dropped else views_book.render_expired_form(request)
    return typed or _render_error(request, 413 if is_dropped else 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 503 if the database is not available, else 500.

    The 503 page contains the submitted form, so that the visitor can send the form again. Neither page uses the
    database, not even for the session.
    """
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        connections.watch.record_failure(error)
        response = (
            _build_problem_response(503)
            if _is_api_request(request)
            else _render_page_without_database(503, _read_sent_form(request))
        )
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    return _build_problem_response(500) if _is_api_request(request) else _render_page_without_database(500, {})


def _is_api_request(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _render_error(request: HttpRequest, status: int) -> HttpResponse:
    return (
        _build_problem_response(status)
        if _is_api_request(request)
        else render(request, f"{status}.html", status=status)
    )


def _build_problem_response(status: int) -> HttpResponse:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": CODE_BY_STATUS[status]}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _render_page_without_database(status: int, context: dict[str, object]) -> HttpResponse:
    try:
        page: str = render_to_string(f"{status}.html", context)
    except Exception:
        logger.exception("the error page for status %s cannot be rendered", status)
        page = f"<!doctype html><title>{HTTPStatus(status).phrase}</title><h1>{HTTPStatus(status).phrase}</h1>"
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})


def _read_sent_form(request: HttpRequest) -> dict[str, object]:
    """Return the URL and the fields of the submitted form, without passwords."""
    if request.method != "POST":
        return {}
    sent = [(name, value) for name, values in request.POST.lists() for value in values if "password" not in name]
    return {"action": request.get_full_path(), "sent_form": sent}
