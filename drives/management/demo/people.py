"""The demo's donors, with made-up names, phone numbers reserved for fiction (555-01xx) and e-mail at example.org."""

from collections.abc import Sequence
from dataclasses import dataclass

_GIVEN = (
    "Ana", "Bo", "Carmen", "Dev", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jin",
    "Kofi", "Lena", "Mateo", "Noor", "Olga", "Pablo", "Quinn", "Rosa", "Sami", "Tess",
)  # fmt: skip
_TREES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ironwood", "Juniper")
LOS_ANGELES = ("213", "310", "323", "424", "562", "626", "747", "818")
NEW_YORK = ("212", "332", "347", "516", "646", "718", "914", "917")


@dataclass(frozen=True)
class DemoDonor:
    """A made-up donor. `number` determines the contacts, language and consents."""

    number: int
    name: str
    phone: str
    email: str
    language: str
    consents: tuple[str, ...]


def build_donors(numbers: range, areas: Sequence[str]) -> list[DemoDonor]:
    """Build donors. Of every ten, six have phone and e-mail, three have only a phone, and one has only e-mail."""
    return [_build_donor(number, areas) for number in numbers]


def _build_donor(number: int, areas: Sequence[str]) -> DemoDonor:
    given, tree = _GIVEN[number % len(_GIVEN)], _TREES[number // len(_GIVEN)]
    last_digits, contact_kind = 100 + number // len(areas), number % 10
    reminders = ("reminders",) if number % 7 else ()
    news = ("news",) if number % 3 == 0 else ()
    return DemoDonor(
        number=number,
        name=f"Test {given} {tree}",
        phone=f"+1{areas[number % len(areas)]}555{last_digits:04}" if contact_kind != 9 else "",
        email=f"{given}.{tree}@example.org".lower() if contact_kind < 6 or contact_kind == 9 else "",
        language="es" if number % 5 == 3 else "en",
        consents=reminders + news,
    )
