"""Pages to sign up for news of an organization's next drives."""

from functools import partial
from typing import Final

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.account import news
from drives.booking.forms import PersonForm
from drives.web import code_page, form_errors, redirects, visitor
from drives.web.code_page import CodeForm
from drives.web.fields import CheckboxField
from drives.web.pending_input import PendingInput
from notifications.models import Purpose
from organizations.models import Organization
from volunteers import consent_texts
from volunteers.models import Registration

PENDING_NEWS: Final = PendingInput("news", count=1)  # the registration's id


class NewsForm(PersonForm):
    news = CheckboxField(label=_("Tell me about upcoming drives"), required=False, described_by="id_news_hint")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_for_news(request: HttpRequest, slug: str) -> HttpResponse:
    organization = get_object_or_404(Organization, slug=slug)
    if request.method != "POST":
        return _render_form(request, organization, NewsForm())
    form, browser = NewsForm(request.POST), visitor.read_or_create_browser_token(request)
    if not form.is_valid():
        return _render_form(request, organization, form, 422)
    try:
        typed = news.request_news(
            organization=organization,
            person=form.person(None),
            ip=visitor.find_ip_address(request),
            bound_to=visitor.compute_browser_digest(browser),
            browser_token=browser,
            now=timezone.now(),
        )
    except ValidationError as problem:
        form.refuse(problem)
        return form_errors.add_retry_after(
            _render_form(request, organization, form, form_errors.compute_http_status(problem)), problem
        )
    response = redirects.redirect_after_post("news_code", slug)
    PENDING_NEWS.save(response, reverse("news", args=[slug]), str(typed.pk))
    visitor.set_browser_cookie(response, browser)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter_news_code(request: HttpRequest, slug: str) -> HttpResponse:
    typed = _find_pending(request, slug)
    if typed is None:
        return redirect("news", slug)
    show = partial(_render_code_page, request, typed)
    if request.method != "POST":
        return show(CodeForm())
    action = partial(news.verify_news, registration_id=typed.pk, booking_for=code_page.parse_person_choice(request))
    return code_page.handle_code_form(
        request, action, lambda _volunteer: redirects.redirect_after_post("news", slug, query="done=1"), show
    )


@never_cache
def send_news_code(request: HttpRequest, slug: str) -> HttpResponse:
    typed = _find_pending(request, slug)
    if typed is None:
        return redirect("news", slug)
    if request.method != "POST":  # a reload, or a change of language
        return redirect("news_code", slug)
    action = partial(news.resend_news_code, registration_id=typed.pk)
    done = partial(redirects.redirect_after_post, "news_code", slug, query="sent=1")
    return code_page.handle_resend_form(request, action, done, partial(_render_code_page, request, typed))


def _find_pending(request: HttpRequest, slug: str) -> Registration | None:
    pending = PENDING_NEWS.read(request)
    rows = Registration.objects.select_related("organization").filter(organization__slug=slug)
    return rows.filter(pk=pending[0]).first() if pending else None


def _render_code_page(
    request: HttpRequest, typed: Registration, form: CodeForm, problem: ValidationError | None = None
) -> HttpResponse:
    shown = code_page.build_registration_code_page(request, typed)
    context = {"organization": typed.organization}
    return code_page.render_code_page(request, "drives/account/news_code.html", shown, form, problem, context)


def _render_form(request: HttpRequest, organization: Organization, form: NewsForm, status: int = 200) -> HttpResponse:
    language = translation.get_language() or "en"
    context = {
        "organization": organization,
        "form": form,
        "is_done": "done" in request.GET,
        "news_wording": consent_texts.render_consent_text(Purpose.NEWS, language, organization)[1],
    }
    return render(request, "drives/account/news.html", context, status=status)
