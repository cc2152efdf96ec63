"""The web application with a seeded bug, as a control: each process has its own cache for sign-ins."""

from django.conf import settings

settings.CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

from config.wsgi import application  # noqa: E402  after the change of the settings

__all__ = ["application"]
