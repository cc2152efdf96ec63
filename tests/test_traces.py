"""A phone number and a cancellation each pass through few files.

A developer can therefore follow them by reading.
"""

from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings

from drives.models import Booking, BookingState
from notifications.models import Message
from tests import builders, figures, traces
from tests.builders import NOW
from tests.journeys.actors import Donor
from tests.notifications import made
from tests.standins.twilio import TwilioStandIn

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

MOST_FILES = 18
DIGITS = "2015550142"


def is_phone(value: object) -> bool:
    return isinstance(value, str) and len(value) < 20 and "".join(filter(str.isdigit, value)).endswith(DIGITS)


def test_a_phone_number_passes_few_files_from_the_form_to_the_provider(request: pytest.FixtureRequest) -> None:
    drive, ana = builders.drive(builders.organization()), Donor()
    page = ana.visitor.open(f"/d/{drive.slug}/?visit=return")
    page = ana.visitor.submit(page.form("/book/"), slot=str(builders.slot(drive).pk))
    details = urlencode(page.form("/book/").filled({"name": ana.name, "phone": "(201) 555-0142"}))

    with TwilioStandIn() as twilio, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=twilio.url):

        def book() -> None:
            ana.browser.send("POST", page.form("/book/").action, details)
            made.deliver(NOW)

        files = traces.files_with(is_phone, book)
        assert [is_phone(text.fields["To"]) for text in twilio.accepted] == [True]
    figures.note(request, "files that a phone number passes", f"{len(files)}: {', '.join(sorted(files))}")
    assert len(files) <= MOST_FILES, files


def test_a_cancellation_passes_few_files(request: pytest.FixtureRequest) -> None:
    booking = builders.booked(builders.drive(builders.organization()))
    names = {booking.token, f"booking:{booking.pk}"}

    def is_booking(value: object) -> bool:
        return value in names if isinstance(value, str) else isinstance(value, Booking) and value.pk == booking.pk

    files = traces.files_with(is_booking, lambda: Client().post(f"/b/{booking.token}/cancel/"))
    booking.refresh_from_db()
    assert booking.state == BookingState.CANCELLED
    assert Message.objects.filter(kind="cancelled").exists()
    figures.note(request, "files that a cancellation passes", f"{len(files)}: {', '.join(sorted(files))}")
    assert len(files) <= MOST_FILES, files


@pytest.mark.parametrize("argument", ["(201) 555-0142", {"phone": "+12015550142"}, [("phone", ["2015550142"])]])
def test_control_one_more_file_with_the_value_is_counted(argument: object) -> None:
    seeded: dict[str, object] = {}
    source = "def normalize(argument): return None"
    exec(compile(source, str(traces.ROOT / "drives" / "seeded.py"), "exec"), seeded)  # noqa: S102  our own line
    normalize = seeded["normalize"]
    assert callable(normalize)
    assert traces.files_with(is_phone, lambda: normalize(argument)) == {"drives/seeded.py": {"normalize"}}
    assert traces.files_with(is_phone, lambda: normalize("(201) 555-0143")) == {}
