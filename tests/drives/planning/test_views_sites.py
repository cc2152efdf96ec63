"""Pages of sites, collection centers and causes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import CollectionCenter, Site
from organizations.models import Cause, CauseFact, Membership, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

PLACE = {"name": "Oak Center", "address": "1 Elm St", "city": "Denver", "timezone": "America/Denver"}
FACTS = {"facts-TOTAL_FORMS": "2", "facts-INITIAL_FORMS": "0", "facts-MIN_NUM_FORMS": "0", "facts-MAX_NUM_FORMS": "8"}
CAUSE = {"title": "Running for Zoe", "summary": "Your plasma becomes medicine.", **FACTS}


def desk() -> tuple[Client, Membership]:
    ben = builders.member(builders.organization())
    return coordinator.signed_in(ben), ben


def test_a_site_gets_a_short_name_in_gsm_characters() -> None:
    browser, _ben = desk()
    shown = browser.post(reverse("organizer_new_site"), {**PLACE, "name": "Salón José María Hidalgo"}, follow=True)
    assert "“Salón José María Hidalgo” is saved." in text(shown)
    assert Site.objects.get().sms_name == "Salon José Maria Hid"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter a name for the location."),
        ({"timezone": ""}, "Choose the location’s time zone."),
        ({"timezone": "Mars/Olympus"}, "“Mars/Olympus” is not a time zone."),
        ({"map_url": "javascript:alert(1)"}, "Enter a full web address, for example"),
    ],
)
def test_problems_of_a_site_are_shown(changes: dict[str, str], sentence: str) -> None:
    browser, _ben = desk()
    response = browser.post(reverse("organizer_new_site"), {**PLACE, **changes})
    assert (response.status_code, Site.objects.count()) == (422, 0)
    assert title(response).startswith("Error: ")
    assert sentence in text(response)


def test_the_zone_of_a_site_with_drives_is_fixed() -> None:
    browser, ben = desk()
    drive = builders.drive(ben.organization)
    response = browser.post(reverse("organizer_edit_site", args=[drive.site_id]), PLACE)
    assert "Drives at this location were planned in Pacific Time." in text(response)
    assert Site.objects.get().timezone == "America/Los_Angeles"


def test_a_center_keeps_its_phone_as_a_number() -> None:
    browser, _ben = desk()
    browser.post(reverse("organizer_new_center"), {"name": "Example Center", "phone": "213 555 0142"})
    center = CollectionCenter.objects.get()
    assert center.phone == "+12135550142"
    assert 'value="(213) 555-0142"' in browser.get(reverse("organizer_center", args=[center.pk])).content.decode()


def test_a_cause_keeps_its_facts_in_order_and_drops_emptied_ones() -> None:
    browser, _ben = desk()
    facts = {f"facts-{n}-{part}": f"{part} {n}" for n in range(2) for part in ("text", "source_name")}
    browser.post(reverse("organizer_new_cause"), {**CAUSE, **facts})
    cause = Cause.objects.get()
    assert [str(fact) for fact in cause.facts.order_by("position")] == ["text 0", "text 1"]
    known = {f"facts-{n}-id": str(fact.pk) for n, fact in enumerate(cause.facts.order_by("position"))}
    emptied = {**facts, **known, "facts-INITIAL_FORMS": "2", "facts-0-text": "", "facts-0-source_name": ""}
    browser.post(reverse("organizer_edit_cause", args=[cause.pk]), {**CAUSE, **emptied})
    assert [(str(fact), fact.position) for fact in cause.facts.all()] == [("text 1", 0)]


def test_a_fact_without_its_source_is_refused_in_the_summary() -> None:
    browser, _ben = desk()
    response = browser.post(reverse("organizer_new_cause"), {**CAUSE, "facts-0-text": "OMS is rare."})
    assert (response.status_code, Cause.objects.count()) == (422, 0)
    assert '<a href="#id_facts-0-source_name">Enter the source of the fact.</a>' in response.content.decode()


@pytest.mark.parametrize(("count", "status", "saved"), [(8, 302, 8), (9, 422, 0)])
def test_a_cause_has_eight_facts_at_most(count: int, status: int, saved: int) -> None:
    browser, _ben = desk()
    facts = {f"facts-{n}-{part}": f"{part} {n}" for n in range(count) for part in ("text", "source_name")}
    forged = {**CAUSE, **facts, "facts-TOTAL_FORMS": str(count), "facts-MAX_NUM_FORMS": "1000"}
    response = browser.post(reverse("organizer_new_cause"), forged)
    assert (response.status_code, CauseFact.objects.count()) == (status, saved)
    assert ("<li>A cause can have up to 8 facts.</li>" in response.content.decode()) == (status == 422)


def test_a_form_without_the_count_of_its_facts_is_refused_in_the_summary() -> None:
    browser, _ben = desk()
    response = browser.post(reverse("organizer_new_cause"), {"title": "Zoe", "summary": "Plasma becomes medicine."})
    assert (response.status_code, Cause.objects.count()) == (422, 0)
    assert "There is a problem" in text(response)


def test_causes_with_one_name_get_different_slugs() -> None:
    browser, _ben = desk()
    for _time in range(2):
        browser.post(reverse("organizer_new_cause"), CAUSE)
    assert set(Cause.objects.values_list("slug", flat=True)) == {"running-for-zoe", "running-for-zoe-2"}


def test_a_viewer_sees_the_list_and_changes_nothing() -> None:
    organization = builders.organization()
    builders.site(organization)
    vera: Any = coordinator.signed_in(builders.member(organization, Role.VIEWER))
    shown = vera.get(reverse("organizer_sites"))
    assert ("St Mary Hall" in text(shown), "Add a location" in text(shown)) == (True, False)
    for name in ("organizer_new_site", "organizer_new_cause", "organizer_new_center"):
        assert vera.post(reverse(name), PLACE).status_code == 403
