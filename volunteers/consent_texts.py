"""The wording that donors agree to when they give a consent, and the version of the wording."""

from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from notifications.models import Purpose
from organizations.models import Organization

CONSENT_VERSION: Final = "2026-11.6"  # change it whenever _CONSENT_TEXTS or their translations change

_CONSENT_TEXTS: Final = {
    "reminders": gettext_noop(
        "Send me reminders about my booking with {name} and a message after my visit, by text or e-mail: about 4"
        " messages per booking. Msg & data rates may apply. Reply STOP to stop, HELP for help. See the terms and the"
        " privacy policy. You can book or join the waiting list without this."
    ),
    "news": gettext_noop(
        "Tell me about upcoming drives by {name}, by text or e-mail: about 2 messages a month. Msg & data rates may"
        " apply. Reply STOP to stop, HELP for help. See the terms and the privacy policy. You can book without this."
    ),
}


def render_consent_text(purpose: str, language: str, organization: Organization) -> tuple[str, str]:
    english = _CONSENT_TEXTS[Purpose(purpose).value]
    with translation.override(language):
        words = gettext(english)
    language_code = settings.LANGUAGE_CODE if words == english else language
    return f"{CONSENT_VERSION}-{language_code}", words.format(name=organization.legal_name or organization.name)
