"""A developer adds German with only a .po file. Donors and coordinators can then use it."""

import json
import struct
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config import languages
from drives.models import Drive
from notifications.models import Message
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.caller import Api
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

TEXTS = {
    "": "Content-Type: text/plain; charset=UTF-8\n",
    "Bring": "Mitbringen",
    "Photo ID": "Ausweis",
    "{code} is your {name} code. It expires in 10 minutes. Do not share it.": (
        "{code} ist Ihr Code von {name}. Er gilt 10 Minuten. Geben Sie ihn nicht weiter."
    ),
}


def add_language(catalogs: Path, code: str) -> None:
    source = catalogs / code / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    entries = [f"msgid {json.dumps(one)}\nmsgstr {json.dumps(other)}\n" for one, other in TEXTS.items()]
    source.write_text("\n".join(entries))
    texts = [text.encode() for text in (*TEXTS, *TEXTS.values())]
    starts = accumulate((len(text) + 1 for text in texts), initial=28 + 8 * len(texts))
    table = [number for text, start in zip(texts, starts, strict=False) for number in (len(text), start)]
    head = struct.pack("<7I", 0x950412DE, 0, len(TEXTS), 28, 28 + 8 * len(TEXTS), 0, 0)
    source.with_suffix(".mo").write_bytes(head + struct.pack(f"<{len(table)}I", *table) + b"\0".join(texts) + b"\0")


@pytest.fixture
def german(tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    add_language(tmp_path, "de")
    settings.LOCALE_PATHS = [tmp_path, *settings.LOCALE_PATHS]
    settings.LANGUAGES = languages.find_languages(*settings.LOCALE_PATHS)
    yield
    translation.activate("en")


@pytest.mark.usefixtures("german")
def test_a_drive_is_planned_and_booked_in_a_third_language() -> None:
    here = builders.organization()
    ben = coordinator.signed_in(builders.member(here))
    form = ben.get("/organizer/drives/new/").content.decode()
    assert 'name="title_de"' in form
    assert 'value="Ausweis" lang="de"' in form
    typed = coordinator.typed(
        builders.site(here), builders.policy(), title_de="Plasmatag", bring_de="Ausweis", save="1"
    )
    assert ben.post("/organizer/drives/new/", typed).status_code == 302
    drive = Drive.objects.get()
    assert drive.title.texts == {"en": "Plasma drive", "de": "Plasmatag"}
    ben.post(reverse("organizer_publish_drive", args=[drive.pk]))

    page = Client(headers={"accept-language": "de"}).get(reverse("drive", args=[drive.slug]))
    assert '<html lang="de">' in page.content.decode()
    assert "Plasmatag" in text(page)
    assert "Mitbringen" in text(page)

    donor = Api(accept_language="de")
    booked = donor.book(slot=str(builders.slot(drive).pk), language="de")
    assert booked.status_code == 201
    message = Message.objects.get(kind="code")
    assert message.language == "de"
    assert "ist Ihr Code von Hope Foundation." in message.text
    assert donor.get(f"drives/{drive.pk}/").json()["title"] == "Plasmatag"


@pytest.mark.usefixtures("german")
def test_the_api_plans_in_a_third_language() -> None:
    drive = builders.drive(published=False)
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"
    title = {"en": "Plasma drive", "de": "Plasmatag"}
    changed = api.patch(path, {"title": title}, **{"If-Match": api.get(path)["ETag"]})
    assert changed.json()["plan"]["title"] == title


def test_without_its_file_the_language_is_not_offered() -> None:
    drive = builders.drive(published=False)
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"
    refused = api.patch(path, {"title": {"en": "x", "de": "y"}}, **{"If-Match": api.get(path)["ETag"]})
    assert refused.json()["errors"][0]["code"] == "language_unknown"
    ben = coordinator.signed_in(builders.member(drive.organization))
    assert 'name="title_de"' not in ben.get("/organizer/drives/new/").content.decode()
