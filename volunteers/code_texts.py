"""The text and the e-mail that contain a verification code."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from notifications import message_content
from notifications.message_content import MessageContent
from notifications.models import Channel
from organizations.models import Organization

_CODE_PURPOSES: Final = {
    "booking": gettext_noop("to confirm your time with {name}"),
    "waitlist": gettext_noop("to join a waiting list with {name}"),
    "news": gettext_noop("to hear about the next drives by {name}"),
    "find": gettext_noop("to see your bookings with {name}"),
    "contact": gettext_noop("to verify that this e-mail address is yours, so that {name} can write to you here"),
}


def render_code_message(
    organization: Organization, channel: str, language: str, digits: str, about: str
) -> MessageContent:
    """Render a code as a text of one GSM-7 segment, or as an e-mail that says what the code is for.

    `about` is what the code is for: "booking:7", "waitlist:7", "news:7", "find" or "contact".
    """
    with translation.override(language):
        if channel == Channel.SMS:
            return MessageContent(text=_render_code_text(organization, digits))
        why = gettext(_CODE_PURPOSES[about.partition(":")[0]]).format(name=organization.name)
        subject = gettext("{code} is your {name} code").format(code=digits, name=organization.name)
        first = gettext("{code} is your code {why}.").format(code=digits, why=why)
        then = gettext(
            "It expires in 10 minutes. Do not share it. If you didn't ask for it, you don't need to do anything."
        )
        return MessageContent(text=f"{first}\n\n{then}\n", subject=subject)


def _render_code_text(organization: Organization, digits: str) -> str:
    words = gettext("{code} is your {name} code. It expires in 10 minutes. Do not share it.")
    text = message_content.convert_to_gsm(words.format(code=digits, name=organization.sms_name))
    # The last line lets phones fill in the code on this site only. It is omitted if it would need a second segment.
    bound_text = f"{text}\n@{urlsplit(settings.BASE_URL).hostname} #{digits}"
    return bound_text if message_content.count_segments(bound_text) == 1 else text
