"""What an organizer wrote of a drive is read in one's own language, or in the other with its language said."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from drives.messaging.texts import bookings
from drives.models import Drive, languages
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
WORDS: dict[str, Any] = {"description": "Eat well.", "bring": "Photo ID"}
SPANISH: dict[str, Any] = {"description_es": "Coma bien.", "bring_es": "Identificación"}


def page_of(drive: Drive, language: str) -> str:
    page: str = Client(HTTP_ACCEPT_LANGUAGE=language).get(reverse("drive", args=[drive.slug])).content.decode()
    return page


@pytest.mark.parametrize(
    ("texts", "language", "shown", "marked"),
    [
        (WORDS | SPANISH, "en", "Photo ID", False),
        (WORDS | SPANISH, "es", "Identificación", False),
        (WORDS, "es", "Photo ID", True),
        (SPANISH, "en", "Identificación", True),
    ],
)
def test_the_page_shows_ones_own_language_else_the_other_marked(
    texts: dict[str, Any], language: str, shown: str, marked: bool
) -> None:
    page, other = page_of(builders.drive(**texts), language), "en" if language == "es" else "es"
    assert (f'<dd lang="{other}">{shown}</dd>' if marked else f"<dd>{shown}</dd>") in page
    assert (f'<div class="prose" lang="{other}">' in page) is marked


def test_what_was_not_written_is_not_shown() -> None:
    drive = builders.drive()
    assert "<dt>Bring</dt>" not in page_of(drive, "en")
    assert languages.written(drive, "bring", "es").text == ""


def test_a_mail_names_what_to_bring_in_its_own_language() -> None:
    booking = builders.booked(builders.drive(**WORDS, **SPANISH))
    with translation.override("es"):
        assert "Identificación" in bookings.booked(booking, "email").text
    with translation.override("en"):
        assert "Bring Photo ID." in bookings.booked(booking, "email").text


def test_a_donors_page_marks_what_to_bring() -> None:
    booking = builders.booked(builders.drive(**WORDS))
    browser = Client(HTTP_ACCEPT_LANGUAGE="es")
    page = browser.get(reverse("booking", args=[booking.token]), follow=True).content.decode()
    assert '<span lang="en">Photo ID</span>' in page


def test_the_form_keeps_both_and_a_copy_has_them() -> None:
    drive = builders.drive(**WORDS, **SPANISH)
    ben = coordinator.signed_in(builders.member(drive.organization))
    form = ben.get(reverse("organizer_plan", args=[drive.pk])).content.decode()
    assert "Coma bien." in form
    assert 'lang="es"' in form
    ben.post(reverse("organizer_copy_drive", args=[drive.pk]), {"on": "2027-04-24"})
    copy = Drive.objects.get(on="2027-04-24")
    assert (copy.bring, copy.bring_es, copy.description_es) == ("Photo ID", "Identificación", "Coma bien.")


def test_the_api_answers_in_the_callers_language() -> None:
    drive = builders.drive(**WORDS, **SPANISH)
    address = f"/api/v1/drives/{drive.pk}/"
    found = [Client(HTTP_ACCEPT_LANGUAGE=code).get(address).json()["description"] for code in ("en", "es")]
    assert found == ["Eat well.", "Coma bien."]


def test_the_names_of_the_programs_are_translated() -> None:
    booking = builders.booked(builders.drive(policy_id=builders.policy(name="US source plasma").pk))
    browser = Client(HTTP_ACCEPT_LANGUAGE="es")
    browser.cookies["browser"] = builders.browser_of(builders.phone(42))
    builders.drive(booking.drive.organization, policy_id=booking.drive.policy_id)
    assert "Plasma para fraccionamiento, EE. UU." in text(browser.get(reverse("me")))
