"""Provider adapters, chosen by settings."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.models import Channel
from notifications.providers.base import Provider


def get_provider(channel: str) -> Provider:
    return _create_provider(*_find_provider(channel))


def load_libraries() -> None:
    """Import the provider modules. A worker calls this before it forks, so that its processes share their memory."""
    for channel in Channel:
        import_string(_find_provider(channel)[0])


def _find_provider(channel: str) -> tuple[str, ...]:
    """Return the path of the provider's class, and the arguments to create it with."""
    if channel == Channel.SMS and settings.SMS_PROVIDER == "twilio":
        secrets = settings.TWILIO_AUTH_TOKEN, settings.TWILIO_SECONDARY_AUTH_TOKEN
        credentials = settings.TWILIO_ACCOUNT_SID, *secrets
        path = "notifications.providers.twilio.TwilioProvider"
        return path, settings.TWILIO_API_URL, settings.BASE_URL, *credentials
    if channel == Channel.EMAIL and settings.EMAIL_URL != "inbox":
        return "notifications.providers.smtp.SmtpProvider", settings.EMAIL_URL, settings.EMAIL_FROM
    return ("notifications.providers.inbox.InboxProvider",)


@cache
def _create_provider(path: str, *arguments: str) -> Provider:
    # Imported on first use, because Twilio's library takes half a second to load.
    provider: Provider = import_string(path)(*arguments)
    return provider
