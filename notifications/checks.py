"""System checks of the settings for e-mail and texts."""

import re
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from notifications.providers import smtp

TAG = "notifications"


@register(TAG)
def check_mail_server(**kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.EMAIL_URL)
    if settings.EMAIL_URL == "inbox" or (parts.scheme in {"smtp", "submission"} and parts.hostname):
        return []
    hint = "smtp://user:password@host:587, submission://host (STARTTLS), smtp://host:465/?ssl=on, or inbox."
    return [Error("EMAIL_URL does not name a mail server.", hint=hint, id="notifications.E001")]


@register(TAG, deploy=True)
def check_mail_encryption(**kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_URL == "inbox":
        return []
    server = smtp.parse_email_url(settings.EMAIL_URL)
    if server["use_ssl"] or server["use_tls"] or smtp.is_loopback_host(server["host"]):
        return []
    hint = "Write submission://host:port if the server offers STARTTLS."
    return [Warning("EMAIL_URL sends mail in clear text to another machine.", hint=hint, id="notifications.W001")]


@register(TAG)
def check_text_sender(**kwargs: Any) -> list[CheckMessage]:
    number, service = settings.TWILIO_FROM, settings.TWILIO_MESSAGING_SERVICE_SID
    errors: list[CheckMessage] = []
    if number and not re.fullmatch(r"\+[1-9]\d{6,14}", number):
        errors.append(Error("TWILIO_FROM is not a number such as +12025550100.", id="notifications.E002"))
    if service and not service.startswith("MG"):
        hint = "The id begins with MG."
        errors.append(
            Error(
                "TWILIO_MESSAGING_SERVICE_SID is not the id of a messaging service.", hint=hint, id="notifications.E003"
            )
        )
    return errors


@register(TAG)
def check_provider_encryption(**kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.TWILIO_API_URL)  # http is fine for a fake provider on this machine
    if settings.SMS_PROVIDER != "twilio" or parts.scheme == "https" or smtp.is_loopback_host(parts.hostname or ""):
        return []
    return [Error("TWILIO_API_URL would send the account's secret in clear.", id="notifications.E004")]


@register(TAG)
def check_mail_sender(**kwargs: Any) -> list[CheckMessage]:
    if re.search(r"[^@\s]+@[^@\s]+", settings.EMAIL_FROM):
        return []
    return [Error("EMAIL_FROM is not an e-mail address.", id="notifications.E005")]


@register(TAG, deploy=True)
def check_mail_sender_domain(**kwargs: Any) -> list[CheckMessage]:
    _name, address = parseaddr(settings.EMAIL_FROM)
    if settings.EMAIL_URL == "inbox" or not address.lower().endswith("@localhost"):
        return []
    hint = "Set EMAIL_FROM to an address of your own domain. Most mail servers treat mail from localhost as spam."
    return [Warning("EMAIL_FROM is an address at localhost.", hint=hint, id="notifications.W002")]
