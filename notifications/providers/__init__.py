"""The adapters to providers, chosen by settings."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.models import Channel
from notifications.providers.base import Gateway


def choose(channel: str) -> Gateway:
    """The gateway of a channel. Its module is imported on first use: Twilio's library costs a process half a second."""
    if channel == Channel.SMS and settings.SMS_GATEWAY == "twilio":
        credentials = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
        return _made(
            "notifications.providers.twilio.TwilioGateway", settings.TWILIO_API_URL, settings.BASE_URL, *credentials
        )
    if channel == Channel.EMAIL and settings.EMAIL_URL != "inbox":
        return _made("notifications.providers.smtp.SmtpGateway", settings.EMAIL_URL, settings.EMAIL_FROM)
    return _made("notifications.providers.inbox.InboxGateway")


@cache
def _made(path: str, *settled: str) -> Gateway:
    """One for each process and setting, for the sake of its connections."""
    gateway: Gateway = import_string(path)(*settled)
    return gateway
