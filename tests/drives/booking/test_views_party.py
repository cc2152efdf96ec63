"""A donor books a party through the pages: size, time, names, one contact and one code."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.booking import hold
from drives.models import Booking, Drive
from organizations.models import Organization
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import donor
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
NAMES = ("Test Ana Alder", "Test Bo Alder", "Test Ida Alder", "Test Eli Alder")


def typed(drive: Drive, people: int = 3, n: int = 0, **changes: Any) -> dict[str, Any]:
    names = {f"name_{at}" if at else "name": name for at, name in enumerate(NAMES[:people])}
    visits = {f"visit_{at}" if at else "visit": "return" for at in range(people)}
    whole = {**names, **visits, "people": people, "first": 0, "slot": builders.slot(drive, n).pk}
    return {**whole, "phone": donor.PHONE, "email": "", "reminders": "on", **changes}


def kept(client: Client, drive: Drive, **changes: Any) -> Booking:
    response = client.post(reverse("book", args=[drive.slug]), typed(drive, **changes))
    assert response.status_code == 303, text(response)
    return Booking.objects.get(drive=drive, reference=response.headers["Location"].split("/")[2])


def booked(client: Client, drive: Drive, **changes: Any) -> list[Booking]:
    first = kept(client, drive, **changes)
    assert donor.prove(client, first).status_code == 303
    return list(Booking.objects.filter(party=first.party).order_by("pk"))


def test_a_single_donor_sees_one_person(client: Client) -> None:
    drive = builders.drive()
    page = client.get(reverse("drive", args=[drive.slug]))
    assert 'id="people-1" href="?visit=first#choose" aria-current="true"' in page.content.decode()
    assert 'name="people"' not in page.content.decode()


@pytest.mark.parametrize(("visit", "kinds"), [("return", ["return", "return"]), ("first", ["first", "return"])])
def test_changing_the_party_size_keeps_the_visit_type(client: Client, visit: str, kinds: list[str]) -> None:
    drive = builders.drive()
    alone = client.get(reverse("drive", args=[drive.slug]), {"visit": visit, "result": "yes"}).content.decode()
    found = re.search(r'id="people-2" href="([^"]*)"', alone)
    assert found
    two = client.get(reverse("drive", args=[drive.slug]) + html.unescape(found[1].removesuffix("#choose")))
    assert (two.context["people"], two.context["first"]) == (2, kinds.count("first"))
    assert f'id="people-1" href="?visit={visit}&amp;result=yes#choose"' in two.content.decode()
    assert f'id="people-5" href="?visit={visit}&amp;people=5&amp;first={kinds.count("first")}' in two.content.decode()
    asked = {"visit": visit, "people": "2", "first": two.context["first"], "slot": builders.slot(drive).pk}
    form = client.get(reverse("book", args=[drive.slug]), asked).context["form"]
    assert [str(kind.value()) for _name, kind in form.rows()] == kinds


def test_a_known_donor_can_choose_a_time_for_a_party(client: Client) -> None:
    here = builders.organization()
    donor.booked(client, builders.drive(here, policy_id=builders.lax().pk))
    drive = builders.drive(here, policy_id=builders.lax().pk)
    page = client.get(reverse("drive", args=[drive.slug]), {"people": "2"})
    slot_id = builders.slot(drive).pk
    assert f'<input type="radio" name="slot" id="time-{slot_id}" value="{slot_id}"' in page.content.decode()
    assert "all together" in text(page)


def test_only_times_that_fit_the_whole_party_are_listed(client: Client) -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=3))
    builders.held(drive, n=0, number=1)
    page = client.get(reverse("drive", args=[drive.slug]), {"people": "2", "first": "1"})
    found = page.context["parts"][0].times
    assert [time.slot_id for time in found] == [builders.slot(drive, n).pk for n in range(3)]
    assert [time.is_simultaneous for time in found] == [False, True, True]
    assert "last at 9:15" in text(page)


def test_an_invalid_party_size_means_one_person(client: Client) -> None:
    drive = builders.drive()
    for people in ("0", "7", "x", "-1", "999999999999999999999"):
        assert client.get(reverse("drive", args=[drive.slug]), {"people": people}).context["people"] == 1


def test_a_family_of_three_books(client: Client) -> None:
    drive = builders.drive()
    first = kept(client, drive, visit_2="first")
    page = client.get(reverse("booking", args=[first.reference]))
    for name in NAMES[:3]:
        assert name in text(page)
    assert donor.prove(client, first).status_code == 303
    page = client.get(reverse("booking", args=[first.reference]))
    assert "Booked together" in text(page)
    assert [booking.visit for booking in Booking.objects.order_by("pk")] == ["return", "return", "first"]


def test_a_companions_link_shows_one_booking(client: Client) -> None:
    party = booked(client, builders.drive())
    page = Client().get(reverse("booking", args=[party[1].token]), {"cookie": "1"})
    assert NAMES[0] not in text(page)
    assert "Booked together" not in text(page)
    response = client.post(reverse("booking_cancel_party", args=[party[1].token]))
    assert response.status_code == 303
    assert Booking.objects.filter(state="booked").count() == 3


def test_a_member_can_be_removed_before_verification(client: Client) -> None:
    drive = builders.drive()
    first = kept(client, drive)
    second = Booking.objects.order_by("pk")[1]
    response = client.post(reverse("booking_remove_from_party", args=[first.token]))
    assert response.headers["Location"] == reverse("booking", args=[second.reference])
    assert donor.prove(client, second, builders.code_of(first)).status_code == 303
    assert [row.state for row in Booking.objects.order_by("pk")] == ["lapsed", "booked", "booked"]


def test_a_companions_hold_redirects_to_the_leaders_page(client: Client) -> None:
    first = kept(client, builders.drive())
    second = Booking.objects.order_by("pk")[1]
    response = client.get(reverse("booking", args=[second.reference]))
    assert response.headers["Location"] == reverse("booking", args=[first.reference])


def test_members_keep_the_order_in_which_they_were_named(client: Client) -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plan(builders.site(here), chairs=2, screening_stations=2))
    first = kept(client, drive, visit="first")
    party = list(Booking.objects.order_by("pk"))
    assert [booking.first_step for booking in party] == [1, 0, 0]
    shown = text(client.get(reverse("booking", args=[first.reference])))
    places = [shown.index(name) for name in NAMES[:3]]
    assert places == sorted(places)
    assert "We’ll hold these times for you" in shown
    donor.prove(client, first)
    shown = text(client.get(reverse("booking", args=[first.reference])))
    places = [shown.index(name) for name in NAMES[:3]]
    assert places == sorted(places)


def test_all_are_cancelled_at_once(client: Client) -> None:
    party = booked(client, builders.drive())
    address = reverse("booking_cancel_party", args=[party[0].token])
    assert NAMES[1] in text(client.get(address))
    assert client.post(address).status_code == 303
    assert Booking.objects.filter(state="cancelled").count() == 3


def test_an_invalid_name_is_reported_beside_its_field(client: Client) -> None:
    drive = builders.drive()
    response = client.post(
        reverse("book", args=[drive.slug]), typed(drive, name_1="", name_2="test ana alder", phone="123")
    )
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"phone"}
    response = client.post(reverse("book", args=[drive.slug]), typed(drive, name_1="", name_2="test ana alder"))
    errors = {name: error.data[0].code for name, error in response.context["form"].errors.items()}
    assert errors == {"name_1": "name_missing", "name_2": "name_twice"}
    assert 'value="test ana alder"' in response.content.decode()


def test_a_full_time_offers_the_nearest_times_for_the_party(client: Client) -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=3, steps=4))
    builders.held(drive, n=3, number=1)
    response = client.post(reverse("book", args=[drive.slug]), typed(drive, n=3))
    assert response.status_code == 409
    assert len(response.context["alternatives"]) == 3
    assert "Test Bo Alder" in response.content.decode()


def refused(client: Client, here: Organization) -> tuple[Drive, Booking, Any]:
    """Book a party for Saturday, and let it try to book Sunday, which the rules refuse.

    Return the Wednesday drive (the first allowed), the first hold, and the response.
    """
    place = builders.site(here)
    saturday, sunday, wednesday = (
        builders.drive(here, builders.plan(place, day=builders.DRIVE_DAY + timedelta(days=days))) for days in (0, 1, 4)
    )
    booked(client, saturday)
    first = kept(client, sunday)
    return wednesday, first, client.post(reverse("booking_verify", args=[first.reference]))


def test_a_refused_party_is_offered_times_for_all(client: Client) -> None:
    wednesday, _first, page = refused(client, builders.organization())
    assert page.status_code == 409
    assert "Or at another drive" in text(page)
    assert "Choose a time that’s allowed for all of you, or remove anyone who can’t come" in text(page)
    assert "Book for all" not in text(page)
    address = f"{reverse('book', args=[wednesday.slug])}?visit=return&amp;people=3&amp;first=0&amp;slot="
    assert [f"{address}{builders.slot(wednesday, n).pk}" in page.content.decode() for n in range(3)] == [True] * 3


def test_a_held_party_moves_from_its_page(client: Client) -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plain(builders.site(here), spots=2, steps=4))
    first = kept(client, drive, people=2)
    address = reverse("booking_move_party", args=[first.reference])
    assert client.post(address, {"slot": builders.slot(drive, 2).pk}).status_code == 303
    assert [row.first_step for row in Booking.objects.order_by("pk")] == [2, 2]
    builders.held(drive, n=3, number=9)
    gone = client.post(address, {"slot": builders.slot(drive, 3).pk})
    assert gone.status_code == 409
    assert "These times are available for all of you" in text(gone)
    assert [f'value="{builders.slot(drive, n).pk}"' in gone.content.decode() for n in range(4)] == [True] * 3 + [False]
    assert "Choose a time first, then continue." in text(client.post(address))


def test_a_known_contact_with_another_name_is_asked_about(client: Client) -> None:
    here = builders.organization()
    builders.booked(builders.drive(here))
    drive = builders.drive(here)
    held = donor.kept(client, drive, name="Test Bo Birch")
    asked = donor.prove(client, held)
    assert asked.status_code == 409
    assert "Who is this for?" in text(asked)
    assert asked.content.decode().count('type="radio" name="booking_for"') == 2
    response = client.post(reverse("booking_verify", args=[held.token]), {"booking_for": "other"})
    assert response.status_code == 303
    held.refresh_from_db()
    assert held.volunteer is not None
    assert held.volunteer.name == "Test Bo Birch"
    assert held.volunteer.phone is not None
    assert held.volunteer.phone.owner != held.volunteer


@pytest.mark.parametrize("state", ["held", "booked"])
def test_a_party_page_takes_the_same_queries_for_two_and_four(state: str) -> None:
    def party(people: int) -> Callable[[], object]:
        make, client = (booked if state == "booked" else kept), Client()
        made = make(client, builders.drive(), people=people, phone=builders.phone(people))
        first = made[0] if isinstance(made, list) else made
        return partial(client.get, reverse("booking", args=[first.reference]))

    query_counts.count_for_each(party, (2, 4))


def test_a_party_whose_time_ran_out_finds_all_names_in_the_form(client: Client) -> None:
    first = kept(client, drive := builders.drive(), visit_2="first")
    removed = Booking.objects.filter(party=first.party).order_by("pk")[1]
    client.post(reverse("booking_remove_from_party", args=[removed.token]))
    with time_machine.travel(NOW + timedelta(minutes=15), tick=False):
        for is_swept in (False, True):
            if is_swept:
                hold.lapse_holds(now=NOW + timedelta(minutes=15))
            ended = client.get(reverse("booking", args=[first.token]), follow=True)
            assert "We held the times for you, but the code wasn’t entered." in text(ended)
            query = "visit=return&amp;people=2&amp;first=1"
            assert f'href="{reverse("drive", args=[drive.slug])}?{query}#choose"' in ended.content.decode()
            asked = {"visit": "return", "people": "2", "first": "1", "slot": str(builders.slot(drive, 4).pk)}
            form = client.get(reverse("book", args=[drive.slug]), asked).context["form"]
            rows = [(name.value(), visit.value()) for name, visit in form.rows()]
            assert rows == [("Test Ana Alder", "return"), ("Test Ida Alder", "first")]


@pytest.mark.parametrize(("minutes", "shown"), [(14, None), (15, "Test Ana Alder"), (74, "Test Ana Alder"), (75, None)])
def test_the_form_shows_typed_details_for_an_hour_after_the_hold(
    client: Client, minutes: int, shown: str | None
) -> None:
    donor.kept(client, drive := builders.drive())
    with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
        asked = {"visit": "return", "slot": str(builders.slot(drive, 4).pk), **({"new": "1"} if minutes < 15 else {})}
        assert client.get(reverse("book", args=[drive.slug]), asked).context["form"]["name"].value() == shown
