"""Register the system checks, start Sentry if it is configured, and choose the admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps

from config import sentry


class ConfigConfig(AppConfig):
    name = "config"
    default = True

    def ready(self) -> None:
        from config import checks  # noqa: F401  registers them

        sentry.start_if_configured()


class ReadOnlyAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "config.admin_site.ReadOnlyAdminSite"
