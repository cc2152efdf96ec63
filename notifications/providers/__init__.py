"""Provider adapters, chosen by settings."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.models import Channel
from notifications.providers.base import Provider


def get_provider(channel: str) -> Provider:
    if channel == Channel.SMS and settings.SMS_PROVIDER == "twilio":
        secrets = settings.TWILIO_AUTH_TOKEN, settings.TWILIO_SECONDARY_AUTH_TOKEN
        credentials = settings.TWILIO_ACCOUNT_SID, *secrets
        return _create_provider(
            "notifications.providers.twilio.TwilioProvider", settings.TWILIO_API_URL, settings.BASE_URL, *credentials
        )
    if channel == Channel.EMAIL and settings.EMAIL_URL != "inbox":
        return _create_provider("notifications.providers.smtp.SmtpProvider", settings.EMAIL_URL, settings.EMAIL_FROM)
    return _create_provider("notifications.providers.inbox.InboxProvider")


@cache
def _create_provider(path: str, *arguments: str) -> Provider:
    # Imported on first use, because Twilio's library takes half a second to load.
    provider: Provider = import_string(path)(*arguments)
    return provider
