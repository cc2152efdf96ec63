from collections.abc import Callable

import pytest
from allauth.core.ratelimit import respond_429
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from config import errors


def raising(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


VIEWS = {
    400: raising(SuspiciousOperation("odd")),
    403: raising(PermissionDenied()),
    404: raising(Http404()),
    500: raising(ValueError("a fault of ours")),
    503: raising(OperationalError("the database is away")),
}
urlpatterns = [
    *(path(f"{prefix}{status}", view) for status, view in VIEWS.items() for prefix in ("pages/", "api/")),
    path("pages/429", respond_429),
    path("", include("config.urls")),
]
handler400, handler403, handler404, handler500 = (
    errors.bad_request,
    errors.forbidden,
    errors.not_found,
    errors.server_error,
)
pytestmark = [pytest.mark.urls(__name__), pytest.mark.expects_errors]


def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize("status", VIEWS)
def test_a_program_gets_a_problem(status: int) -> None:
    response = visitor().get(f"/api/{status}")
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert (response.json()["status"], response.json()["code"]) == (status, errors.CODE_BY_STATUS[status])


@pytest.mark.parametrize(("excess", "status"), [(0, 403), (1, 413)])
def test_a_program_gets_a_problem_if_its_body_was_dropped(excess: int, status: int) -> None:
    length = str(settings.MAX_UPLOAD_BYTES + excess)
    program = Client(enforce_csrf_checks=True)
    response = program.post("/api/docs/", b"{}", "application/json", CONTENT_LENGTH=length)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["code"] == errors.CODE_BY_STATUS[status]


@pytest.mark.django_db
@pytest.mark.parametrize("status", [*VIEWS, 429])
def test_a_visitor_gets_a_page(status: int) -> None:
    response = visitor().get(f"/pages/{status}")
    assert (response.status_code, response["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert b"<h1" in response.content


def test_a_database_that_is_away_says_when_to_come_back_and_keeps_the_form() -> None:
    response = visitor().post("/pages/503", {"name": "Ana <b>", "password": "secret-word"})
    assert response["Retry-After"] == "5"
    assert "Ana &lt;b&gt;" in response.content.decode()
    assert "secret-word" not in response.content.decode()


def test_the_error_page_reads_nothing_from_the_database() -> None:
    """This test has no django_db mark, so a query would fail it."""
    assert visitor().get("/pages/500").status_code == 500
