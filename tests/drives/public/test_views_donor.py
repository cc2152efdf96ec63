import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Drive, Slot
from drives.planning import lifecycle as planning_drives
from organizations.models import Cause, CauseFact
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW
from tests.drives.donor import text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]


def page_of(drive: Drive, **query: str) -> str:
    return text(Client().get(reverse("drive", args=[drive.slug]), query))


def test_the_page_says_what_when_and_where_in_the_zone_of_the_site() -> None:
    shown = page_of(builders.drive(bring="Photo ID"))
    assert "Plasma drive Saturday, March 13" in shown
    assert "9:00 AM – 3:00 PM Pacific Time" in shown
    assert "St Mary Hall 12 Oak St, Los Angeles, CA 90001" in shown
    assert "Bring Photo ID" in shown


def test_times_say_in_words_how_many_are_left() -> None:
    drive = builders.drive(planned=None, chairs=2)
    builders.booked(drive, n=0)
    shown = page_of(drive, visit="return")
    assert "9:00 AM 1 left" in shown
    assert "12:00 PM 2 left" in shown


def test_a_first_visit_is_offered_fewer_times_than_a_return_visit() -> None:
    drive = builders.drive()
    assert "1:45 PM" in page_of(drive, visit="return")
    assert "1:45 PM" not in page_of(drive, visit="first")


def test_the_form_carries_the_kind_of_visit_and_works_without_scripts() -> None:
    drive = builders.drive()
    shown = Client().get(reverse("drive", args=[drive.slug]), {"visit": "return"}).content.decode()
    assert f'action="{reverse("book", args=[drive.slug])}" method="get"' in shown
    assert '<input type="hidden" name="visit" value="return">' in shown
    assert shown.count('type="radio" name="slot"') == 21


def test_a_time_chosen_before_is_still_chosen() -> None:
    drive = builders.drive()
    slot = builders.slot(drive, 3)
    shown = (
        Client().get(reverse("drive", args=[drive.slug]), {"visit": "return", "slot": str(slot.pk)}).content.decode()
    )
    tiles = re.findall(r'<input type="radio" name="slot"[^>]*>', shown)
    assert [f'value="{slot.pk}"' in tile for tile in tiles if " checked" in tile] == [True]


def test_a_draft_is_not_found() -> None:
    draft = builders.drive(published=False)
    assert Client().get(reverse("drive", args=[draft.slug])).status_code == 404


def test_a_cancelled_drive_says_so_and_why_and_shows_the_others() -> None:
    here = builders.organization()
    drive, other = builders.drive(here), builders.drive(here, day=DRIVE_DAY + timedelta(days=7), title="The next one")
    planning_drives.cancel_drive(drive_id=drive.pk, reason="The hall is flooded.", actor="user:1", now=NOW)
    shown = page_of(drive)
    assert "This drive is cancelled. The hall is flooded." in shown
    assert str(other.title) in shown
    assert "Choose a time" not in shown


def test_a_closed_drive_says_so_and_gives_the_phone() -> None:
    drive = builders.drive(phone="+12135550101")
    planning_drives.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    shown = page_of(drive)
    assert "Online booking is closed." in shown
    assert "(213) 555-0101" in shown
    assert "Choose a time" not in shown


def test_a_full_drive_says_so() -> None:
    drive = builders.drive()
    Slot.objects.filter(drive=drive).update(chairs_limit=0)
    shown = page_of(drive)
    assert "All spots are taken." in shown
    assert "Choose a time" not in shown


def test_a_past_drive_says_so() -> None:
    drive = builders.drive()
    Drive.objects.filter(pk=drive.pk).update(starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1))
    assert "This drive is over." in page_of(drive)


def test_the_cause_stands_above_the_title_with_its_sources() -> None:
    here = builders.organization()
    cause = Cause.objects.create(
        organization=here, title="In honor of Zoe", slug="zoe", summary="Plasma becomes medicine."
    )
    CauseFact.objects.create(
        cause=cause, text="A made-up fact.", source_name="A journal", source_url="https://example.org/"
    )
    shown = page_of(builders.drive(here, cause_id=cause.pk))
    assert "In honor of Zoe. Plasma becomes medicine." in shown
    assert "A made-up fact. A journal" in shown


def test_the_list_of_an_organization_leaves_out_others_and_drafts() -> None:
    ours, theirs = builders.organization(), builders.organization("Other")
    drive = builders.drive(ours, title="Ours")
    builders.drive(ours, title="Draft", published=False)
    builders.drive(theirs, title="Theirs")
    shown = text(Client().get(reverse("organization", args=[ours.slug])))
    assert str(drive.title) in shown
    assert "Draft" not in shown
    assert "Theirs" not in shown


def test_the_list_of_all_drives_can_be_narrowed_to_a_city() -> None:
    here = builders.organization()
    builders.drive(here, title="In the city")
    builders.drive(here, builders.plan(builders.site(here, city="Pasadena"), title="In Pasadena"))
    shown = text(Client().get(reverse("home"), {"city": "Pasadena"}))
    assert "In Pasadena" in shown
    assert "In the city" not in shown


def test_an_empty_list_says_so() -> None:
    assert "No drives are planned right now" in text(Client().get(reverse("home")))


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_two_queries_however_long_it_is(count: int, django_assert_num_queries: object) -> None:
    here = builders.organization()
    for _ in range(count):
        builders.drive(here)
    with django_assert_num_queries(2):  # type: ignore[operator]
        Client().get(reverse("home"))


def test_the_page_of_a_drive_costs_three_queries() -> None:
    def drives(many: int) -> Callable[[], object]:
        here = builders.organization()
        cause = Cause.objects.create(organization=here, title="Zoe", slug=f"zoe-{many}", summary="…")
        for number in range(many):
            CauseFact.objects.create(cause=cause, text=f"Fact {number}", source_name="…", position=number)
            drive = builders.drive(here, cause_id=cause.pk)
            builders.booked(drive, number=10 * many + number)
        return partial(Client().get, reverse("drive", args=[drive.slug]))

    assert query_counts.count_for_each(drives) == 3


def test_continuing_without_a_time_shows_an_error() -> None:
    drive = builders.drive()
    response = Client().get(reverse("book", args=[drive.slug]), {"visit": "return"}, follow=True)
    assert title(response).startswith("Error: ")
    assert "Choose a time first, then continue." in text(response)
