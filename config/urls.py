from collections.abc import Callable

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext as _

from config import health, metrics, schema
from organizations import queries

_is_staff = admin.site.has_permission
_show_login: Callable[..., HttpResponse] = secure_admin_login(admin.site.login)


def _may_open_admin(request: HttpRequest) -> bool:
    """Allow staff with a second step."""
    return _is_staff(request) and not queries.signs_in_with_password_only(request.user.pk or 0)


def _show_admin_login(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
    """Show the sign-in page, or the page where staff without a second step set it up."""
    if _is_staff(request) and not _may_open_admin(request):
        messages.info(request, _("First set up two-step sign-in with an app or a passkey."))
        return redirect("mfa_index")
    return _show_login(request, extra_context)


admin.site.has_permission = _may_open_admin  # type: ignore[method-assign]
admin.site.login = _show_admin_login  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.show_liveness),
    path("readyz", health.show_readiness),
    path("metrics", metrics.show_metrics),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("drives.urls_api")),
    path("api/v1/openapi.json", schema.show_openapi, name="openapi"),
    path("api/docs/", schema.show_api_docs),
    path("", include("drives.urls")),
    path("", include("notifications.urls")),
    path("", include("organizations.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
