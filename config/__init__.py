"""Settings, URL routes, Celery, health checks, logs, the web server and the embedded stack."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
