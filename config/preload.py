"""Load before a fork what the first request or task would load, so that the processes share this memory."""

import gc
import importlib

from django import urls
from django.conf import settings
from django.template import engines
from django.utils import translation


def load_pages() -> None:
    """Import the views, and compile the URL patterns for each language."""
    importlib.import_module(settings.ROOT_URLCONF)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            urls.reverse(settings.LOGIN_URL)


def load_texts() -> None:
    """Load the catalog of each language and the template tags."""
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("Home")
    engines.all()


def freeze() -> None:
    """Keep garbage collections in the forked processes from copying the memory of all objects that exist now."""
    gc.collect()
    gc.freeze()
