"""A posted value that no page offers changes nothing. The visitor gets a page with status 400."""

from collections.abc import Callable

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from drives.models import Booking
from drives.web.fields import CheckboxField
from notifications.models import ConsentEntry, Suppression
from organizations.models import Role
from tests import builders
from tests.drives import coordinator
from tests.drives.account.test_views_consents import PHONE, stop_page, world
from tests.drives.donor import text
from tests.drives.inbox.test_views_organizer import says
from volunteers.models import Volunteer

pytestmark = pytest.mark.django_db
Request = tuple[Client, str, dict[str, str]]


def as_coordinator(booking: Booking) -> Client:
    return coordinator.signed_in(builders.member(booking.drive.organization, Role.COORDINATOR))


def decide_opt_out(booking: Booking, value: str) -> Request:
    conversation = says(booking.drive.organization, "Please call me, don't text")
    address = reverse("organizer_decide_opt_out", args=[conversation.pk])
    return as_coordinator(booking), address, {"decision": value}


def turn_consent(booking: Booking, value: str) -> Request:
    typed = {"contact": "phone", "purpose": "reminders", "turn": value}
    return Client(), reverse("booking_consent", args=[booking.token]), typed


def choose_contact(booking: Booking, value: str) -> Request:
    typed = {"contact": value, "purpose": "reminders", "turn": "off"}
    return Client(), reverse("booking_consent", args=[booking.token]), typed


def choose_purpose(booking: Booking, value: str) -> Request:
    typed = {"contact": "phone", "purpose": value, "turn": "off"}
    return Client(), reverse("booking_consent", args=[booking.token]), typed


def stop_messages(booking: Booking, value: str) -> Request:
    return Client(), stop_page(booking, PHONE), {"scope": value}


def stop_by_link(booking: Booking, value: str) -> Request:
    return Client(), f"{stop_page(booking, PHONE)}?scope={value}", {"List-Unsubscribe": "One-Click"}


def record_opt_out(booking: Booking, value: str) -> Request:
    return as_coordinator(booking), reverse("organizer_stop_messages", args=[booking.pk]), {"stop": value}


def merge_people(booking: Booking, value: str) -> Request:
    other = builders.booked(booking.drive, n=3, number=43)
    address = reverse("organizer_merge_people", args=[booking.volunteer_id, other.volunteer_id])
    return as_coordinator(booking), address, {"called": value}


def add_booking(booking: Booking, value: str) -> Request:
    address = reverse("organizer_add_booking", args=[booking.drive_id])
    return as_coordinator(booking), address, {"visit": value, "name": "Test Bea Beech", "slot": "1"}


def send_code_again(booking: Booking, value: str) -> Request:
    return Client(), reverse("booking_send_code", args=[booking.token]), {"by": value}


def book_for(booking: Booking, value: str) -> Request:
    return Client(), reverse("booking_verify", args=[booking.token]), {"booking_for": value}


def book_party(booking: Booking, value: str) -> Request:
    return Client(), reverse("book", args=[booking.drive.slug]), {"people": value, "slot": "1", "visit": "return"}


def count_rows() -> list[object]:
    return [
        ConsentEntry.objects.count(),
        list(Suppression.objects.values_list("basis", flat=True)),
        list(Volunteer.objects.order_by("pk").values_list("pk", "name")),
        list(Booking.objects.order_by("pk").values_list("state", "visit", "changed_at")),
    ]


@pytest.mark.parametrize("value", ["yes", "STOP", "off ", "0", "keep\u200b"])
@pytest.mark.parametrize(
    "build",
    [
        *(decide_opt_out, turn_consent, choose_contact, choose_purpose, stop_messages, stop_by_link, record_opt_out),
        *(merge_people, add_booking, send_code_again, book_for, book_party),
    ],
)
def test_an_unknown_value_is_refused_and_changes_nothing(build: Callable[[Booking, str], Request], value: str) -> None:
    client, address, typed = build(world(), value)
    before = count_rows()
    answer = client.post(address, typed)
    assert answer.status_code == 400
    assert "Nothing was changed." in text(answer)
    assert count_rows() == before


@pytest.mark.parametrize("build", [decide_opt_out, record_opt_out, merge_people])
def test_a_decision_without_a_value_is_refused(build: Callable[[Booking, str], Request]) -> None:
    client, address, _typed = build(world(), "")
    before = count_rows()
    assert client.post(address).status_code == 400
    assert count_rows() == before


class SureForm(forms.Form):
    sure = CheckboxField(required=False)


@pytest.mark.parametrize(
    ("posted", "checked"),
    [
        (None, False),
        ("", False),
        ("false", False),
        ("on", True),
        ("true", True),
        ("no", None),
        ("off", None),
        ("1", None),
    ],
)
def test_a_checkbox_accepts_only_its_own_values(posted: str | None, checked: bool | None) -> None:
    form = SureForm({} if posted is None else {"sure": posted})
    assert (form.cleaned_data["sure"] if form.is_valid() else None) is checked
    assert form.errors == ({} if form.is_valid() else {"sure": ["Check this box or leave it empty."]})


def test_templates_know_the_field_as_a_checkbox() -> None:
    assert SureForm()["sure"].widget_type == "checkbox"
