"""What drives are planned with: the organization, its sites, causes and collectors, and the policies it may choose."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import answers as api_answers
from drives.api import documented, shapes
from drives.api.access import ApiView
from drives.api.documented import CURSOR
from drives.models import Collector, Policy, Site
from drives.public import answers as public_answers
from organizations.models import Cause, Organization


class RecordsView(ApiView):
    """Records of the caller's organization; strangers' are as unknown as those that never were."""

    needs: ClassVar = {"GET": "view"}

    def all(self, request: Request, rows: QuerySet[Any], answer: api_answers.Maker) -> Response:
        return self.page(request, rows, lambda shown: [answer(row) for row in shown])

    def one(self, rows: QuerySet[Any], pk: int, answer: api_answers.Maker) -> Response:
        row = rows.filter(pk=pk).first()
        if row is None:
            raise Http404
        return Response(answer(row))


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
    @documented.call("list_organizations", shapes.Organization, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _organizations(self.caller.organization), public_answers.organization)


class OneOrganization(RecordsView):
    @documented.call("read_organization", shapes.Organization, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_organizations(self.caller.organization), pk, public_answers.organization)


class Sites(RecordsView):
    @documented.call("list_sites", shapes.Site, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _sites(self.caller.organization), public_answers.site)


class OneSite(RecordsView):
    @documented.call("read_site", shapes.Site, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_sites(self.caller.organization), pk, public_answers.site)


class Causes(RecordsView):
    @documented.call("list_causes", shapes.Cause, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _causes(self.caller.organization), public_answers.cause)


class OneCause(RecordsView):
    @documented.call("read_cause", shapes.Cause, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_causes(self.caller.organization), pk, public_answers.cause)


class Collectors(RecordsView):
    @documented.call("list_collectors", shapes.Collector, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _collectors(self.caller.organization), public_answers.collector)


class OneCollector(RecordsView):
    @documented.call("read_collector", shapes.Collector, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_collectors(self.caller.organization), pk, public_answers.collector)


class Policies(RecordsView):
    @documented.call("list_policies", shapes.Policy, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _policies(self.caller.organization), public_answers.policy)


class OnePolicy(RecordsView):
    @documented.call("read_policy", shapes.Policy, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_policies(self.caller.organization), pk, public_answers.policy)
