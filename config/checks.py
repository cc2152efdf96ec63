"""System checks for unsafe or contradictory settings."""

import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

TAG = "config"
MIN_KEY_LENGTH = 32


def refuse_unsafe_settings() -> None:
    """Run the checks of the settings when a web server starts, because Django does not. Raise ImproperlyConfigured."""
    errors = [check for check in run_checks(tags=[TAG]) if check.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(str(error) for error in errors))


@register(TAG)
def check_demo_address(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEMO and not _is_local_address(settings.BASE_URL):
        return [Error("DEMO is on, but BASE_URL is a public address.", hint="Unset DEMO.", id="config.E001")]
    return []


@register(TAG)
def check_rate_limits(**kwargs: Any) -> list[CheckMessage]:
    if not settings.RATE_LIMITS and not settings.DEMO:
        hint = "Remove RATE_LIMITS. RATE_LIMITS=off is for load runs with DEMO=on."
        return [Error("RATE_LIMITS is off.", hint=hint, id="config.E002")]
    return []


@register(TAG)
def check_twilio_settings(**kwargs: Any) -> list[CheckMessage]:
    if settings.SMS_PROVIDER != "twilio":
        return []
    missing = [name for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN") if not getattr(settings, name)]
    if not settings.TWILIO_MESSAGING_SERVICE_SID and not settings.TWILIO_FROM:
        missing.append("TWILIO_MESSAGING_SERVICE_SID or TWILIO_FROM")
    if not missing:
        return []
    hint = "Copy it from Twilio's console. Set SMS_PROVIDER=inbox for a dry run."
    return [Error(f"SMS_PROVIDER is twilio, but {', '.join(missing)} is missing.", hint=hint, id="config.E003")]


@register(TAG)
def check_secret_keys(**kwargs: Any) -> list[CheckMessage]:
    hint = ".env.example has the command that makes a key."
    errors: list[CheckMessage] = [
        Error(f"{name} has fewer than {MIN_KEY_LENGTH} characters.", hint=hint, id="config.E004")
        for name in ("SECRET_KEY", "IDENTITY_KEY")
        if len(getattr(settings, name)) < MIN_KEY_LENGTH
    ]
    if settings.SECRET_KEY == settings.IDENTITY_KEY:
        hint = "IDENTITY_KEY stays out of backups; SECRET_KEY may be changed at any time."
        errors.append(Error("SECRET_KEY and IDENTITY_KEY are the same.", hint=hint, id="config.E005"))
    return errors


@register(TAG)
def check_database_limits(**kwargs: Any) -> list[CheckMessage]:
    statement, silent = settings.DATABASE_STATEMENT_SECONDS, settings.DATABASE_SILENT_SECONDS
    if not silent or 0 < statement < silent:
        return []
    hint = "Otherwise the service takes a slow statement for a broken connection."
    return [Error("DATABASE_SILENT_SECONDS is not more than DATABASE_STATEMENT_SECONDS.", hint=hint, id="config.E006")]


@register(TAG, deploy=True)
def check_message_providers(**kwargs: Any) -> list[CheckMessage]:
    hint = "This is right for a dry run. `manage.py show_inbox` prints the messages."
    return [
        Warning(f"{name} is inbox: no message leaves this server.", hint=hint, id="config.W001")
        for name in ("SMS_PROVIDER", "EMAIL_URL")
        if getattr(settings, name) == "inbox"
    ]


@register(TAG, deploy=True)
def check_static_files(**kwargs: Any) -> list[CheckMessage]:
    manifest = getattr(storages["staticfiles"], "manifest_name", None)
    if manifest is None or (Path(settings.STATIC_ROOT) / manifest).exists():
        return []
    hint = "Run `manage.py collectstatic`, with the same STATIC_ROOT."
    return [Error("The static files are not collected, so every page would fail.", hint=hint, id="config.E007")]


def _is_local_address(url: str) -> bool:
    """Return whether a URL is on this machine or in a private network. A demo may use either, and no other address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local"))
