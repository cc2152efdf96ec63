"""The Django project: the settings, the URL routes, the web server and everything that all apps share."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
