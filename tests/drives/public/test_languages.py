"""A coordinator's texts appear in the reader's language.

If a text exists only in another language, its element has a `lang` attribute.
"""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from drives.messaging.texts import booking_texts
from drives.models import Drive
from organizations.translated_text import TranslatedString
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.caller import Api
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
BOTH: dict[str, Any] = {
    "description": TranslatedString({"en": "Eat well.", "es": "Coma bien."}),
    "bring": TranslatedString({"en": "Photo ID", "es": "Identificación"}),
}
ENGLISH: dict[str, Any] = {"description": "Eat well.", "bring": "Photo ID"}
SPANISH: dict[str, Any] = {
    "description": TranslatedString({"es": "Coma bien."}),
    "bring": TranslatedString({"es": "Identificación"}),
}


def page_of(drive: Drive, language: str) -> str:
    page: str = Client(HTTP_ACCEPT_LANGUAGE=language).get(reverse("drive", args=[drive.slug])).content.decode()
    return page


@pytest.mark.parametrize(
    ("texts", "language", "shown", "marked"),
    [
        (BOTH, "en", "Photo ID", False),
        (BOTH, "es", "Identificación", False),
        (ENGLISH, "es", "Photo ID", True),
        (SPANISH, "en", "Identificación", True),
    ],
)
def test_the_page_shows_ones_own_language_else_the_other_marked(
    texts: dict[str, Any], language: str, shown: str, marked: bool
) -> None:
    page, other = page_of(builders.drive(**texts), language), "en" if language == "es" else "es"
    assert (f'<dd lang="{other}">{shown}</dd>' if marked else f"<dd>{shown}</dd>") in page
    assert (f'<div class="prose" lang="{other}">' in page) is marked


def test_an_empty_field_is_not_shown() -> None:
    drive = builders.drive()
    assert "<dt>Bring</dt>" not in page_of(drive, "en")


def test_a_mail_names_what_to_bring_in_its_own_language() -> None:
    booking = builders.booked(builders.drive(**BOTH))
    with translation.override("es"):
        assert "Identificación" in booking_texts.render_booked(booking, "email").text
    with translation.override("en"):
        assert "Bring Photo ID." in booking_texts.render_booked(booking, "email").text


def test_a_donors_page_marks_what_to_bring() -> None:
    booking = builders.booked(builders.drive(**ENGLISH))
    browser = Client(HTTP_ACCEPT_LANGUAGE="es")
    page = browser.get(reverse("booking", args=[booking.token]), follow=True).content.decode()
    assert '<span lang="en">Photo ID</span>' in page


def test_the_form_keeps_both_and_a_copy_has_them() -> None:
    drive = builders.drive(**BOTH)
    ben = coordinator.signed_in(builders.member(drive.organization))
    form = ben.get(reverse("organizer_edit_drive", args=[drive.pk])).content.decode()
    assert "Coma bien." in form
    assert 'lang="es"' in form
    ben.post(reverse("organizer_copy_drive", args=[drive.pk]), {"day": "2027-04-24"})
    copy = Drive.objects.get(day="2027-04-24")
    assert (copy.bring, copy.description) == (BOTH["bring"], BOTH["description"])


def test_the_api_answers_in_the_callers_language() -> None:
    drive = builders.drive(**BOTH)
    address = f"/api/v1/drives/{drive.pk}/"
    found = [Client(HTTP_ACCEPT_LANGUAGE=code).get(address).json()["description"] for code in ("en", "es")]
    assert found == ["Eat well.", "Coma bien."]


def test_the_names_of_the_programs_are_translated() -> None:
    booking = builders.booked(builders.drive(policy_id=builders.policy(name="US source plasma").pk))
    browser = Client(HTTP_ACCEPT_LANGUAGE="es")
    browser.cookies["browser"] = builders.browser_of(builders.phone(42))
    builders.drive(booking.drive.organization, policy_id=booking.drive.policy_id)
    assert "Plasma para fraccionamiento, EE. UU." in text(browser.get(reverse("donor_bookings")))


def test_a_title_and_a_cause_are_read_in_ones_own_language() -> None:
    here = builders.organization()
    cause = here.causes.create(
        title=TranslatedString({"en": "For Zoe", "es": "Para Zoe"}), slug="zoe", summary="Plasma becomes medicine."
    )
    title = TranslatedString({"en": "Spring drive", "es": "Jornada de primavera"})
    drive = builders.drive(here, title=title, cause=cause)
    english, spanish = page_of(drive, "en"), page_of(drive, "es")
    assert "<h1><span>Spring drive</span>" in english
    assert "<h1><span>Jornada de primavera</span>" in spanish
    assert '<b>Para Zoe.</b> <span lang="en">Plasma becomes medicine.</span>' in spanish
    assert drive.slug == "spring-drive-2027-03-13"


def test_the_organizations_own_language_is_asked_for_first_and_read_by_strangers() -> None:
    here = builders.organization(language="es")
    ben = coordinator.signed_in(builders.member(here))
    form = coordinator.typed(builders.site(here), builders.policy(), title="Jornada", save="1")
    refused = ben.post("/organizer/drives/new/", {**form, "title": "", "title_en": "Drive"})
    assert "Enter a name for the drive." in text(refused)
    ben.post("/organizer/drives/new/", {**form, "title_en": "Drive", "bring": "Identificación"})
    drive = Drive.objects.get()
    assert list(drive.title.texts.items()) == [("es", "Jornada"), ("en", "Drive")]
    with translation.override("fr"):
        assert (str(drive.title), str(drive.bring)) == ("Jornada", "Identificación")
    with translation.override("en"):
        assert (str(drive.title), str(drive.bring)) == ("Drive", "Identificación")


def test_the_api_takes_a_string_or_a_text_for_each_language_and_answers_with_all() -> None:
    drive = builders.drive(
        builders.organization(language="es"), title=TranslatedString({"es": "Jornada", "en": "Drive"})
    )
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"

    def changed(title: Any) -> Any:
        return api.patch(path, {"title": title}, **{"If-Match": api.get(path)["ETag"]})

    assert api.get(path).json()["plan"]["title"] == {"es": "Jornada", "en": "Drive"}
    assert changed("Otra").json()["plan"]["title"] == {"es": "Otra"}
    both = changed({"en": "Another", "es": "Otra"})
    assert list(both.json()["plan"]["title"].items()) == [("es", "Otra"), ("en", "Another")]
    assert both.json()["title"] == "Another"
    for wrong, pointer, code in (
        ({"en": "Only English"}, "#/title", "blank"),
        ({"es": "Otra", "xx": "?"}, "#/title", "language_unknown"),
        ({"es": "Otra", "en": "x" * 121}, "#/title/en", "max_length"),
        ({"es": "Otra", "en": 7}, "#/title/en", "invalid"),
        (["Otra"], "#/title", "invalid"),
        (None, "#/title", "null"),
    ):
        refused = changed(wrong)
        assert refused.status_code == 400
        assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(("language", "note"), [("en", "Ring twice."), ("es", "Llame dos veces.")])
def test_the_arrival_note_of_a_site_is_read_in_the_language_of_the_reader(language: str, note: str) -> None:
    here = builders.organization()
    both = TranslatedString({"en": "Ring twice.", "es": "Llame dos veces."})
    site = builders.site(here, arrival_note=both)
    drive = builders.drive(here, builders.plan(site))
    assert note in page_of(drive, language)
    booked = Client(HTTP_ACCEPT_LANGUAGE=language)
    donor.booked(booked, drive)
    booking = drive.bookings.get()
    assert note in booked.get(reverse("booking", args=[booking.reference]), follow=True).content.decode()
    listed = Api.with_key(here).get(f"sites/{site.pk}/", **{"Accept-Language": language}).json()
    assert listed["arrival_note"] == note
