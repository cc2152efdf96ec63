"""Clean text that people type or paste, and normalize, format and hash phone numbers and e-mail addresses."""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import idna
import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

JOINERS: Final = "\u200c\u200d"  # Persian and Indic names need them
# Invisible and blank characters that Unicode counts as letters, marks or symbols.
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# Many countries dial 00 for international calls. For a North American number, the library accepts only 011.
_INTERNATIONAL_PREFIX = re.compile(r"^\s*00(?=[1-9])")
# Refuse sentences, because the library would accept a number inside one.
_PROSE = re.compile(r"[^\W\d_]{2,}")
# Labels that people and address books add to a number: "(cell)", "mobile:".
_PHONE_LABEL = re.compile(
    r"\([^()\d]*\)|\b(?:cell|mobile|phone|tel|home|work|cel|celular|m[oó]vil|tel[eé]fono|casa|trabajo)\b[.:]?",
    re.IGNORECASE,
)
_AROUND_EMAIL = " <>()[],;:."  # characters that are pasted along with an e-mail address


def clean_line(text: str, *, kept: str = "") -> str:
    """Return the text on one line, without invisible and bidirectional characters, except those in `kept`."""
    return " ".join("".join(_clean_character(char, kept) for char in text).split())


def clean_compatible_line(text: str) -> str:
    """Return the text on one line, with full-width letters, digits and signs replaced by plain ones."""
    return clean_line(unicodedata.normalize("NFKC", text))


def split_words(typed: str) -> list[str]:
    """Split a typed search into words. Punctuation that stands alone, such as a dash, is not a word."""
    return [word for word in typed.split() if any(char.isalnum() for char in word)]


def _clean_character(char: str, kept: str) -> str:
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "" if (category[0] == "C" or char in _BLANK) and char not in kept else char


def normalize_phone(text: str, region: str = "US") -> str:
    """Return the number in E.164. Refuses: phone_invalid.

    A number without a country code is taken to be from `region`.
    """
    plain = _PHONE_LABEL.sub(" ", clean_compatible_line(text)).strip()
    if _PROSE.search(plain):
        raise _build_phone_error()
    try:
        number = phonenumbers.parse(_INTERNATIONAL_PREFIX.sub("+", plain), region)
    except phonenumbers.NumberParseException:
        raise _build_phone_error() from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise _build_phone_error()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def find_country(text: str, countries: Sequence[str]) -> str:
    return next((country for country in countries if _is_number(text, country)), countries[0])


def _is_number(text: str, region: str) -> bool:
    try:
        normalize_phone(text, region)
    except ValidationError:
        return False
    return True


def require_textable(e164: str) -> str:
    """Return the number if we send texts to its country. Refuses: phone_country.

    Fraudsters earn money from codes sent to expensive countries (SMS pumping). Some of these countries use +1, as the
    US does.
    """
    region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    if region not in settings.SMS_COUNTRIES:
        raise ValidationError(
            _("We can’t send texts to this country. Leave the phone number empty and enter an e-mail address instead."),
            code="phone_country",
        )
    return e164


# Cached, because lists of donors show the same numbers again and again, and the library is slow.
@lru_cache(maxsize=4096)
def format_phone(e164: str) -> str:
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    formats = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, formats.NATIONAL if number.country_code == 1 else formats.INTERNATIONAL)


def mask_contact(address: str) -> str:
    """Mask a contact: "a…@example.org" for an e-mail address, "…42" for a phone number."""
    name, _at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}" if domain else f"…{name[-2:]}"


def normalize_email(text: str) -> str:
    """Return the address in lower case, with an ASCII domain (IDNA 2008), as mail servers require.

    Refuses: email_invalid.
    """
    message = _("Enter an e-mail address, for example ana@example.org.")
    plain = clean_compatible_line(text).lower().removeprefix("mailto:").strip(_AROUND_EMAIL)
    mailbox, at, domain = plain.rpartition("@")
    try:
        # Keep an ASCII domain as it is, because the library refuses some that exist.
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise ValidationError(message, code="email_invalid") from None
    address = f"{mailbox}{at}{domain}"
    if len(address) > 254:
        raise ValidationError(message, code="email_invalid")
    EmailValidator(message=message, code="email_invalid")(address)
    return address


def compute_identity(address: str) -> str:
    """Return the keyed hash (hex) of a normalized phone number or e-mail address, the same in every organization.

    When a person is erased, the hash replaces the contact in the ledger and in suppressions, so that a STOP stays in
    force.
    """
    return hmac.digest(settings.IDENTITY_KEY.encode(), address.encode(), "sha256").hex()


def _build_phone_error() -> ValidationError:
    return ValidationError(
        _("Enter a phone number with its area code, for example 213 555 0142."), code="phone_invalid"
    )
