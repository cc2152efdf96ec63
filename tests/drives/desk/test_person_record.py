"""A person's page: messages, consents, and changes of the record."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.urls import reverse

from drives.desk import person_record, rules
from notifications.kinds import KINDS
from notifications.models import Channel, Message
from organizations.models import AuditEntry, Membership, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from volunteers import profile
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ana() -> tuple[Membership, Volunteer]:
    """Return a coordinator, and a donor with a booking."""
    member = builders.member(builders.organization())
    booking = builders.booked(builders.drive(member.organization))
    assert booking.volunteer
    return member, booking.volunteer


def page_of(member: Membership, person: Volunteer) -> str:
    return text(coordinator.signed_in(member).get(reverse("organizer_person", args=[person.pk])))


def test_the_page_shows_the_messages_of_all_bookings_and_their_state() -> None:
    member, person = ana()
    shown = page_of(member, person)
    assert "Messages When What Status" in shown
    assert f"{KINDS['booked'].label} {Channel.SMS.label}" in shown
    others = builders.booked(builders.drive(member.organization), number=77)
    assert others.volunteer
    about = {row.message.about for row in person_record.load_person_record(person).messages}
    assert f"booking:{others.pk}" not in about
    assert len(about) == 1


def test_the_newest_messages_come_first_and_old_ones_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _member, person = ana()
    every = list(Message.objects.filter(about__startswith="booking:").order_by("-due_at", "-pk"))
    assert len(every) > 2
    monkeypatch.setattr(rules, "PERSON_MESSAGES_SHOWN", 2)
    assert [row.message for row in person_record.load_person_record(person).messages] == every[:2]


def test_the_page_shows_what_the_person_agreed_to_and_withdrew() -> None:
    member, person = ana()
    builders.agreed(member.organization, builders.phone(42), "reminders")
    builders.agreed(member.organization, builders.phone(42), "reminders", given=False, now=NOW + timedelta(minutes=1))
    shown = page_of(member, person).partition("Consents")[2]
    assert "agreed" in shown
    assert "withdrawn" in shown


def test_a_corrected_name_leaves_a_trace_on_the_page() -> None:
    member, person = ana()
    profile.correct_name(volunteer=person, name="Test Ana Ash", actor=f"user:{member.user.pk}", now=NOW)
    entry = AuditEntry.objects.filter(about=f"volunteer:{person.pk}").latest("at", "pk")
    assert entry.actor == f"user:{member.user.pk}"
    assert f"by {member.user.email}" in page_of(member, person).partition("Changes")[2]


def test_a_viewer_sees_no_full_contact_in_the_record() -> None:
    member, person = ana()
    builders.agreed(member.organization, builders.phone(42), "reminders")
    shown = page_of(builders.member(member.organization, Role.VIEWER), person)
    assert "agreed" in shown
    assert "(201) 555-0142" not in shown


def test_one_booking_and_three_take_the_same_number_of_queries() -> None:
    member, person = ana()
    browser = coordinator.signed_in(member)
    address = reverse("organizer_person", args=[person.pk])

    def bookings(many: int) -> Callable[[], object]:
        for day in range(person.bookings.count(), many):
            builders.booked(builders.drive(member.organization, day=builders.DRIVE_DAY + timedelta(days=30 * day)))
        browser.get(address)
        return partial(browser.get, address)

    query_counts.count_for_each(bookings)
