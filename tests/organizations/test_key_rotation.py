"""Links, codes and sessions survive a change of SECRET_KEY. With a wrong key, the service does not start."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse

from config import keys
from drives.booking import verify
from drives.models import Booking
from organizations import key_fingerprints
from organizations.models import KeyFingerprint
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
OLD = "tests-only-secret-key-that-is-long-enough-for-the-system-check"
NEW = "tests-only-another-secret-key-that-is-long-enough-for-the-check"
ROTATING = override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD])
ROTATED = override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[])


@pytest.fixture
def booking() -> Booking:
    key_fingerprints.record_keys()
    return builders.booked(builders.drive())


def opens(token: str) -> bool:
    return "You’re booked" in text(Client().get(reverse("booking", args=[token]), follow=True))


def test_a_link_keeps_working_while_the_secret_key_changes_and_afterwards(booking: Booking) -> None:
    sent = booking.token
    with ROTATING:
        assert opens(sent)
        assert Booking.objects.get(pk=booking.pk).token == sent  # a later message contains the same link
        call_command("reseal_links")
    with ROTATED:
        assert opens(sent)
        assert Booking.objects.get(pk=booking.pk).token == sent
        assert key_fingerprints.list_key_problems() == []


def test_a_key_that_was_dropped_too_early_keeps_the_service_from_starting(booking: Booking) -> None:
    with ROTATED:
        with pytest.raises(ImproperlyConfigured, match="Add that key to SECRET_KEY_FALLBACKS"):
            keys.refuse_wrong_keys()
        with pytest.raises(CommandError, match="None of the keys can read"):
            call_command("reseal_links")
    keys.refuse_wrong_keys()  # the earlier key is back
    assert KeyFingerprint.objects.filter(name="SECRET_KEY").count() == 1
    assert opens(booking.token)


def test_after_a_lost_key_revoking_all_links_lets_the_service_start(booking: Booking) -> None:
    sent = booking.token
    with ROTATED:
        call_command("revoke_links", "--all")
        keys.refuse_wrong_keys()
        renewed = Booking.objects.get(pk=booking.pk).token
        assert opens(renewed)
        assert not opens(sent)


def test_a_code_that_was_sent_before_the_change_still_works() -> None:
    held = builders.held(builders.drive())
    code = builders.code_of(held)
    with ROTATING:
        booked = verify.verify_booking(booking_id=held.pk, bound_to="browser-42", code=code, now=NOW)
    assert booked.state == "booked"


def test_a_signed_in_member_stays_signed_in_during_the_change() -> None:
    ben = coordinator.signed_in(builders.member(builders.organization()))
    with ROTATING:
        assert ben.get(reverse("organizer_home")).status_code == 200
    with ROTATED:
        assert ben.get(reverse("organizer_home")).status_code == 200  # the session was signed again
        other = coordinator.signed_in(builders.member(builders.organization("Sun"), email="cleo@example.org"))
    assert other.get(reverse("organizer_home")).status_code == 302


def test_another_identity_key_keeps_the_service_from_starting_and_is_shown(booking: Booking) -> None:
    with override_settings(IDENTITY_KEY=NEW):
        with pytest.raises(ImproperlyConfigured, match="IDENTITY_KEY is not the key of this database"):
            keys.refuse_wrong_keys()
        checks = Client().get("/readyz").json()["checks"]
        assert checks["keys"].startswith("IDENTITY_KEY is not the key of this database")
    keys.refuse_wrong_keys()
    assert Client().get("/readyz").json()["checks"]["keys"] == "ok"
