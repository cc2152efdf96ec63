from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path

from config import health, metrics, schema
from organizations import queries

_is_staff = admin.site.has_permission


def _may_open_admin(request: HttpRequest) -> bool:
    """Allow staff with a second step. Staff without one set it up at /accounts/2fa/."""
    return _is_staff(request) and not queries.signs_in_with_password_only(request.user.pk or 0)


admin.site.has_permission = _may_open_admin  # type: ignore[method-assign]
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # the admin needs the second step, too

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
