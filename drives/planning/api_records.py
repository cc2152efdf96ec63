"""Read-only API views of the records that a plan uses: sites, causes, centers and policies."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import openapi
from drives.api.access import ApiView
from drives.api.openapi import CURSOR
from drives.api.serializers import SharedSerializer
from drives.models import CollectionCenter, Policy, Site
from drives.planning.record_serializers import (
    CauseSerializer,
    CenterSerializer,
    OrganizationSerializer,
    PolicySerializer,
    SiteSerializer,
)
from organizations.models import Cause, Organization


class RecordsView(ApiView):
    """Base class of these views. Responds with 404 for records of other organizations."""

    needs: ClassVar = {"GET": "view"}

    def respond_with_record(self, rows: QuerySet[Any], pk: int, serializer: type[SharedSerializer]) -> Response:
        row = rows.filter(pk=pk).first()
        if row is None:
            raise Http404
        return Response(serializer.write(row))


def _organizations(organization: Organization) -> QuerySet[Organization]:
    return Organization.objects.filter(pk=organization.pk)


def _sites(organization: Organization) -> QuerySet[Site]:
    return Site.objects.filter(organization=organization)


def _causes(organization: Organization) -> QuerySet[Cause]:
    return Cause.objects.filter(organization=organization).prefetch_related("facts")


def _list_centers(organization: Organization) -> QuerySet[CollectionCenter]:
    return CollectionCenter.objects.filter(organization=organization)


def _policies(organization: Organization) -> QuerySet[Policy]:
    return Policy.objects.offered_to(organization)


class OrganizationListView(RecordsView):
    @openapi.describe_operation(
        "list_organizations",
        "List organizations",
        "Lists the one organization that the key or session acts for.",
        response_serializer=OrganizationSerializer,
        is_list=True,
        parameters=(CURSOR,),
        error_statuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.paginate_rows(request, _organizations(self.caller.organization), OrganizationSerializer)


class OrganizationView(RecordsView):
    @openapi.describe_operation(
        "read_organization",
        "Read an organization",
        "Returns the organization that the key or session acts for.",
        response_serializer=OrganizationSerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.respond_with_record(_organizations(self.caller.organization), pk, OrganizationSerializer)


class SiteListView(RecordsView):
    @openapi.describe_operation(
        "list_sites",
        "List sites",
        "Lists the organization's sites. A plan names its site by `id`.",
        response_serializer=SiteSerializer,
        is_list=True,
        parameters=(CURSOR,),
        error_statuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.paginate_rows(request, _sites(self.caller.organization), SiteSerializer)


class SiteView(RecordsView):
    @openapi.describe_operation(
        "read_site",
        "Read a site",
        "Returns one of the organization's sites.",
        response_serializer=SiteSerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.respond_with_record(_sites(self.caller.organization), pk, SiteSerializer)


class CauseListView(RecordsView):
    @openapi.describe_operation(
        "list_causes",
        "List causes",
        "Lists the organization's causes with their facts and sources.",
        response_serializer=CauseSerializer,
        is_list=True,
        parameters=(CURSOR,),
        error_statuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.paginate_rows(request, _causes(self.caller.organization), CauseSerializer)


class CauseView(RecordsView):
    @openapi.describe_operation(
        "read_cause",
        "Read a cause",
        "Returns one of the organization's causes with its facts and sources.",
        response_serializer=CauseSerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.respond_with_record(_causes(self.caller.organization), pk, CauseSerializer)


class CenterListView(RecordsView):
    @openapi.describe_operation(
        "list_centers",
        "List centers",
        "Lists the licensed centers and blood services that collect plasma at the organization's drives.",
        response_serializer=CenterSerializer,
        is_list=True,
        parameters=(CURSOR,),
        error_statuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.paginate_rows(request, _list_centers(self.caller.organization), CenterSerializer)


class CenterView(RecordsView):
    @openapi.describe_operation(
        "read_center",
        "Read a center",
        "Returns one of the organization's centers.",
        response_serializer=CenterSerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.respond_with_record(_list_centers(self.caller.organization), pk, CenterSerializer)


class PolicyListView(RecordsView):
    @openapi.describe_operation(
        "list_policies",
        "List policies",
        "Lists the donation rules that a plan can name: the rules for all organizations and the organization's own. "
        "A version of a policy never changes.",
        response_serializer=PolicySerializer,
        is_list=True,
        parameters=(CURSOR,),
        error_statuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.paginate_rows(request, _policies(self.caller.organization), PolicySerializer)


class PolicyView(RecordsView):
    @openapi.describe_operation(
        "read_policy",
        "Read a policy",
        "Returns one version of a set of donation rules.",
        response_serializer=PolicySerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.respond_with_record(_policies(self.caller.organization), pk, PolicySerializer)
