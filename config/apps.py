"""Puts the apps together: system checks, and error reports if they are wanted."""

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_started


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks, connections  # noqa: F401  registers the checks

        request_started.connect(connections.close_lost_connections)
        if settings.SENTRY_DSN:
            import sentry_sdk

            sentry_sdk.init(dsn=settings.SENTRY_DSN, send_default_pii=False, include_local_variables=False)
