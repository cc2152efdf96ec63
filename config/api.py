"""Authentication, parsing, pagination and throttling of the API. `config.problems` builds the error responses."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, ParseError, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import BasePagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from organizations import api_keys, rules
from organizations import queries as organizations_queries
from organizations.models import ApiKey, User
from organizations.web import accounts
from organizations.web.accounts import CHOSEN_ORGANIZATION_KEY

if TYPE_CHECKING:
    from rest_framework.views import APIView  # not imported at run time, because it imports this module

MAX_BODY_BYTES = 64 * 1024
PAGE_SIZE = 50


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticates an organization by its API key: `Authorization: Bearer pd_…`.

    Responds with 401 to a wrong key, even if the call is public.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if not header:
            return None
        now = timezone.now()
        key = organizations_queries.find_api_key(header, now)
        if key is None:
            raise AuthenticationFailed(
                _("This key is unknown, expired or revoked. Use another key, or ask an owner for a new one.")
            )
        api_keys.record_use(key=key, now=now)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class CoordinatorSessionAuthentication(SessionAuthentication):
    """Authenticates a signed-in coordinator by session and CSRF token. Sets `auth` to the chosen organization's slug.

    The session is loaded only if the request has a session cookie.
    """

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        request.user = get_user(request)  # reading `request.user` here would authenticate again
        if not accounts.is_signed_in(request, timezone.now()):
            return None
        result = super().authenticate(request)
        return result and (result[0], request.session.get(CHOSEN_ORGANIZATION_KEY, ""))


class DenyAll(BasePermission):
    """The default permission, which denies all access. A view opens itself by setting another permission."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class JsonNegotiation(DefaultContentNegotiation):
    """Always responds with JSON. The Accept header is ignored."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, only.media_type


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = _("Send at most 64 KB.")
    default_code = "too_large"


class JsonParser(BaseParser):
    """Strict JSON of limited size. Refuses NaN and deep nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any] | HttpRequest,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            body = stream.body if isinstance(stream, HttpRequest) else stream.read()
        except RequestDataTooBig as error:
            raise BodyTooLarge from error
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        try:
            data = json.loads(body, parse_constant=_refuse_constant)
            json.dumps(data, ensure_ascii=False).encode()  # refuses half a surrogate pair, which has no UTF-8 form
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not valid JSON."), code="malformed_json") from error
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


class CursorPages(BasePagination):
    """Forward pagination by cursor: `{"results": […], "next": url|null}`.

    The view sets `ordering`, and rows with the same value are ordered by id. The cursor contains the last row's value
    and id, so that no row is repeated or skipped if other rows are added or removed between two pages.
    """

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        assert isinstance(queryset, QuerySet)
        self.url = settings.BASE_URL + request.path
        self.parameters = request.query_params.copy()
        self.ordering: str = getattr(view, "ordering", "id")
        if "cursor" in request.query_params:
            queryset = queryset.filter(self._filter_after_cursor(queryset.model, request.query_params["cursor"]))
        rows = list(queryset.order_by(self.ordering, "pk")[: PAGE_SIZE + 1])
        self.last = rows[PAGE_SIZE - 1] if len(rows) > PAGE_SIZE else None
        return rows[:PAGE_SIZE]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self._build_next_url()})

    def _build_next_url(self) -> str | None:
        if self.last is None:
            return None
        value = getattr(self.last, self.ordering)
        position = [value.isoformat() if isinstance(value, datetime) else value, self.last.pk]
        self.parameters["cursor"] = base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
        return f"{self.url}?{self.parameters.urlencode()}"

    def _filter_after_cursor(self, model: type[Model], cursor: str) -> Q:
        try:
            decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            value, pk = json.loads(decoded, parse_constant=_refuse_constant)
            if type(pk) is not int or not 0 <= pk < 2**63 or type(value) not in (int, str) or "\x00" in str(value):
                raise ValueError(value, pk)
            field = model._meta.get_field(self.ordering)
            assert isinstance(field, Field)  # views only sort by columns
            value = field.to_python(value)
            if isinstance(value, datetime) and timezone.is_naive(value):
                raise ValueError(value)
        except (ValueError, TypeError, RecursionError, binascii.Error, DjangoValidationError) as error:
            detail = _("This cursor is not valid. Use the URL in “next”.")
            raise ValidationError({"?cursor": [detail]}, code="cursor_unknown") from error
        return Q(**{f"{self.ordering}__gt": value}) | Q(**{self.ordering: value, "pk__gt": pk})


class RateThrottle(BaseThrottle):
    """Limits the calls of one caller per minute, so that a single caller cannot slow down the API for all others.

    The limit is not exact, because each process counts by itself. Paid messages have exact limits in the database.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not settings.RATE_LIMITS:
            return True
        now = timezone.now()
        self.left = 60 - now.second
        caller, limit = self._identify_caller(request)
        counter = f"api:{caller}:{now:%H%M}"
        local = caches["local"]
        local.add(counter, 0, timeout=60)
        try:
            return local.incr(counter) <= limit
        except ValueError:  # the counter expired between the two calls
            return True

    def wait(self) -> float:
        return self.left

    def _identify_caller(self, request: Request) -> tuple[str, int]:
        if isinstance(request.auth, ApiKey):
            return f"key:{request.auth.pk}", rules.MEMBER_REQUESTS_PER_MINUTE
        if request.user:
            return f"user:{request.user.pk}", rules.MEMBER_REQUESTS_PER_MINUTE
        return f"ip:{request.META['REMOTE_ADDR']}", rules.ANONYMOUS_REQUESTS_PER_MINUTE
