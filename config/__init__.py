"""Puts the apps together: settings, addresses, Celery, health, the embedded stack."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
