"""A real Celery worker and beat with a real Redis, the real Twilio client and the SMTP protocol."""

import time
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now as present

from config.embedded import redis_server
from config.embedded.guard import Guard
from drives.models import Booking
from notifications import queries as notifications_queries
from notifications.models import InboxItem, Message
from tests import builders, figures, programs
from tests.programs import eventually
from tests.standins.smtp import MailSink
from tests.standins.twilio import TwilioStandIn
from tests.standins.twilio_messages import Kept

pytestmark = [
    pytest.mark.stack,
    pytest.mark.needs_redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("stack"),
]


def entered(number: int) -> Booking:
    """Create a booking with a phone and a mailbox, at a drive twelve days from the real time."""
    drive = builders.coming_drive()
    who = {"email": "test.ana.alder@example.org"}
    return builders.booked(drive, n=6, number=number, now=present(), **who)


def parts(mail: EmailMessage) -> list[tuple[str, str | None]]:
    """List the content types of an e-mail's parts. A calendar part also has its method."""
    return [(part.get_content_type(), part.get_param("method")) for part in mail.iter_parts()]  # type: ignore[misc]


def test_a_worker_sends_due_messages_through_twilio_and_smtp(tmp_path: Path, guard: Guard, redis_url: str) -> None:
    booking = entered(42)
    with TwilioStandIn() as twilio, MailSink() as sink, ExitStack() as running:
        environment = {
            "REDIS_URL": redis_url,
            "SMS_PROVIDER": "twilio",
            "TWILIO_API_URL": twilio.url,
            "EMAIL_URL": sink.url,
        }
        running.enter_context(programs.worker(guard, tmp_path / "worker.log", **environment))
        running.enter_context(programs.beat(guard, tmp_path / "beat.log", **environment))
        arrived = eventually(lambda: len(twilio.accepted) == 2 and len(sink.mails) == 1, 40)
        assert arrived, (tmp_path / "worker.log").read_text()[-3000:]
        assert _reported(twilio, _confirmation(twilio, booking)) == "delivered"
    mail = sink.mails[0].parsed
    assert mail["Subject"].startswith("You're booked: ")
    assert parts(mail) == [("text/plain", None), ("text/html", None), ("text/calendar", "REQUEST")]
    assert len(twilio.accepted) == 2
    assert '"level": "error"' not in (tmp_path / "worker.log").read_text()


def test_bookings_go_on_without_redis_and_their_messages_leave_when_it_is_back(
    tmp_path: Path, guard: Guard, request: pytest.FixtureRequest
) -> None:
    program = redis_server.find_redis_binary()
    assert program
    broker = redis_server.start_redis(program, tmp_path, guard)
    environment = {"REDIS_URL": broker.url(), "BASE_URL": "http://localhost"}
    with ExitStack() as running:
        running.enter_context(programs.worker(guard, tmp_path / "worker.log", **environment))
        running.enter_context(programs.beat(guard, tmp_path / "beat.log", **environment))
        assert eventually(lambda: notifications_queries.find_last_delivery_at() is not None, 40), (
            tmp_path / "worker.log"
        ).read_text()[-3000:]
        broker.stop()
        booking = entered(42)
        time.sleep(3)  # longer than a tick of deliver_due
        assert [item.text for item in InboxItem.objects.all()] == []
        began = time.monotonic()
        broker = redis_server.start_redis(program, tmp_path, guard, port=broker.port)
        assert eventually(lambda: InboxItem.objects.count() == 3, 60), (tmp_path / "worker.log").read_text()[-3000:]
        figures.note(request, "seconds until the messages left", round(time.monotonic() - began, 1))
    broker.stop()
    assert sorted(InboxItem.objects.values_list("channel", flat=True)) == ["email", "sms", "sms"]
    states = set(Message.objects.filter(about=booking.about).values_list("state", flat=True))
    assert states == {"scheduled", "delivered"}


def _confirmation(twilio: TwilioStandIn, booking: Booking) -> Kept:
    """Return the text with the booking's confirmation.

    Check that the code and the confirmation arrived once each, and that the provider got our URL for reports.
    """
    code = builders.code_of(booking)
    confirmation, told = sorted(twilio.accepted, key=lambda kept: kept.fields["Body"].startswith(code))
    assert told.fields["Body"].startswith(code)
    assert f"http://testserver/b/{booking.token}/ STOP to end" in confirmation.fields["Body"]
    assert confirmation.fields["To"] == builders.phone(42)
    assert confirmation.fields["StatusCallback"].startswith("http://testserver/webhooks/twilio/status/")
    return confirmation


def _reported(twilio: TwilioStandIn, kept: Kept) -> str:
    """Send the provider's signed report that the text was delivered. Return the message's state."""
    assert eventually(lambda: Message.objects.filter(provider_id=kept.sid, state="accepted").exists())
    address, fields, signature = twilio.report(kept.sid, "delivered")
    path = address.removeprefix(settings.BASE_URL)
    response = Client().post(path, fields, headers={"x-twilio-signature": signature})
    assert response.status_code == 204
    return Message.objects.get(provider_id=kept.sid).state
