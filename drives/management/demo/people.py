"""The donors of the demo: made-up names, numbers kept for fiction (555 01xx), mail of example.org."""

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
    """Somebody who does not exist. The `number` tells them apart and decides what they are like."""

    number: int
    name: str
    phone: str
    email: str
    language: str
    consents: tuple[str, ...]


def build_donors(numbers: range, areas: Sequence[str]) -> list[DemoDonor]:
    """The donors of these numbers (0 to 199): six of ten with phone and mailbox, three by phone, one by mail only."""
    return [_donor(number, areas) for number in numbers]


def _donor(number: int, areas: Sequence[str]) -> DemoDonor:
    given, tree = _GIVEN[number % len(_GIVEN)], _TREES[number // len(_GIVEN)]
    line, way = 100 + number // len(areas), number % 10
    reminders = ("reminders",) if number % 7 else ()
    news = ("news",) if number % 3 == 0 else ()
    return DemoDonor(
        number=number,
        name=f"Test {given} {tree}",
        phone=f"+1{areas[number % len(areas)]}555{line:04}" if way != 9 else "",
        email=f"{given}.{tree}@example.org".lower() if way < 6 or way == 9 else "",
        language="es" if number % 5 == 3 else "en",
        consents=reminders + news,
    )
