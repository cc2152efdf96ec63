"""Privacy policy, terms, the language switch, and an organization's logo and accent color."""

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.module_loading import import_string
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django.views.i18n import set_language

from drives.models import Drive
from drives.public import queries
from drives.web import colors, origin
from organizations.models import Organization, OrganizationLogo

PREVIEW_SECONDS = 60 * 60


@require_safe
def show_organization_privacy(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an organization's privacy policy: its legal name, its own text, and its retention period."""
    organization = get_object_or_404(Organization, slug=slug)
    context = {"organization": organization, "months": organization.retention_months}
    return render(request, "drives/public/privacy.html", context)


@require_safe
def show_organization_terms(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an organization's terms: its legal name, its own text, and its quiet hours."""
    organization = get_object_or_404(Organization, slug=slug)
    hours = {"from_hour": organization.quiet_until_hour, "until_hour": organization.quiet_from_hour}
    return render(request, "drives/public/terms.html", {"organization": organization, **hours})


@require_safe
def show_privacy(request: HttpRequest) -> HttpResponse:
    months = Organization._meta.get_field("retention_months").default
    others = Organization.objects.exclude(retention_months=months).order_by("name", "pk")
    return render(request, "drives/public/privacy.html", {"months": months, "others": others})


@require_safe
def show_terms(request: HttpRequest) -> HttpResponse:
    """Show the general terms. They describe the texting program, because carriers require this."""
    usual = Organization()
    hours = {"quiet_until_hour": usual.quiet_until_hour, "quiet_from_hour": usual.quiet_from_hour}
    others = Organization.objects.exclude(**hours).order_by("name", "pk")
    context = {"from_hour": usual.quiet_until_hour, "until_hour": usual.quiet_from_hour, "others": others}
    return render(request, "drives/public/terms.html", context)


@csrf_exempt
def switch_language(request: HttpRequest) -> HttpResponse:
    """Switch the language. Refuses a form from another website.

    The form has no CSRF token, because all visitors share one copy of a public page. `drives.web.origin` checks the
    browser's headers instead.
    """
    if request.method == "POST" and origin.is_from_another_website(request):
        raise PermissionDenied
    return set_language(request)


@require_safe
@cache_control(public=True, max_age=PREVIEW_SECONDS)
def show_preview_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the preview picture for the drive's link, in the language of `?language=`.

    The picture is drawn once for each change of the drive and each language.
    """
    drives = Drive.objects.public().select_related("organization", "site", "cause").defer(*queries.LONG_CAUSE_TEXTS)
    drive = get_object_or_404(drives, slug=slug)
    language = request.GET.get("language", "")
    with translation.override(language if language in dict(settings.LANGUAGES) else drive.organization.language):
        organization, site = drive.organization, drive.site
        shown = (
            *(organization.name, organization.accent),
            *(drive.title, drive.starts_at, drive.ends_at),
            *(site.name, site.city, site.timezone),
            drive.cause and drive.cause.summary,
        )
        key = f"preview:{drive.pk}:{translation.get_language()}:{hash(shown)}"
        # Import Pillow here, because loading it is slow and few processes draw pictures.
        draw = import_string("drives.public.preview_picture.draw_preview")
        picture = caches["pages"].get_or_set(key, lambda: draw(drive), PREVIEW_SECONDS)
    return HttpResponse(picture, content_type="image/png")


@require_safe
@cache_control(public=True, max_age=365 * 24 * 60 * 60, immutable=True)
def show_logo(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    logo = OrganizationLogo.objects.filter(organization__slug=slug, organization__logo_digest=digest).first()
    if logo is None:
        raise Http404
    return HttpResponse(bytes(logo.content), content_type="image/png")


@require_safe
@cache_control(public=True, max_age=24 * 60 * 60)
def show_accent_stylesheet(request: HttpRequest, slug: str) -> HttpResponse:
    """Return a stylesheet with the organization's accent color. The CSP forbids inline styles."""
    organization = get_object_or_404(Organization, slug=slug)
    return HttpResponse(colors.build_stylesheet(organization.accent), content_type="text/css; charset=utf-8")
