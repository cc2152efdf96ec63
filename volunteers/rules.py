"""Rules for names, codes, languages and consents."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications import contact_address as phones
from notifications.models import Purpose
from volunteers.models import Contact, ContactKind

T = TypeVar("T")

compute_identity = phones.compute_identity  # a person is identified by the identity of a verified contact

CODE_TRIES: Final = 5
# How many changes a donor may make: to each booking or waitlist entry, and for each contact.
CHANGES_PER_HOUR: Final = 6, timedelta(hours=1)
CHANGES_PER_DAY: Final = 12, timedelta(days=1)
BROWSER_LIFETIME: Final = timedelta(days=30)
VERIFICATION_VALID_FOR: Final = timedelta(minutes=15)
NEWS_SOURCE: Final = "news"  # of a registration that asks for news and books nothing
UNASSIGNED_LIFETIME: Final = timedelta(days=1)  # of a registration without a volunteer
MAX_PEOPLE_PER_CONTACT: Final = 8
CODES_PER_CONTACT: Final = 3, timedelta(minutes=15)
CODES_PER_CONTACT_PER_DAY: Final = 8, timedelta(days=1)
# A whole building, or a town on a carrier's network, may share one IP address. So only codes that are never entered
# count: donors enter their codes, but fraudsters who request texts to other people's numbers (SMS pumping) do not.
# By the length of an IPv6 prefix, or "" for an IPv4 address. An internet provider gives a customer a /64, /56 or /48.
CODES_NOT_ENTERED_PER_HOUR: Final = {"": 40, "64": 40, "56": 60, "48": 80}
NETWORK_WINDOW: Final = timedelta(hours=1)
# Before a code is entered, a network may hold a quarter of a drive's spots at the same time, but always a whole party.
# A hold counts in each window in which it exists.
UNVERIFIED_SHARE: Final = 4
MIN_UNVERIFIED_SPOTS: Final = 6
UNVERIFIED_WINDOW: Final = timedelta(minutes=15)
CODE_BUDGET_WINDOW: Final = timedelta(days=1)
RESERVED_SHARE: Final = 5  # a fifth of each budget for codes is for known contacts
SEARCH_CODES_PER_DAY: Final = 2_000  # for each channel, codes to find bookings, for the whole service

_PURPOSES: Final = Purpose.values
_NAME_LENGTH: Final = 120
# The most characters that forms and the API accept, before the text is cleaned.
NAME_MAX_TYPED: Final = 200
PHONE_MAX_TYPED: Final = 60
EMAIL_MAX_TYPED: Final = 254
# Words before a period that is followed by a name without a space: "Dr.Ana", "Mohd.Ali".
_ABBREVIATIONS: Final = re.compile(
    r"(?i)abd|chas|dra?|fr|geo|hon|jas|jr|ma|md|mohd?|mrs?|ms|muh|mx|prof|rev|robt|sra?|srta|sta?|ste|sto|thos|wm"
)
_RELATIONS: Final = re.compile(r"(?i)(?<!\S)(?:a/[lp]|[bcdfhmsw]/o)(?!\S)")  # "son of" and others, as in "a/l"
_ADDRESS: Final = re.compile(
    r"(?i)[/\\<>]|\bwww\.|@\S*\.|\bmailto:"
    r"|\w\.(?:ai|app|biz|cc|click|club|co|com|dev|edu|gg|gl|gov|info|io|link|live|ly|me|net|online|org|page|ru|sh|shop"
    r"|site|store|top|tv|uk|us|vip|web|xyz)\b"
)
_DOTTED: Final = re.compile(r"([\w-]+)\.(?=([^\W\d_])[^\W\d_])")
_DOT_VARIANTS: Final = str.maketrans("。｡．", "...", phones.JOINERS)


def require_may_consent(contact: Contact | None, volunteer_id: int, purpose: str, *, stopped: bool) -> None:
    """Refuse a consent that this volunteer cannot give for this contact (None if deleted).

    - unverified: the volunteer must own the contact and have verified it, so that no donor can consent for another
      person's number; reminders to a mailbox without an owner are allowed
    - stopped: after a STOP, only a START lifts the carrier's block
    """
    if stopped:
        raise ValidationError(_("First, text START to the number our texts come from."), code="stopped")
    is_contact_owner = contact is not None and contact.owner_id == volunteer_id and contact.verified_at is not None
    to_mailbox = contact is not None and contact.kind == ContactKind.EMAIL and contact.owner_id in {None, volunteer_id}
    if not is_contact_owner and not (to_mailbox and purpose == Purpose.REMINDERS):
        raise ValidationError(
            _("Book with this phone number or e-mail address first, so we know it’s yours."), code="unverified"
        )


def clean_name(text: str, *, is_own_name: bool = True) -> str:
    """Return the name on one line, without control, separator and bidirectional characters. Refuses by code.

    - name_missing: no letter
    - name_too_long: more than 120 characters
    - name_has_link: a URL, because names are sent in texts
    """
    name = unicodedata.normalize("NFC", phones.clean_line(text, kept=phones.JOINERS))
    if not any(char.isalpha() for char in name):
        message = _("Enter your name.") if is_own_name else _("Enter this person’s name.")
        raise ValidationError(message, code="name_missing")
    if len(name) > _NAME_LENGTH:
        raise ValidationError(_("Enter a name of at most 120 characters."), code="name_too_long")
    if _has_link(name):
        message = _("Names can’t contain a web address. If the name has a period, put a space after it.")
        raise ValidationError(message, code="name_has_link")
    return name


def parse_contact_address(text: str, countries: Sequence[str]) -> str:
    """Normalize a phone number (to E.164) or an e-mail address, which donors type into the same field.

    A national number is taken to be from the first of these countries in which it is valid. Refuses text that is
    neither of the two, and a phone number from a country that we do not text.
    """
    typed = phones.clean_compatible_line(text)
    if not typed:
        raise ValidationError(_("Enter a phone number or an e-mail address."), code="contact_missing")
    if "@" in typed:
        return phones.normalize_email(typed)
    return phones.require_textable(phones.normalize_phone(typed, phones.find_country(typed, countries)))


def parse_code(text: str) -> str:
    # A pasted code may contain spaces, any kind of dash, other punctuation and invisible characters.
    shown = [char for char in phones.clean_line(text) if unicodedata.category(char)[0] not in "PZ"]
    if len(shown) != 6 or not all(char.isdecimal() for char in shown):
        return ""
    return "".join(str(unicodedata.decimal(char)) for char in shown)


def parse_language(text: str, default: str) -> str:
    if not text:
        return default
    base = text.replace("_", "-").split("-")[0].lower()
    if base not in dict(settings.LANGUAGES):
        raise ValidationError(_("Choose one of the available languages."), code="language_unknown")
    return base


def parse_purposes(ticked: Sequence[str]) -> list[str]:
    if unknown := set(ticked) - set(_PURPOSES):
        raise ValidationError(
            _("There is no such type of consent. Send only “reminders” and “news”."),
            code="consent_unknown",
            params={"unknown": unknown},
        )
    return [purpose for purpose in _PURPOSES if purpose in ticked]


def parse_self_check(codes: Sequence[str]) -> list[str]:
    # `drives.eligibility.self_check` checks the codes against the policy when the donor books.
    if len(codes) > 30 or not all(re.fullmatch(r"[a-z0-9_.-]{1,40}", code) for code in codes):
        raise ValidationError(
            _("One of the self-check codes is not valid. Send the codes that the drive lists."),
            code="confirmation_unknown",
        )
    return list(dict.fromkeys(codes))


def compute_networks(ip: str | None) -> list[tuple[str, str]]:
    """Return the networks of an IP address as (prefix length, network), the narrowest first.

    An IPv4 address is one network. An invalid address has none.
    """
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return []
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return [("", str(address.ipv4_mapped))]
        prefixes = (64, 56, 48)
        return [(str(length), str(ipaddress.ip_network((address.packed, length), strict=False))) for length in prefixes]
    return [("", str(address))]


def compute_unverified_spots(spots: int) -> int:
    return max(MIN_UNVERIFIED_SPOTS, spots // UNVERIFIED_SHARE)


@dataclass
class FieldErrors:
    """Collects the errors of all fields, so that the donor sees all errors at the same time."""

    by_field: dict[str, list[ValidationError]] = field(default_factory=dict)

    def collect(self, name: str, rule: Callable[[], T], default: T) -> T:
        try:
            return rule()
        except ValidationError as problem:
            self.by_field[name] = [problem]
            return default

    def raise_errors(self) -> None:
        if self.by_field:
            raise ValidationError(self.by_field)


@dataclass(frozen=True)
class PersonDetails:
    name: str
    phone: str
    phone_as_typed: str
    email: str
    language: str


def clean_details(
    errors: FieldErrors,
    *,
    name: str,
    phone: str,
    email: str,
    language_code: str,
    country: str,
    is_own_name: bool = True,
) -> PersonDetails:
    typed_phone, typed_email = phones.clean_line(phone), phones.clean_line(email)
    if not typed_phone and not typed_email:
        message = _("Enter a phone number or an e-mail address.")
        errors.by_field["phone"] = [ValidationError(message, code="contact_missing")]
    return PersonDetails(
        name=errors.collect("name", lambda: clean_name(name, is_own_name=is_own_name), ""),
        phone=errors.collect("phone", lambda: phones.normalize_phone(typed_phone, country), "") if typed_phone else "",
        phone_as_typed=typed_phone[:40],
        email=errors.collect("email", lambda: phones.normalize_email(typed_email), "") if typed_email else "",
        language=errors.collect("language", lambda: parse_language(language_code, ""), ""),
    )


def _has_link(name: str) -> bool:
    # Normalize first, because phones turn even full-width letters and dots into links, and ignore joiners.
    seen = unicodedata.normalize("NFKC", name).translate(_DOT_VARIANTS)
    return bool(_ADDRESS.search(_RELATIONS.sub("", seen)) or not all(map(_is_dotted_name, _DOTTED.finditer(seen))))


def _is_dotted_name(match: re.Match[str]) -> bool:
    # "J.Smith", "St.John" and "Jo.Anne" are names. "Ana.Alder" could be a domain.
    before, after = match.groups()
    return bool(len(before) == 1 or _ABBREVIATIONS.fullmatch(before) or (len(before) == 2 and after.isupper()))
