from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from drives.models import CollectionCenter, Site
from drives.planning import plan_defaults, sites
from drives.planning.forms_sites import CauseForm, CenterForm, FactFormSet, SiteForm
from drives.web import form_errors, members
from organizations.models import Cause, CausePicture
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@accounts.role_required("view")
def show_directory(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    context = {
        "sites": Site.objects.filter(organization=organization).order_by("name", "pk"),
        "centers": CollectionCenter.objects.filter(organization=organization).order_by("name", "pk"),
        "causes": Cause.objects.filter(organization=organization).order_by(*Cause.BY_TITLE),
    }
    return members.render_member_page(request, "drives/planning/sites.html", context)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def new_site(request: MemberRequest) -> HttpResponse:
    return _edit_site(request, plan_defaults.build_default_site(request.membership.organization))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_site(request: MemberRequest, pk: int) -> HttpResponse:
    return _edit_site(request, _get_record_or_404(request, Site, pk))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def new_center(request: MemberRequest) -> HttpResponse:
    return _edit_center(request, CollectionCenter(organization=request.membership.organization))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_center(request: MemberRequest, pk: int) -> HttpResponse:
    return _edit_center(request, _get_record_or_404(request, CollectionCenter, pk))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def new_cause(request: MemberRequest) -> HttpResponse:
    return _edit_cause(request, Cause(organization=request.membership.organization))


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_cause(request: MemberRequest, pk: int) -> HttpResponse:
    return _edit_cause(request, _get_record_or_404(request, Cause, pk))


def _get_record_or_404(request: MemberRequest, model: Any, pk: int) -> Any:
    record = model.objects.filter(organization=request.membership.organization, pk=pk).first()
    if record is None:
        raise Http404
    return record


def _edit_site(request: MemberRequest, site: Site) -> HttpResponse:
    form = SiteForm(request.POST or None, instance=site)
    if form.is_valid():
        try:
            sites.save_site(site=form.save(commit=False), actor=members.format_actor(request), now=timezone.now())
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            return _saved(request, site.name)
    return _form(request, "site", form)


def _edit_center(request: MemberRequest, center: CollectionCenter) -> HttpResponse:
    form = CenterForm(request.POST or None, instance=center)
    if form.is_valid():
        sites.save_center(center=form.save(commit=False), actor=members.format_actor(request), now=timezone.now())
        return _saved(request, center.name)
    return _form(request, "center", form)


def _edit_cause(request: MemberRequest, cause: Cause) -> HttpResponse:
    form = CauseForm(request.POST or None, request.FILES or None, instance=cause)
    facts = FactFormSet(request.POST or None, instance=cause, prefix="facts")
    if form.is_valid() and facts.is_valid():
        now = timezone.now()
        sites.save_cause(
            cause=form.save(commit=False),
            facts=facts.list_filled_in(),
            picture=form.cleaned_data["picture"],
            removes_picture=form.cleaned_data["removes_picture"],
            actor=members.format_actor(request),
            now=now,
        )
        return _saved(request, str(cause))
    picture = CausePicture.objects.defer("content").filter(cause=cause.pk).first()
    return _form(
        request,
        "cause",
        form,
        facts=facts,
        facts_have_errors=facts.is_bound and not facts.is_valid(),
        cause=cause,
        picture=picture,
    )


def _saved(request: MemberRequest, name: str) -> HttpResponse:
    messages.success(request, _("“%(name)s” is saved.") % {"name": name})
    return members.redirect_after_save(request, "organizer_sites")


def _form(request: MemberRequest, kind: str, form: "forms.ModelForm[Any]", **more: Any) -> HttpResponse:
    context = {"form": form, "is_new": form.instance.pk is None, **more}
    response = members.render_member_page(request, f"drives/planning/{kind}_form.html", context)
    if more.get("facts_have_errors"):
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return response
