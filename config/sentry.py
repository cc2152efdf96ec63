import importlib

from django.conf import settings


def start_if_configured() -> None:
    if settings.SENTRY_DSN:
        options = {"send_default_pii": False, "include_local_variables": False}
        importlib.import_module("sentry_sdk").init(dsn=settings.SENTRY_DSN, **options)
