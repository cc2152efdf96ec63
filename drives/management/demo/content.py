"""Names and texts for the demo's organizations, causes and sites."""

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
        "timezone": "America/Los_Angeles",
        "accent": "#8a2d3b",
    },
    HARBOR: {
        "name": "Harbor Lights Foundation",
        "sms_name": "Harbor Lights",
        "email": "harbor@example.org",
        "phone": "+12125550198",
        "timezone": "America/New_York",
        "accent": "#1f4e5c",
    },
}
SENDER_NUMBERS = {RHYTHM: "+13105550199", HARBOR: "+16465550199"}  # senders, by organization
MEMBERS = {
    RHYTHM: [("ben", "owner"), ("dana", "coordinator"), ("eli", "check_in"), ("vera", "viewer")],
    HARBOR: [("cleo", "owner")],
}
COORDINATORS = {RHYTHM: "ben", HARBOR: "cleo"}  # user names, by organization
CHECK_IN_HELPERS = {RHYTHM: "eli", HARBOR: "cleo"}  # user names, by organization


Text = str | dict[str, str]  # in the main language, or by language
FOUNDATION_WEBSITE = "Rhythm of Life Foundation, website"


@dataclass(frozen=True)
class CauseContent:
    title: Text
    summary: Text
    story: Text
    condition: Text = ""
    need: Text = ""
    learn_more_url: str = ""
    run_url: str = ""
    facts: tuple[tuple[Text, str, str], ...] = ()  # each with the name and the URL of its source


CAUSES = {
    RHYTHM: CauseContent(
        title="Running for Zoe",
        summary={
            "en": "For children with opsoclonus myoclonus syndrome (OMS): your plasma becomes medicine.",
            "es": "Por los niños con síndrome de opsoclonus mioclonus (OMS): su plasma se convierte en medicina.",
        },
        story={
            "en": "## Meet Zoe\n\nThe Rhythm of Life Foundation, also known as “Running for Zoe,” raises awareness of"
            " opsoclonus myoclonus syndrome (OMS), a rare autoimmune disease of young children.\n\nThe foundation"
            " raises funds for the **Division of Neurology of Children’s Hospital Los Angeles**, holds the *Run for"
            " Zoe*, and tells families about treatments and research, among them the PLEX (plasma exchange) research"
            " program.\n\nYou can [meet Zoe on the foundation’s website](http://www.runningforzoe.com/).",
            "es": "## Conozca a Zoe\n\nLa fundación Rhythm of Life, también conocida como “Running for Zoe”, da a"
            " conocer el síndrome de opsoclonus mioclonus (OMS), una enfermedad autoinmune rara de niños"
            " pequeños.\n\nLa fundación reúne fondos para la **División de Neurología del Children’s Hospital Los"
            " Angeles**, organiza la carrera *Run for Zoe* e informa a las familias sobre tratamientos e"
            " investigación, entre ellos el programa de investigación PLEX (recambio plasmático).\n\n[Conozca a Zoe en"
            " el sitio web de la fundación](http://www.runningforzoe.com/).",
        },
        condition={
            "en": "In OMS, the body’s immune system attacks the brain. **Opsoclonus** means that both eyes dart"
            " involuntarily. **Myoclonus** means brief muscle jerks. At the peak of the illness, it is difficult or"
            " impossible for a child to sit or stand.",
            "es": "En el OMS, el sistema inmunitario del cuerpo ataca al cerebro. **Opsoclonus** significa que los dos"
            " ojos se mueven sin control. **Mioclonus** significa sacudidas breves de los músculos. En el peor momento,"
            " al niño le resulta difícil o imposible sentarse o ponerse de pie.",
        },
        need={
            "en": "One of the treatments is immunoglobulin. It is made from plasma that people donate.",
            "es": "Uno de los tratamientos es la inmunoglobulina. Se hace con plasma que donan otras personas.",
        },
        learn_more_url="http://www.runningforzoe.com/OMS-Defined.html",
        run_url="http://www.runningforzoe.com/",
        facts=(
            (
                {
                    "en": "OMS affects as few as 1 in 10,000,000 people a year.",
                    "es": "El OMS afecta a tan solo 1 de cada 10 millones de personas al año.",
                },
                FOUNDATION_WEBSITE,
                "http://www.runningforzoe.com/",
            ),
            (
                {
                    "en": "Most children are less than two years old at diagnosis.",
                    "es": "La mayoría de los niños tiene menos de dos años cuando recibe el diagnóstico.",
                },
                FOUNDATION_WEBSITE,
                "http://www.runningforzoe.com/OMS-Defined.html",
            ),
            (
                {
                    "en": "The wait for a pediatric neurologist can be six months.",
                    "es": "La espera para ver a un neurólogo pediátrico puede ser de seis meses.",
                },
                FOUNDATION_WEBSITE,
                "http://www.runningforzoe.com/",
            ),
        ),
    ),
    HARBOR: CauseContent(
        title="Plasma for our neighbors",
        summary="For everyone in our city who needs medicine made from plasma.",
        story="This foundation is made up, so that the demo has two. Each one sees only its own drives and donors.",
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
            "arrival_note": "Park in the lot on the north side. The hall is on the ground floor.",
        },
    ],
    HARBOR: [
        {
            "name": "Lantern Pier Hall",
            "sms_name": "Lantern Pier Hall",
            "address": "7 Example Pier",
            "postal_code": "10001",
            "arrival_note": "Two minutes’ walk from the ferry landing.",
        }
    ],
}
LOCATIONS = {
    RHYTHM: {"city": "Los Angeles", "region": "CA"},
    HARBOR: {"city": "New York", "region": "NY"},
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
    "en": "Come once or make it a habit. Every donation helps. Eat and drink well before you come, and"
    " bring something to read. Our helpers are there for you all day.",
    "es": "Venga una sola vez o hágalo costumbre: cada donación ayuda. Coma y beba bien antes de venir y traiga algo"
    " para leer. Nuestros voluntarios están con usted todo el día.",
}
BRING = {
    "en": "Photo ID, proof of address, a warm sweater",
    "es": "Identificación con foto, comprobante de domicilio, un suéter",
}
OWN_TASK = {"en": "Order cookies and juice", "es": "Pedir galletas y jugo"}
