"""The records that a plan is made of: read-only in the API."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import documented
from drives.api.access import ApiView
from drives.api.documented import CURSOR
from drives.api.serializers import Shared
from drives.models import Collector, Policy, Site
from drives.planning.record_serializers import (
    CauseSerializer,
    CenterSerializer,
    OrganizationSerializer,
    PolicySerializer,
    SiteSerializer,
)
from organizations.models import Cause, Organization


class RecordsView(ApiView):
    """Records of the caller's organization; strangers' are as unknown as those that never were."""

    needs: ClassVar = {"GET": "view"}

    def one(self, rows: QuerySet[Any], pk: int, serializer: type[Shared]) -> Response:
        row = rows.filter(pk=pk).first()
        if row is None:
            raise Http404
        return Response(serializer.write(row))


def _organizations(of: Organization) -> QuerySet[Organization]:
    return Organization.objects.filter(pk=of.pk)


def _sites(of: Organization) -> QuerySet[Site]:
    return Site.objects.filter(organization=of)


def _causes(of: Organization) -> QuerySet[Cause]:
    return Cause.objects.filter(organization=of).prefetch_related("facts")


def _collectors(of: Organization) -> QuerySet[Collector]:
    return Collector.objects.filter(organization=of)


def _policies(of: Organization) -> QuerySet[Policy]:
    """Those offered to everybody, and the organization's own tightened ones."""
    return Policy.objects.offered_to(of)


class Organizations(RecordsView):
    @documented.operation(
        "list_organizations",
        "List organizations",
        "The organization that the key or session acts for.",
        gives=OrganizationSerializer,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.page(request, _organizations(self.caller.organization), OrganizationSerializer)


class OneOrganization(RecordsView):
    @documented.operation(
        "read_organization",
        "Read an organization",
        "The organization that the key or session acts for, by its id.",
        gives=OrganizationSerializer,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_organizations(self.caller.organization), pk, OrganizationSerializer)


class Sites(RecordsView):
    @documented.operation(
        "list_sites",
        "List sites",
        "The organization's sites. A plan names one by its id.",
        gives=SiteSerializer,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.page(request, _sites(self.caller.organization), SiteSerializer)


class OneSite(RecordsView):
    @documented.operation(
        "read_site",
        "Read a site",
        "One of the organization's sites.",
        gives=SiteSerializer,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_sites(self.caller.organization), pk, SiteSerializer)


class Causes(RecordsView):
    @documented.operation(
        "list_causes",
        "List causes",
        "The organization's causes with their sourced facts.",
        gives=CauseSerializer,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.page(request, _causes(self.caller.organization), CauseSerializer)


class OneCause(RecordsView):
    @documented.operation(
        "read_cause",
        "Read a cause",
        "One of the organization's causes with its sourced facts.",
        gives=CauseSerializer,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_causes(self.caller.organization), pk, CauseSerializer)


class Collectors(RecordsView):
    @documented.operation(
        "list_centers",
        "List centers",
        "The licensed centers and blood services that collect plasma at the organization's drives.",
        gives=CenterSerializer,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.page(request, _collectors(self.caller.organization), CenterSerializer)


class OneCollector(RecordsView):
    @documented.operation(
        "read_center",
        "Read a center",
        "One of the organization's centers.",
        gives=CenterSerializer,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_collectors(self.caller.organization), pk, CenterSerializer)


class Policies(RecordsView):
    @documented.operation(
        "list_policies",
        "List policies",
        "The donation rules that a plan may name: those offered to every organization, and the organization's own. A "
        "version of a policy never changes.",
        gives=PolicySerializer,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.page(request, _policies(self.caller.organization), PolicySerializer)


class OnePolicy(RecordsView):
    @documented.operation(
        "read_policy",
        "Read a policy",
        "One version of a set of donation rules.",
        gives=PolicySerializer,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_policies(self.caller.organization), pk, PolicySerializer)
