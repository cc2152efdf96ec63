"""The fields of an import, and the column names that we recognize. Pure functions."""

import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Field(models.TextChoices):
    NAME = "name", _("Name")
    FIRST_NAME = "first_name", _("First name")
    LAST_NAME = "last_name", _("Last name")
    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")
    LANGUAGE = "language", _("Language")
    REMINDERS = "reminders", _("Agreed to reminders")
    NEWS = "news", _("Agreed to news")
    CONSENTED_ON = "consented_on", _("Date they agreed")
    TIME = "time", _("Time")
    VISIT = "visit", _("Visit")


BOOKING_FIELDS: Final = (Field.TIME, Field.VISIT)
PERSON_FIELDS: Final = tuple(field for field in Field if field not in BOOKING_FIELDS)
CONSENT_FIELDS: Final = (Field.REMINDERS, Field.NEWS)

# Names in lower case, without accents and punctuation, in English and Spanish. The sample file uses the first name.
_NAMES: Final[Mapping[Field, Sequence[str]]] = {
    Field.NAME: (
        *("name", "full name", "donor", "donor name", "volunteer", "volunteer name", "contact name"),
        *("nombre completo", "nombre y apellido", "nombre y apellidos", "donante", "voluntario"),
    ),
    Field.FIRST_NAME: (
        *("first name", "first", "given name", "forename", "fname"),
        *("nombre", "nombres", "primer nombre", "nombre de pila"),
    ),
    Field.LAST_NAME: (
        *("last name", "last", "surname", "family name", "lname"),
        *("apellido", "apellidos", "primer apellido"),
    ),
    Field.PHONE: (
        *("phone", "phone number", "mobile", "mobile phone", "mobile number", "cell", "cell phone", "cell number"),
        *("telephone", "tel", "phone 1 value", "primary phone", "home phone"),
        *("telefono", "numero de telefono", "celular", "movil", "telefono movil", "telefono celular"),
    ),
    Field.EMAIL: (
        *("e mail", "email", "email address", "e mail address", "mail", "e mail 1 value", "primary email"),
        *("correo", "correo electronico", "direccion de correo", "direccion de correo electronico"),
    ),
    Field.LANGUAGE: ("language", "lang", "preferred language", "idioma", "lengua", "idioma preferido"),
    Field.REMINDERS: (
        *("agreed to reminders", "reminders", "consent", "consent to reminders", "sms consent", "text consent"),
        *("opt in", "sms opt in", "ok to text", "may we text you", "texts ok"),
        *("recordatorios", "consentimiento", "acepto recordatorios", "acepta recordatorios", "acepta mensajes"),
    ),
    Field.NEWS: (
        *("agreed to news", "news", "newsletter", "marketing consent", "consent to news", "updates"),
        *("noticias", "boletin", "novedades", "acepto noticias", "acepta noticias"),
    ),
    Field.CONSENTED_ON: (
        *("date they agreed", "agreed on", "consent date", "date of consent", "consented on", "opt in date"),
        *("fecha en que acepto", "fecha de consentimiento", "fecha del consentimiento"),
    ),
    Field.TIME: (
        *("time", "arrival", "arrival time", "appointment", "appointment time", "start", "start time", "slot"),
        *("hora", "hora de llegada", "cita", "hora de la cita", "inicio"),
    ),
    Field.VISIT: ("visit", "visit type", "first or return", "visita", "tipo de visita"),
}
_LETTERS: Final = string.ascii_uppercase
_FIELDS: Final = {name: field for field, names in _NAMES.items() for name in names}


def find_field(header: str) -> Field | None:
    return _FIELDS.get(_fold(header))


def count_names(cells: Sequence[str]) -> int:
    return len({field for cell in cells if (field := find_field(cell))})


def list_fields(*, has_bookings: bool) -> tuple[Field, ...]:
    return (*BOOKING_FIELDS, *PERSON_FIELDS) if has_bookings else PERSON_FIELDS


def propose_columns(headers: Sequence[str], *, has_bookings: bool = False) -> dict[str, int]:
    """Return the column of each field, found by its name. If a name occurs twice, the first column wins."""
    fields = list_fields(has_bookings=has_bookings)
    proposed: dict[str, int] = {}
    for column, header in enumerate(headers):
        if (field := find_field(header)) and field in fields:
            proposed.setdefault(field.value, column)
    # If there is a column "Last name", "Name" means the first name. Otherwise, "Nombre" means the whole name.
    wanted, other = (Field.FIRST_NAME, Field.NAME) if Field.LAST_NAME in proposed else (Field.NAME, Field.FIRST_NAME)
    if other in proposed:
        proposed.setdefault(wanted.value, proposed.pop(other.value))
    return proposed


def list_column_labels(headers: Sequence[str]) -> list[str]:
    """Return the letter and the name of each column, such as "B: Phone"."""
    return [
        f"{letter}: {header.strip()}" if header.strip() else gettext("%(letter)s (no name)") % {"letter": letter}
        for letter, header in zip(_list_letters(len(headers)), headers, strict=True)
    ]


def _list_letters(count: int) -> list[str]:
    return [(_LETTERS[n // 26 - 1] if n >= 26 else "") + _LETTERS[n % 26] for n in range(count)]


def _fold(header: str) -> str:
    plain = "".join(char for char in unicodedata.normalize("NFKD", header) if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", " ", plain.casefold()).strip()
