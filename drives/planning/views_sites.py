"""What drives are made of: sites, donation centers and causes."""

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from drives.models import Collector, Site
from drives.planning import sites
from drives.planning.forms_sites import CauseForm, CollectorForm, FactFormSet, SiteForm
from drives.web import form_errors, members
from organizations.models import Cause
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@accounts.role_required("view")
def overview(request: MemberRequest) -> HttpResponse:
    """All sites, centers and causes of the organization."""
    organization = request.membership.organization
    context = {
        "sites": Site.objects.filter(organization=organization).order_by("name", "pk"),
        "collectors": Collector.objects.filter(organization=organization).order_by("name", "pk"),
        "causes": Cause.objects.filter(organization=organization).order_by(*Cause.BY_TITLE),
    }
    return members.page(request, "drives/planning/directory.html", context)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def new_site(request: MemberRequest) -> HttpResponse:
    """A place where drives happen."""
    return _site(request, Site(organization=request.membership.organization))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_site(request: MemberRequest, pk: int) -> HttpResponse:
    """Change a place."""
    return _site(request, _own(request, Site, pk))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def new_collector(request: MemberRequest) -> HttpResponse:
    """A center that takes the plasma."""
    return _collector(request, Collector(organization=request.membership.organization))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_collector(request: MemberRequest, pk: int) -> HttpResponse:
    """Change a center."""
    return _collector(request, _own(request, Collector, pk))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def new_cause(request: MemberRequest) -> HttpResponse:
    """Whom drives honour, and why."""
    return _cause(request, Cause(organization=request.membership.organization))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_cause(request: MemberRequest, pk: int) -> HttpResponse:
    """Change a cause."""
    return _cause(request, _own(request, Cause, pk))


def _own(request: MemberRequest, model: Any, pk: int) -> Any:
    found = model.objects.filter(organization=request.membership.organization, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _site(request: MemberRequest, site: Site) -> HttpResponse:
    form = SiteForm(request.POST or None, instance=site)
    if form.is_valid():
        try:
            sites.save_site(site=form.save(commit=False), actor=members.actor_of(request), now=timezone.now())
        except ValidationError as error:
            form_errors.refuse(form, error)
        else:
            return _saved(request, site.name)
    return _form(request, "site", form)


def _collector(request: MemberRequest, collector: Collector) -> HttpResponse:
    form = CollectorForm(request.POST or None, instance=collector)
    if form.is_valid():
        sites.save_collector(collector=form.save(commit=False), actor=members.actor_of(request), now=timezone.now())
        return _saved(request, collector.name)
    return _form(request, "collector", form)


def _cause(request: MemberRequest, cause: Cause) -> HttpResponse:
    form = CauseForm(request.POST or None, instance=cause)
    facts = FactFormSet(request.POST or None, instance=cause, prefix="facts")
    if form.is_valid() and facts.is_valid():
        now = timezone.now()
        sites.save_cause(cause=form.save(commit=False), facts=facts.kept(), actor=members.actor_of(request), now=now)
        return _saved(request, str(cause))
    return _form(request, "cause", form, facts=facts, facts_have_errors=facts.is_bound and any(facts.errors))


def _saved(request: MemberRequest, name: str) -> HttpResponse:
    messages.success(request, _("“%(name)s” is saved.") % {"name": name})
    return redirect("organizer_directory")


def _form(request: MemberRequest, kind: str, form: "forms.ModelForm[Any]", **more: Any) -> HttpResponse:
    context = {"form": form, "is_new": form.instance.pk is None, **more}
    response = members.page(request, f"drives/planning/{kind}_form.html", context)
    if more.get("facts_have_errors"):
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return response
