"""The data about a drive that other websites show: Open Graph, the schema.org event and the preview picture."""

import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from time_machine import TimeMachineFixture

from drives.models import Drive
from drives.planning import lifecycle
from drives.public import preview_picture
from organizations.models import Cause, Organization
from tests import builders
from tests.builders import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def event_of(drive: Drive) -> dict[str, Any]:
    shown = Client().get(f"/d/{drive.slug}/").content.decode()
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', shown)
    event: dict[str, Any] = json.loads(block)
    return event


def test_the_event_has_what_search_engines_need() -> None:
    drive = builders.drive()
    event = event_of(drive)
    assert event["@type"] == "Event"
    assert event["startDate"].startswith(f"{drive.day}T09:00:00-0")
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["location"]["address"]["addressLocality"] == drive.site.city
    assert event["offers"]["availability"] == "https://schema.org/InStock"
    assert event["url"].endswith(f"/d/{drive.slug}/")


def test_a_cancelled_drive_is_a_cancelled_event() -> None:
    drive = builders.drive()
    lifecycle.cancel_drive(drive_id=drive.pk, reason="Flooded.", actor="test", now=NOW)
    assert event_of(drive)["eventStatus"] == "https://schema.org/EventCancelled"
    assert event_of(drive)["offers"]["availability"] == "https://schema.org/SoldOut"


def test_the_description_does_not_invite_to_a_drive_that_takes_no_bookings() -> None:
    assert event_of(builders.drive())["description"].startswith("Book a time to give plasma: ")
    cancelled, closed = builders.drive(), builders.drive()
    lifecycle.cancel_drive(drive_id=cancelled.pk, reason="Flooded.", actor="test", now=NOW)
    lifecycle.close_drive(drive_id=closed.pk, actor="test", now=NOW)
    assert event_of(cancelled)["description"].startswith("This drive is cancelled. ")
    assert event_of(closed)["description"].startswith("Online booking is closed. ")


def test_a_drive_that_is_over_says_so(time_machine: TimeMachineFixture) -> None:
    drive = builders.drive()
    time_machine.move_to(drive.ends_at)
    assert event_of(drive)["description"].startswith("This drive is over. ")


@pytest.mark.parametrize("title", ["</script><script>alert(1)</script>", "<!-- & ", "a\u2028b"])
def test_a_title_cannot_leave_the_data_block(title: str) -> None:
    drive = builders.drive(title=title)
    assert event_of(drive)["name"] == title
    assert Client().get(f"/d/{drive.slug}/").content.count(b"<script>alert") == 0


def test_open_graph_names_the_drive_and_its_picture() -> None:
    drive = builders.drive()
    shown = Client().get(f"/d/{drive.slug}/").content.decode()
    found = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', shown))
    assert found["title"].startswith("Plasma drive, ")
    assert found["image"].endswith(f"/d/{drive.slug}/preview.png?language=en")


@pytest.mark.parametrize(
    "title", ["Plasma drive", "Jornada de donación de plasma en el centro comunitario " * 2, "x" * 120]
)
def test_the_picture_has_the_size_that_is_promised(title: str) -> None:
    owner = builders.organization()
    cause = Cause.objects.create(organization=owner, title="Zoe", slug="zoe", summary="Plasma becomes medicine. " * 8)
    drive = builders.drive(owner, title=title, cause_id=cause.pk)
    answer = Client().get(f"/d/{drive.slug}/preview.png", {"language": "es"})
    assert answer["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (1200, 630)
    assert len(answer.content) < 100_000
    assert not answer.cookies


def test_a_draft_has_no_picture() -> None:
    drive = builders.drive(published=False)
    assert Client().get(f"/d/{drive.slug}/preview.png").status_code == 404


def test_each_language_has_its_own_picture() -> None:
    drive = builders.drive()
    english, spanish, other = (
        Client().get(f"/d/{drive.slug}/preview.png", {"language": language}).content for language in ("en", "es", "xx")
    )
    assert english != spanish
    assert other == english


def test_a_new_color_or_name_of_the_organization_shows_in_the_picture() -> None:
    drive = builders.drive()
    path = f"/d/{drive.slug}/preview.png"
    pictures = [Client().get(path).content]
    for change in ({"accent": "#7a1f4e"}, {"name": "A very long name of a foundation for rare diseases " * 2}):
        Organization.objects.filter(pk=drive.organization_id).update(**change)
        pictures.append(Client().get(path).content)
    assert len(set(pictures)) == 3
    right_edge = Image.open(io.BytesIO(pictures[-1])).crop((1140, 40, 1200, 120))
    assert right_edge.getcolors() == [(60 * 80, (0xFA, 0xF7, 0xF0))]


def test_the_fonts_have_the_letters_of_both_languages() -> None:
    letters = "áéíóúüñÁÉÍÓÚÜÑ¿¡«»–—…·’“”"
    for weight in ("", preview_picture.BOLD):
        font = preview_picture._font(40, weight)
        missing = bytes(font.getmask("\uffff"))
        assert [letter for letter in letters if bytes(font.getmask(letter)) == missing] == []
