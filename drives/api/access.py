"""The base class of API views, their permission check, and the caller of a request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, PermissionDenied
from rest_framework.pagination import BasePagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from drives.api.serializers import SharedSerializer
from drives.models import Booking, Drive
from organizations import queries as organizations_queries
from organizations import rules as organizations_rules
from organizations.models import ApiKey, Organization
from organizations.rules import Permission
from volunteers.models import Volunteer

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Caller:
    """The caller of the API: an organization's API key, or a signed-in member."""

    organization: Organization
    role: str
    actor: str  # in the history and the audit log: "key:3", "user:7"

    def may(self, verb: Permission) -> bool:
        return organizations_rules.is_allowed(self.role, verb)


class RolePermission(BasePermission):
    """The permission check of API views. `needs` of the view names the required permission for each method.

    Responds with 401 if there is no caller, 403 if the caller's role lacks the permission, and 405 if `needs` does not
    list the method. Methods that need "public" are open to all.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        assert isinstance(view, ApiView)
        need = view.needs.get("GET" if request.method == "HEAD" else str(request.method))
        if need is None:
            raise MethodNotAllowed(str(request.method))
        if need == "public":
            return True
        member = find_caller(request)
        if member is None:
            raise NotAuthenticated
        if not member.may(need):
            raise PermissionDenied
        view.caller = member
        return True


class ApiView(APIView):
    """Base class of all API views. `zone` is UTC until the view loads a drive or a booking."""

    permission_classes = (RolePermission,)
    needs: ClassVar[dict[str, Permission | Literal["public"]]] = {}
    ordering = "id"
    caller: Caller
    zone = "UTC"

    @property
    def allowed_methods(self) -> list[str]:
        return [name for method in self.needs for name in (("GET", "HEAD") if method == "GET" else (method,))]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Any:
        """Forbid caching, because responses contain tokens, personal data and figures that change often."""
        finalized = super().finalize_response(request, response, *args, **kwargs)
        finalized["Cache-Control"] = "no-store"
        return finalized

    def paginate_rows(
        self,
        request: Request,
        rows: QuerySet[Row],
        serializer: type[SharedSerializer],
        prepare: Callable[[Sequence[Row]], Sequence[Any]] = list,
    ) -> Response:
        """Return one page of a list. `prepare` converts the page's rows for the serializer."""
        paginator = cast("type[BasePagination]", api_settings.DEFAULT_PAGINATION_CLASS)()
        prepared = prepare(paginator.paginate_queryset(rows, request, self) or [])
        return paginator.get_paginated_response([serializer.write(row) for row in prepared])

    def get_drive_or_404(self, drive_id: int) -> Drive:
        """Return a drive of the caller's organization, or raise a 404. Set `zone` to the site's zone."""
        rows = Drive.objects.of(self.caller.organization)
        drive = rows.select_related("organization", "site", "policy", "cause").filter(pk=drive_id).first()
        if drive is None:
            raise Http404
        self.zone = drive.site.timezone
        return drive

    def get_booking_or_404(self, booking_id: int) -> Booking:
        """Return a verified booking of the caller's organization, or raise a 404. Set `zone` to the site's zone."""
        rows = Booking.objects.of(self.caller.organization).filter(volunteer__isnull=False)
        booking = rows.select_related("drive__site").filter(pk=booking_id).first()
        if booking is None:
            raise Http404
        self.zone = booking.drive.site.timezone
        return booking

    def get_volunteer_or_404(self, volunteer_id: int) -> Volunteer:
        """Return a volunteer of the caller's organization, even an erased one, or raise a 404."""
        rows = Volunteer.objects.of(self.caller.organization).select_related("organization")
        volunteer = rows.filter(pk=volunteer_id).first()
        if volunteer is None:
            raise Http404
        return volunteer


def find_caller(request: Request, organization: Organization | None = None) -> Caller | None:
    """Find the caller of a request. Return None for public calls.

    Members of several organizations may choose one with `?organization=<slug>`. The default is the one in the session.
    If `organization` is given, return None unless the caller belongs to it. Members without a required second sign-in
    step are treated as public callers.
    """
    if isinstance(request.auth, ApiKey):
        key = request.auth
        is_other = organization is not None and organization != key.organization
        return None if is_other else Caller(key.organization, key.role, f"key:{key.pk}")
    if not request.user:
        return None
    requested = organization.slug if organization else request.query_params.get("organization")
    chosen = str(request.auth or "")
    membership = (
        organizations_queries.find_membership(request.user, requested or chosen) if requested or chosen else None
    )
    if membership is None and not requested:
        membership = organizations_queries.find_membership(request.user)
    if membership is None or organizations_queries.lacks_second_step(membership):
        return None
    return Caller(membership.organization, membership.role, f"user:{request.user.pk}")
