"""Permission to call the API: public calls, and calls for an organization."""

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
    """An organization's key, or a member in a signed-in browser."""

    organization: Organization
    role: str
    actor: str  # as history and audit log name it: "key:3", "user:7"

    def may(self, verb: Permission) -> bool:
        return organizations_rules.is_allowed(self.role, verb)


class RolePermission(BasePermission):
    """Check the view's `needs` for the method: public, or a verb that the caller's role must allow.

    401 without a caller, 403 for a role that does not allow it, 405 for a method that is not named.
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
    """A call of the API. `caller` is set unless the call is public, `zone` once its drive is known."""

    permission_classes = (RolePermission,)
    needs: ClassVar[dict[str, Permission | Literal["public"]]] = {}
    ordering = "id"
    caller: Caller
    zone = "UTC"

    @property
    def allowed_methods(self) -> list[str]:
        """What the Allow header says."""
        return [name for method in self.needs for name in (("GET", "HEAD") if method == "GET" else (method,))]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Any:
        """Forbid caches: answers hold tokens, people, or figures that change every second."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer

    def page(
        self,
        request: Request,
        rows: QuerySet[Row],
        serializer: type[SharedSerializer],
        prepare: Callable[[Sequence[Row]], Sequence[Any]] = list,
    ) -> Response:
        """One page of a list in the view's order. `prepare` turns its rows into what the serializer takes."""
        pages = cast("type[BasePagination]", api_settings.DEFAULT_PAGINATION_CLASS)()
        found = prepare(pages.paginate_queryset(rows, request, self) or [])
        return pages.get_paginated_response([serializer.write(row) for row in found])

    def drive(self, drive_id: int) -> Drive:
        """The caller's own drive. Another organization's drive is 404, like one that does not exist."""
        rows = Drive.objects.of(self.caller.organization)
        found = rows.select_related("organization", "site", "policy", "cause").filter(pk=drive_id).first()
        if found is None:
            raise Http404
        self.zone = found.site.timezone
        return found

    def booking(self, booking_id: int) -> Booking:
        """A verified booking at one of the caller's own drives."""
        rows = Booking.objects.of(self.caller.organization).filter(volunteer__isnull=False)
        found = rows.select_related("drive__site").filter(pk=booking_id).first()
        if found is None:
            raise Http404
        self.zone = found.drive.site.timezone
        return found

    def volunteer(self, volunteer_id: int) -> Volunteer:
        """A volunteer of the caller's organization, erased ones included."""
        rows = Volunteer.objects.of(self.caller.organization).select_related("organization")
        found = rows.filter(pk=volunteer_id).first()
        if found is None:
            raise Http404
        return found


def find_caller(request: Request, organization: Organization | None = None) -> Caller | None:
    """The caller a request acts as, in `organization` if one is given; None for the public and for other members.

    A user of several organizations names one by `?organization=<slug>`; otherwise it is the one chosen in the session.
    A member without the required second step is treated as the public.
    """
    if isinstance(request.auth, ApiKey):
        key = request.auth
        is_other = organization is not None and organization != key.organization
        return None if is_other else Caller(key.organization, key.role, f"key:{key.pk}")
    if not request.user:
        return None
    named = organization.slug if organization else request.query_params.get("organization")
    chosen = str(request.auth or "")
    membership = organizations_queries.find_membership(request.user, named or chosen) if named or chosen else None
    if membership is None and not named:
        membership = organizations_queries.find_membership(request.user)
    if membership is None or organizations_queries.lacks_second_step(membership):
        return None
    return Caller(membership.organization, membership.role, f"user:{request.user.pk}")
