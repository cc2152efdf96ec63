"""A donor or coordinator resends the confirmation of an upcoming booking, within limits."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse

from drives.booking import changes, resend
from drives.models import Booking, CancelledBy
from drives.refusals import Refusal
from notifications.models import Message
from organizations.models import Role
from tests import builders, storm
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from volunteers.limits import RateLimitExceeded

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
MINUTE = timedelta(minutes=1)


def confirmations(booking: Booking) -> list[tuple[str, str]]:
    sent = Message.objects.filter(about=booking.about, kind="booked").order_by("pk")
    return sorted((message.channel, message.text.split(": ", 1)[-1][:13]) for message in sent)


def test_a_donor_resends_the_confirmation() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    page = Client().post(reverse("booking_resend", args=[booking.token]), follow=True)
    assert "The confirmation is on its way" in text(page)
    assert [channel for channel, _ in confirmations(booking)] == ["email", "email", "sms", "sms"]
    assert len({said for channel, said in confirmations(booking) if channel == "sms"}) == 1


def test_a_second_tap_within_a_minute_sends_nothing_more() -> None:
    booking = builders.booked(builders.drive())
    for _ in range(2):
        resend.resend_confirmation(booking_id=booking.pk, now=NOW)
    assert len(confirmations(booking)) == 2


def test_a_third_resend_in_an_hour_is_refused() -> None:
    booking, answers = builders.booked(builders.drive()), []
    for minutes in range(3):
        with time_machine.travel(NOW + minutes * MINUTE, tick=False):
            answers.append(Client().post(reverse("booking_resend", args=[booking.token])))
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert "Too many requests." in text(answers[-1])
    assert len(confirmations(booking)) == 3


@pytest.mark.parametrize(("cancelled", "later", "code"), [(True, 0, "booking_cancelled"), (False, 20, "visit_past")])
def test_only_an_upcoming_booking_can_be_resent(cancelled: bool, later: int, code: str) -> None:
    booking = builders.booked(builders.drive())
    if cancelled:
        changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    with pytest.raises(Refusal) as caught:
        resend.resend_confirmation(booking_id=booking.pk, now=NOW + timedelta(days=later))
    assert caught.value.codes == [code]
    assert len(confirmations(booking)) == 1


def test_a_coordinator_may_resend_and_a_viewer_may_not() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    address = reverse("organizer_resend", args=[booking.pk])
    viewer: Any = coordinator.signed_in(builders.member(drive.organization, Role.VIEWER))
    assert viewer.post(address).status_code == 403
    assert len(confirmations(booking)) == 1
    ben: Any = coordinator.signed_in(builders.member(drive.organization, Role.COORDINATOR))
    assert "Send the confirmation again" in text(ben.get(reverse("organizer_booking", args=[booking.pk])))
    assert "We’re sending the confirmation again." in text(ben.post(address, follow=True))
    assert len(confirmations(booking)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_of_many_concurrent_resends_succeed() -> None:
    booking = builders.booked(builders.drive())

    def ask(number: int) -> None:
        with transaction.atomic():
            resend.resend_confirmation(booking_id=booking.pk, now=NOW + number * MINUTE)

    answers = storm.at_once(8, ask)
    assert sum(answer is None for answer in answers) == 2
    assert all(answer is None or isinstance(answer, RateLimitExceeded) for answer in answers)
    assert len(confirmations(booking)) == 3


def test_two_resends_an_hour_and_four_a_day_are_allowed() -> None:
    booking = builders.booked(builders.drive())
    hour = NOW.replace(hour=18)
    answers = []
    for at in (
        *(hour, hour + 58 * MINUTE, hour + 59 * MINUTE),
        *(hour + 60 * MINUTE, hour + 119 * MINUTE),
        *(hour + 120 * MINUTE, hour.replace(hour=23, minute=59), hour + timedelta(hours=6)),
    ):
        try:
            with transaction.atomic():
                resend.resend_confirmation(booking_id=booking.pk, now=at)
        except RateLimitExceeded as refusal:
            answers.append((refusal.retry_at - hour) / timedelta(hours=1))
        else:
            answers.append(0.0)
    assert answers == [0, 0, 1, 0, 0, 6, 6, 0]
