"""Names and texts of the demo's organizations, causes and sites."""

from dataclasses import dataclass
from typing import Any

# The password and the key are public, so they are created only with DEMO on.
PASSWORD = "running-for-zoe-demo"  # noqa: S105
API_KEY = "pd_demo_a-key-for-the-demo-and-nothing-else"

RHYTHM = "rhythm-of-life"
HARBOR = "harbor-lights"

ORGANIZATIONS: dict[str, dict[str, Any]] = {
    RHYTHM: {
        "name": "Rhythm of Life Foundation",
        "sms_name": "Rhythm of Life",
        "email": "office@example.org",
        "phone": "+12135550198",
        "accent": "#8a2d3b",
    },
    HARBOR: {
        "name": "Harbor Lights Foundation",
        "sms_name": "Harbor Lights",
        "email": "harbor@example.org",
        "phone": "+12125550198",
        "accent": "#1f4e5c",
    },
}
SENDER_NUMBERS = {RHYTHM: "+13105550199", HARBOR: "+16465550199"}  # the numbers from which they send texts
MEMBERS = {
    RHYTHM: [("ben", "owner"), ("dana", "coordinator"), ("eli", "check_in"), ("vera", "viewer")],
    HARBOR: [("cleo", "owner")],
}
COORDINATORS = {RHYTHM: "ben", HARBOR: "cleo"}  # they plan the drives
CHECK_IN_HELPERS = {RHYTHM: "eli", HARBOR: "cleo"}  # they check donors in


@dataclass(frozen=True)
class CauseContent:
    title: str
    summary: str
    story: str
    facts: tuple[tuple[str, str], ...] = ()


CAUSES = {
    RHYTHM: CauseContent(
        title="Running for Zoe",
        summary="For children with opsoclonus myoclonus syndrome (OMS): your plasma becomes their medicine.",
        story=(
            "The Rhythm of Life Foundation raises awareness of opsoclonus myoclonus syndrome (OMS), an auto-immune"
            " disease of toddlers. It is treated, among others, with immunoglobulin, and immunoglobulin is made from"
            " donated plasma.\n\nThe foundation also raises funds for the Division of Neurology of Children's Hospital"
            " Los Angeles."
        ),
        facts=(
            ("OMS is an auto-immune disease of toddlers.", "Rhythm of Life Foundation"),
            ("It is treated, among others, with immunoglobulin made from donated plasma.", "Rhythm of Life Foundation"),
            (
                "A first donation can be used once the donor has given again: two tested donations qualify a donor.",
                "Rhythm of Life Foundation",
            ),
            ("Of sixty people who book, about forty give.", "Planning rule of the American Red Cross"),
        ),
    ),
    HARBOR: CauseContent(
        title="Plasma for our neighbors",
        summary="For all people in our city who need medicine made from plasma.",
        story="A made-up foundation, so that this demo has two: each sees its own drives and its own donors only.",
    ),
}

SITES: dict[str, list[dict[str, Any]]] = {
    RHYTHM: [
        {
            "name": "Jacaranda Hall",
            "sms_name": "Jacaranda Hall",
            "address": "100 Example Avenue",
            "postal_code": "90001",
            "arrival_note": "The entrance is in the courtyard, behind the blue gate.",
        },
        {
            "name": "Sycamore Community Center",
            "sms_name": "Sycamore Center",
            "address": "2400 Sample Boulevard",
            "postal_code": "90002",
            "arrival_note": "Park in the lot on the north side; the hall is on the ground floor.",
        },
    ],
    HARBOR: [
        {
            "name": "Lantern Pier Hall",
            "sms_name": "Lantern Pier Hall",
            "address": "7 Example Pier",
            "postal_code": "10001",
            "arrival_note": "Two minutes on foot from the ferry landing.",
        }
    ],
}
LOCATIONS = {
    RHYTHM: {"city": "Los Angeles", "region": "CA", "timezone": "America/Los_Angeles"},
    HARBOR: {"city": "New York", "region": "NY", "timezone": "America/New_York"},
}
CENTERS = {
    RHYTHM: {
        "name": "Example Plasma Center",
        "phone": "+12135550197",
        "required_documents": "photo ID, proof of address",
    },
    HARBOR: {"name": "Example Blood Service", "phone": "+12125550197", "required_documents": "photo ID"},
}
DRIVE_TITLES = {RHYTHM: "Plasma drive for Zoe", HARBOR: "Harbor Lights plasma drive"}
EVENING_TITLE = "Plasma evening for Zoe"
DESCRIPTION = {
    "en": "Come for one visit or make it your habit: every donation helps. Eat and drink well before you come, and"
    " bring something to read. Our helpers are there for you all day.",
    "es": "Venga una sola vez o hágalo costumbre: cada donación ayuda. Coma y beba bien antes de venir y traiga algo"
    " para leer. Nuestros voluntarios están con usted todo el día.",
}
BRING = {
    "en": "Photo ID, proof of address, a warm sweater",
    "es": "Identificación con foto, comprobante de domicilio, un suéter",
}
