"""Register the system checks, start Sentry if it is configured, and choose the admin site."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class ConfigConfig(AppConfig):
    name = "config"
    default = True

    def ready(self) -> None:
        from config import checks  # noqa: F401  registers them

        if settings.SENTRY_DSN:
            import sentry_sdk

            sentry_sdk.init(dsn=settings.SENTRY_DSN, send_default_pii=False, include_local_variables=False)


class ReadOnlyAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "config.admin_site.ReadOnlyAdminSite"
