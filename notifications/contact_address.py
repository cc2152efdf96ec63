"""Addresses as people write them, and as we keep them."""

import hmac
import re
import unicodedata
from collections.abc import Sequence

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

# 00 is how half the world dials abroad; in North America it is 011, which the library knows.
_INTERNATIONAL_PREFIX = re.compile(r"^\s*00(?=[1-9])")
# Letters beyond "tel:" and an extension's mark are prose, in which the library would still find a number.
_PROSE = re.compile(r"[^\W\d_]{2,}")


def normalize_phone(text: str, region: str = "US") -> str:
    """The number in E.164, however it is spelled; national spellings are the region's. Refuses: phone_invalid."""
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("tel:")
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
    """The first of these countries in which the number, as it is spelled, is one; the first of all if it is in none."""
    return next((country for country in countries if _is_number(text, country)), countries[0])


def _is_number(text: str, region: str) -> bool:
    try:
        normalize_phone(text, region)
    except ValidationError:
        return False
    return True


def require_textable(e164: str) -> str:
    """The number, if its country is one that we text. Refuses: phone_country.

    Whoever makes us text codes to numbers far away earns by it (SMS pumping). Some of the countries under +1 are such.
    """
    region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    if region not in settings.SMS_COUNTRIES:
        raise ValidationError(
            _("We cannot send texts to this country. Leave the phone empty and write an e-mail address instead."),
            code="phone_country",
        )
    return e164


def format_phone(e164: str) -> str:
    """The number as people read it: national at home (+1), international elsewhere."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    formats = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, formats.NATIONAL if number.country_code == 1 else formats.INTERNATIONAL)


def normalize_email(text: str) -> str:
    """The address trimmed and in lower case, so that one mailbox has one spelling. Refuses: email_invalid."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    message = _("Write an e-mail address such as ana@example.org.")
    if len(plain) > 254:
        raise ValidationError(message, code="email_invalid")
    EmailValidator(message=message, code="email_invalid")(plain)
    return plain


def compute_identity(address: str) -> str:
    """The keyed hash (hex) of a normalized phone number or mailbox: the same in every organization, never reversed.

    It takes the address's place in the ledger and among the suppressions when a person is erased: a STOP still counts.
    """
    return hmac.digest(settings.IDENTITY_KEY.encode(), address.encode(), "sha256").hex()


def _build_phone_error() -> ValidationError:
    return ValidationError(_("Write a phone number with its area code, such as 213 555 0142."), code="phone_invalid")
