"""What is said about proving and consenting. Texts are data, with versions."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from notifications import notice
from notifications.models import Channel, Purpose
from notifications.notice import Wording
from organizations.models import Organization

CONSENT_VERSION: Final = "2026-11.3"  # another one whenever a word of _CONSENT is another

_CODE: Final = {
    "en": "{code} is your {name} code. It expires in 10 minutes. Do not share it.",
    "es": "{code} es su código de {name}. Vence en 10 minutos. No lo comparta.",
}
_SUBJECT: Final = {"en": "{code} is your {name} code", "es": "{code} es su código de {name}"}
_MAIL: Final = {
    "en": "{code} is your code {why}.\n\n"
    "It expires in 10 minutes. Do not share it. If you did not ask for it, you need do nothing.\n",
    "es": "{code} es su código {why}.\n\n"
    "Vence en 10 minutos. No lo comparta. Si no lo ha pedido, no tiene que hacer nada.\n",
}
_WHY: Final = {
    "booking": {"en": "to confirm your time with {name}", "es": "para confirmar su hora con {name}"},
    "waiting": {
        "en": "to join a waiting list of {name}",
        "es": "para apuntarse a una lista de espera de {name}",
    },
    "find": {"en": "to see your bookings with {name}", "es": "para ver sus citas con {name}"},
    "contact": {
        "en": "to confirm that this mailbox is yours, so that {name} can write to you here",
        "es": "para confirmar que este correo es suyo, y que {name} pueda escribirle aquí",
    },
}
_CONSENT: Final = {
    ("reminders", "en"): "Send me messages about my booking or my place on the waiting list with {name}, by text or"
    " e-mail: about 4 messages per booking. Msg & data rates may apply. Reply STOP to stop, HELP for help. See the"
    " terms and the privacy policy. You can book or wait without this.",
    ("reminders", "es"): "Envíenme mensajes sobre mi cita o mi turno en la lista de espera con {name}, por mensaje de"
    " texto o correo: unos 4 mensajes por cita. Pueden aplicarse tarifas de mensajes y datos (Msg & data rates may"
    " apply). Responda STOP para no recibir más, HELP para ayuda. Consulte las condiciones y la política de privacidad."
    " Puede reservar o esperar turno sin esto.",
    ("appeals", "en"): "Tell me about coming drives of {name}, by text or e-mail: about 2 messages a month. Msg & data"
    " rates may apply. Reply STOP to stop, HELP for help. See the terms and the privacy policy. You can book without"
    " this.",
    ("appeals", "es"): "Avísenme de las próximas jornadas de {name}, por mensaje de texto o correo: unos 2 mensajes al"
    " mes. Pueden aplicarse tarifas de mensajes y datos (Msg & data rates may apply). Responda STOP para no recibir"
    " más, HELP para ayuda. Consulte las condiciones y la política de privacidad. Puede reservar sin esto.",
}


def code(organization: Organization, channel: str, language: str, digits: str, about: str) -> Wording:
    """The message that carries a code: one GSM-7 segment, or a mail that says what the code is for.

    `about` is that of the message: "booking:7", "waiting:7", "find", "contact".
    """
    if channel == Channel.SMS:
        return Wording(text=_code_text(organization, language, digits))
    why = _in(language, _WHY[about.partition(":")[0]]).format(name=organization.name)
    words = {"code": digits, "name": organization.name, "why": why}
    return Wording(text=_in(language, _MAIL).format(**words), subject=_in(language, _SUBJECT).format(**words))


def consent_wording(purpose: str, language: str, organization: Organization) -> tuple[str, str]:
    """The version and the words beside an un-ticked box of consent, as kept in the ledger."""
    spoken = language if (purpose, language) in _CONSENT else "en"
    programme = organization.legal_name or organization.name
    return f"{CONSENT_VERSION}-{spoken}", _CONSENT[Purpose(purpose).value, spoken].format(name=programme)


def _code_text(organization: Organization, language: str, digits: str) -> str:
    text = notice.gsm(_in(language, _CODE).format(code=digits, name=organization.sms_name))
    # The last line lets phones fill the code in, on this host only. A host too long for the segment does without.
    bound = f"{text}\n@{urlsplit(settings.BASE_URL).hostname} #{digits}"
    return bound if notice.segments(bound) == 1 else text


def _in(language: str, texts: dict[str, str]) -> str:
    return texts.get(language, texts["en"])
