"""A donor verifies a contact while a coordinator books a donor with the same contact.

The two transactions do not deadlock.
"""

import pytest
from django.db import OperationalError

from drives.booking import book_for_donor, verify
from drives.models import Booking
from drives.refusals import Refusal
from tests import builders, storm
from tests.builders import NOW
from volunteers.verification import CodeWrong


@pytest.mark.django_db(transaction=True)
def test_verifying_and_entering_the_same_contact_at_once_makes_one_booking() -> None:
    hope = builders.organization()
    drive = builders.drive(hope, chairs=40, screening_stations=40)
    for number in range(1, 9):
        held = builders.held(drive, number=number)
        code = builders.code_of(held)
        slot_id = builders.slot(drive, 8).pk

        def work(
            n: int, number: int = number, held: Booking = held, code: str = code, slot_id: int = slot_id
        ) -> Booking:
            if n % 2:
                return verify.verify_booking(booking_id=held.pk, code=code, bound_to=f"browser-{number}", now=NOW)
            return book_for_donor.create_booking_for_donor(
                drive=drive, slot_id=slot_id, visit="return", person=builders.person(number), actor="user:1", now=NOW
            )

        answers = storm.at_once(6, work)
        assert [answer for answer in answers if isinstance(answer, OperationalError)] == []
        booked = Booking.objects.filter(state="booked", volunteer__phone__address=builders.phone(number))
        assert booked.count() == 1, answers
        assert {type(answer) for answer in answers} <= {Booking, Refusal, CodeWrong}
