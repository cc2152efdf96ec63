from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import health, metrics, schema

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.show_liveness),
    path("readyz", health.show_readiness),
    path("metrics", metrics.show_metrics),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("drives.urls_api")),
    path("api/v1/openapi.json", schema.show_openapi, name="openapi"),
    path("api/docs/", schema.show_api_docs, name="api_docs"),
    path("", include("drives.urls")),
    path("", include("notifications.urls")),
    path("", include("organizations.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
