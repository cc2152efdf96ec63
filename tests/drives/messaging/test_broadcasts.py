"""Broadcasts: recipients, consent, price, and the time in which a coordinator can undo one."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.attendance import check_in
from drives.booking import changes
from drives.messaging import broadcast_queries, broadcasts
from drives.messaging.broadcast_queries import Audience
from drives.messaging.broadcasts import BroadcastDraft
from drives.messaging.texts import booking_texts
from drives.messaging.texts import broadcast_texts as texts_broadcasts
from drives.models import Booking, BookingState, Broadcast, BroadcastKind, CancelledBy, Drive
from drives.web import links
from notifications import consents, message_content
from notifications.models import Message, Purpose
from organizations.models import AuditEntry
from tests import builders
from tests.builders import NOW
from tests.notifications import made
from volunteers.models import Contact

pytestmark = pytest.mark.django_db

BEN = "user:7"
EXPECTED = Audience()


def create_drive_with_donors(*numbers: int, **who: Any) -> Drive:
    """Create a drive, and book these donors half an hour apart. Delete their messages."""
    drive = builders.drive()
    for position, number in enumerate(numbers):
        builders.booked(drive, n=2 * position, number=number, **who)
    Message.objects.all().delete()
    return drive


def draft(
    text: str = "Bring a sweater.", purpose: str = Purpose.REMINDERS, audience: Audience = EXPECTED
) -> BroadcastDraft:
    return BroadcastDraft({"en": text}, audience, purpose)


def send(
    drive: Drive, what: BroadcastDraft | None = None, count: int | None = None, key: str = "a", now: datetime = NOW
) -> Broadcast:
    what = what or draft()
    typed = broadcasts.preview_broadcast(drive=drive, draft=what).recipient_count if count is None else count
    return broadcasts.send_broadcast(drive=drive, draft=what, typed_count=typed, request_key=key, actor=BEN, now=now)


def refused(drive: Drive, what: BroadcastDraft, count: int | None = None, now: datetime = NOW) -> set[str]:
    with pytest.raises(ValidationError) as refusal:
        send(drive, what, count, now=now)
    errors = refusal.value.error_dict.values() if hasattr(refusal.value, "error_dict") else [refusal.value.error_list]
    assert Message.objects.count() == Broadcast.objects.count() == 0
    return {str(error.code) for each in errors for error in each}


def list_messages() -> list[tuple[str, str, str, str]]:
    rows = Message.objects.filter(kind__in=BroadcastKind.values).order_by("address")
    return [(row.channel, row.address, row.state, row.reason) for row in rows]


def test_expected_donors_get_the_broadcast_after_the_undo_time() -> None:
    drive = create_drive_with_donors(1, 2)
    broadcast = send(drive, draft("Bring a sweater: the hall is cold."))
    made.deliver(NOW + timedelta(minutes=2) - timedelta(seconds=1))
    assert {row[2] for row in list_messages()} == {"queued"}
    made.deliver(NOW + timedelta(minutes=2))
    assert list_messages() == [("sms", builders.phone(1), "delivered", ""), ("sms", builders.phone(2), "delivered", "")]
    text = "Hope Foundation: Bring a sweater: the hall is cold. STOP to end"
    assert set(Message.objects.filter(kind="broadcast").values_list("text", flat=True)) == {text}
    assert (broadcast.people_count, broadcast.text_count, broadcast.cost) == (2, 2, 2 * Decimal("0.0118"))
    assert AuditEntry.objects.get(verb="broadcast.sent").actor == BEN


def test_each_donor_gets_one_message_with_its_own_key() -> None:
    drive = create_drive_with_donors(1)
    booking = Booking.objects.get()
    broadcast = send(drive)
    message = Message.objects.get()
    assert message.key == f"broadcast:{broadcast.pk}/volunteer:{booking.volunteer_id}/sms"
    assert (message.about, message.purpose, message.keeps_quiet_hours) == (booking.about, "", True)


def test_donors_after_a_stop_or_with_an_unverified_number_are_counted_by_reason() -> None:
    drive = create_drive_with_donors(1, 2)
    builders.booked(drive, n=8, number=3, consents=())
    builders.booked(drive, n=12, number=4, consents=())
    Contact.objects.filter(address=builders.phone(3)).update(owner=None, verified_at=None)
    Message.objects.all().delete()
    sender = drive.organization.senders.get()
    consents.suppress_address(sender=sender, address=builders.phone(2), now=NOW)
    before = broadcasts.preview_broadcast(drive=drive, draft=draft())
    assert (before.recipient_count, sorted(before.reach.reasons)) == (2, [("no_consent", 1), ("opted_out", 1)])
    broadcast = send(drive)
    made.deliver(NOW + timedelta(minutes=2))
    assert list_messages() == [
        ("sms", builders.phone(1), "delivered", ""),
        ("sms", builders.phone(2), "blocked", "opted_out"),
        ("sms", builders.phone(3), "blocked", "no_consent"),
        ("sms", builders.phone(4), "delivered", ""),
    ]
    assert (broadcast.people_count, broadcast.text_count, broadcast.unreached_count) == (2, 2, 2)


def test_an_opt_out_within_the_undo_time_is_respected() -> None:
    drive = create_drive_with_donors(1)
    send(drive)
    consents.suppress_address(sender=drive.organization.senders.get(), address=builders.phone(1), now=NOW)
    made.deliver(NOW + timedelta(minutes=2))
    assert list_messages() == [("sms", builders.phone(1), "withdrawn", "opted_out")]


def test_a_donor_who_stopped_texts_gets_an_email() -> None:
    drive = create_drive_with_donors(1, consents=(), email="ana@example.org")
    consents.suppress_address(sender=drive.organization.senders.get(), address=builders.phone(1), now=NOW)
    broadcast = send(drive, draft("Bring a sweater, {name}."))
    message = Message.objects.get()
    assert (message.channel, message.address, message.purpose) == ("email", "ana@example.org", "")
    assert "Hello Test Ana Alder,\n\nBring a sweater, Test Ana Alder.\n\nYour booking: http" in message.text
    assert (broadcast.text_count, broadcast.email_count, broadcast.cost) == (0, 1, Decimal())


def test_a_mailbox_that_opted_out_gets_messages_about_the_visit_and_no_news() -> None:
    drive = create_drive_with_donors(1, consents=(), email="ana@example.org")
    organization = drive.organization
    consents.suppress_address(sender=organization.senders.get(), address=builders.phone(1), now=NOW)
    builders.agreed(organization, "ana@example.org", *Purpose.values, given=False)
    assert refused(drive, draft(purpose=Purpose.NEWS), 0) == {"none_reachable"}
    assert send(drive).email_count == 1


def test_news_needs_consent_to_news() -> None:
    drive = create_drive_with_donors(1, 2, email="ana@example.org")
    builders.booked(drive, n=8, number=3, consents=("reminders", "news"))
    Message.objects.all().delete()
    before = broadcasts.preview_broadcast(drive=drive, draft=draft("Come again in May.", Purpose.NEWS))
    assert (before.recipient_count, before.reach.reasons) == (1, [("no_consent", 2)])
    send(drive, draft("Come again in May.", Purpose.NEWS))
    assert [(message.address, message.purpose) for message in Message.objects.all()] == [(builders.phone(3), "news")]


@pytest.mark.parametrize("audience", [Audience(("cancelled",)), Audience(("booked", "no_show"))])
def test_a_message_about_the_visit_needs_a_visit_ahead(audience: Audience) -> None:
    drive = create_drive_with_donors(1)
    assert "no_visit_ahead" in refused(drive, draft(audience=audience), 1)
    after = drive.ends_at + timedelta(hours=1)
    assert "no_visit_ahead" in refused(drive, draft(), 1, now=after)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_typed_count_must_match(count: int) -> None:
    assert refused(create_drive_with_donors(1, 2), draft(), count) == {"count_differs"}


def test_a_booking_since_the_preview_changes_the_count() -> None:
    drive = create_drive_with_donors(1)
    typed = broadcasts.preview_broadcast(drive=drive, draft=draft()).recipient_count
    builders.booked(drive, n=4, number=2)
    Message.objects.all().delete()
    assert refused(drive, draft(), typed) == {"count_differs"}


def test_a_second_tap_sends_nothing() -> None:
    drive = create_drive_with_donors(1, 2)
    assert send(drive) == send(drive)
    assert (Message.objects.count(), AuditEntry.objects.filter(verb="broadcast.sent").count()) == (2, 1)
    assert send(drive, key="b") != send(drive)


def test_a_broadcast_is_stopped_before_any_message_leaves() -> None:
    drive = create_drive_with_donors(1, 2)
    broadcast = send(drive)
    assert broadcasts.stop_broadcast(broadcast=broadcast, actor=BEN, now=NOW + timedelta(minutes=1)) == 2
    made.deliver(NOW + timedelta(minutes=2))
    assert {(row[2], row[3]) for row in list_messages()} == {("withdrawn", "stopped")}
    assert broadcasts.stop_broadcast(broadcast=broadcast, actor=BEN, now=NOW) == 0
    assert AuditEntry.objects.filter(verb="broadcast.stopped").count() == 1


def test_a_late_stop_withdraws_the_rest_of_this_broadcast_only() -> None:
    drive = create_drive_with_donors(1, 2, 3)
    broadcast, other = send(drive), send(drive, draft("Another word."), key="b")
    Message.objects.filter(key__startswith=f"{other.about}/").update(due_at=NOW + timedelta(hours=1))
    Message.objects.filter(key__startswith=f"{broadcast.about}/", address=builders.phone(3)).update(
        due_at=NOW + timedelta(hours=1)
    )
    made.deliver(NOW + timedelta(minutes=2))
    assert broadcasts.stop_broadcast(broadcast=broadcast, actor=BEN, now=NOW + timedelta(minutes=3)) == 1
    delivery = broadcast_queries.load_broadcast_row(broadcast).delivery_summary
    assert (
        delivery.delivered,
        delivery.withdrawn,
        broadcast_queries.load_broadcast_row(other).delivery_summary.planned,
    ) == (
        2,
        1,
        3,
    )


def test_a_donor_who_cancels_meanwhile_gets_no_message() -> None:
    drive = create_drive_with_donors(1)
    send(drive)
    changes.cancel_bookings(booking_id=Booking.objects.get().pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    assert Message.objects.get(kind="broadcast").state == "withdrawn"


def test_an_audience_is_limited_by_times_and_states() -> None:
    drive = create_drive_with_donors(1, 2, 3)
    second = builders.slot(drive, 2).starts_at
    for audience, numbers in (
        (Audience(from_at=second), {2, 3}),
        (Audience(until_at=second), {1}),
        (Audience(from_at=second, until_at=second + timedelta(minutes=15)), {2}),
        (Audience(("confirmed",)), set()),
        (Audience(("booked",)), {1, 2, 3}),
    ):
        found = broadcasts.preview_broadcast(drive=drive, draft=draft(audience=audience)).reach.reached
        assert {one.address for one in found} == {builders.phone(number) for number in numbers}


def test_each_donor_gets_their_language_if_it_was_typed() -> None:
    drive = create_drive_with_donors(1)
    builders.booked(drive, n=4, number=2, language="es")
    Message.objects.all().delete()
    send(drive, BroadcastDraft({"en": "Come to door B.", "es": "Venga a la puerta B."}, EXPECTED, Purpose.REMINDERS))
    texts = dict(Message.objects.values_list("address", "text"))
    assert texts[builders.phone(1)] == "Hope Foundation: Come to door B. STOP to end"
    assert texts[builders.phone(2)] == "Hope Foundation: Venga a la puerta B. STOP para salir"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_missing"),
        ("Look at www.example.org", "foreign_link"),
        ("Come at {hour}", "unknown_variable"),
        ("a" * 450, "too_long"),
    ],
)
def test_unusable_texts_are_refused(text: str, code: str) -> None:
    assert code in refused(create_drive_with_donors(1), draft(text), 1)


def test_variables_are_filled_in_for_each_donor() -> None:
    drive = create_drive_with_donors(1)
    send(drive, draft("{name}, come to {location} at {time}: {link}"))
    booking = Booking.objects.get()
    link = links.build_booking_link(booking)
    said = f"Hope Foundation: Test Ana Alder, come to St Mary Hall at 9:00 AM: {link} STOP to end"
    assert Message.objects.get().text == said


def test_the_price_counts_segments() -> None:
    drive = create_drive_with_donors(1, 2)
    before = broadcasts.preview_broadcast(drive=drive, draft=draft("a" * 200))
    assert (before.price.segments, before.price.cost) == (4, 4 * Decimal("0.0118"))


def test_a_broadcast_takes_the_same_queries_for_three_donors_as_for_one(django_assert_num_queries: Any) -> None:
    for numbers in ((1,), (2, 3, 4)):
        drive = create_drive_with_donors(*numbers)
        with django_assert_num_queries(4):
            broadcasts.preview_broadcast(drive=drive, draft=draft())


# Running late


def on_the_day(drive: Drive, hour: float = 0) -> datetime:
    return drive.starts_at + timedelta(hours=hour)


def late(drive: Drive, minutes: int = 20, now: datetime | None = None, key: str = "a") -> Broadcast:
    at = now or on_the_day(drive)
    return broadcasts.send_late_notice(drive=drive, minutes=minutes, request_key=key, actor=BEN, now=at)


def test_a_late_notice_goes_to_due_donors_who_are_not_checked_in() -> None:
    drive = builders.drive()
    due, arrived, later, gone = (builders.booked(drive, n=n, number=n) for n in (0, 1, 16, 2))
    changes.cancel_bookings(booking_id=gone.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    check_in.check_in_donor(booking_id=arrived.pk, actor=BEN, now=on_the_day(drive))
    Message.objects.all().delete()
    broadcast = late(drive)
    made.deliver(on_the_day(drive) + timedelta(seconds=30))
    (message,) = Message.objects.filter(kind="late")
    assert (message.about, message.state) == (due.about, "delivered")
    assert message.text == (
        "Hope Foundation: We're running about 20 min late at St Mary Hall. "
        "We're keeping your 9:00 AM spot. Sorry for the wait. STOP to end"
    )
    assert (broadcast.people_count, broadcast.minutes, later.starts_at > on_the_day(drive, 3)) == (1, 20, True)


def test_a_late_notice_ignores_quiet_hours_and_leaves_in_30_seconds() -> None:
    drive = create_drive_with_donors(1)
    late(drive)
    message = Message.objects.get()
    assert (message.keeps_quiet_hours, message.due_at) == (False, on_the_day(drive) + timedelta(seconds=30))


def test_the_same_late_notice_within_ten_minutes_is_refused() -> None:
    drive = create_drive_with_donors(1)
    late(drive)
    for minutes, code in ((20, "said_lately"), (15, "minutes_unknown")):
        with pytest.raises(ValidationError) as refusal:
            late(drive, minutes, key="b")
        assert refusal.value.error_list[0].code == code
    assert late(drive, 45, key="c").minutes == 45
    assert late(drive, 20, on_the_day(drive, 0.2), key="d").minutes == 20


def test_a_stopped_late_notice_can_be_sent_again() -> None:
    drive = create_drive_with_donors(1)
    broadcasts.stop_broadcast(broadcast=late(drive), actor=BEN, now=on_the_day(drive))
    assert late(drive, key="b").people_count == 1


@pytest.mark.parametrize(("hours", "code"), [(-24, "drive_not_today"), (7, "drive_not_today"), (5.9, "none_due")])
def test_a_late_notice_needs_a_running_drive_and_due_donors(hours: float, code: str) -> None:
    drive = create_drive_with_donors(1)
    with pytest.raises(ValidationError) as refusal:
        late(drive, now=on_the_day(drive, hours))
    assert refusal.value.error_list[0].code == code


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_late_notice_fits_one_segment_with_the_longest_names(language: str) -> None:
    owner = builders.organization(sms_name="W" * 20)
    drive = builders.drive(owner, builders.plan(builders.site(owner, sms_name="M" * 20)))
    booking = builders.booked(drive, n=12, language=language)
    booking = Booking.objects.select_related("drive__site", "drive__organization", "volunteer").get(pk=booking.pk)
    wording = booking_texts.call_in_language(language, lambda: texts_broadcasts.render_late_notice(booking, "sms", 45))
    assert (message_content.count_segments(wording.text), message_content.is_gsm(wording.text)) == (1, True), (
        wording.text
    )


@pytest.mark.parametrize(("seconds", "refused_as"), [(599, ["said_lately"]), (600, [])])
def test_the_same_late_notice_is_allowed_after_ten_minutes(seconds: int, refused_as: list[str]) -> None:
    drive = create_drive_with_donors(1)
    late(drive)
    codes = []
    try:
        late(drive, now=on_the_day(drive) + timedelta(seconds=seconds), key="b")
    except ValidationError as refusal:
        codes = [error.code for error in refusal.error_list]
    assert codes == refused_as


@pytest.mark.parametrize("minutes", [5, 10, 15, 20, 30, 40, 45, 60])
def test_only_the_offered_minutes_are_accepted(minutes: int) -> None:
    drive = create_drive_with_donors(1)
    if minutes in {10, 20, 30, 45}:
        assert late(drive, minutes).minutes == minutes
    else:
        with pytest.raises(ValidationError):
            late(drive, minutes)


@pytest.mark.parametrize(
    ("minutes", "reached"),
    [(-180 - 1, 0), (-180, 0), (-179, 1), (0, 1), (30, 1), (31, 0)],
)
def test_a_late_notice_reaches_arrivals_of_the_next_three_hours_and_last_half_hour(minutes: int, reached: int) -> None:
    drive = builders.drive()
    booking = builders.booked(drive, n=14)
    audience = broadcast_queries.build_late_audience(booking.starts_at + timedelta(minutes=minutes))
    found = broadcasts.preview_broadcast(drive=drive, draft=draft(audience=audience))
    assert found.recipient_count == reached


@pytest.mark.parametrize("minutes", [10, 45])
def test_a_late_notice_expires_when_the_drive_has_caught_up(minutes: int) -> None:
    begun, ahead = create_drive_with_donors(1), create_drive_with_donors(2)
    catches_up = timedelta(minutes=minutes)
    broadcast = late(begun, minutes, now=on_the_day(begun) + timedelta(minutes=5))
    assert Message.objects.get(address=builders.phone(1)).expires_at == broadcast.due_at + catches_up
    late(ahead, minutes, now=on_the_day(ahead, -2), key="b")
    assert Message.objects.get(address=builders.phone(2)).expires_at == on_the_day(ahead) + catches_up


def test_news_expires_after_three_days_and_a_visit_message_at_the_visit() -> None:
    drive = create_drive_with_donors(1)
    builders.agreed(drive.organization, builders.phone(1), "news")
    news = send(drive, draft(purpose=Purpose.NEWS))
    assert news.due_at == NOW + timedelta(minutes=2)
    assert Message.objects.get().expires_at == news.due_at + timedelta(days=3)
    Message.objects.all().delete()
    send(drive, key="b")
    assert Message.objects.get().expires_at == drive.starts_at


def test_a_message_to_a_checked_in_donor_expires_after_half_an_hour() -> None:
    drive = create_drive_with_donors(1)
    booking = Booking.objects.get()
    check_in.check_in_donor(booking_id=booking.pk, actor=BEN, now=drive.starts_at)
    broadcast = send(
        drive, draft(audience=Audience(states=(BookingState.CHECKED_IN,))), now=drive.starts_at + timedelta(minutes=1)
    )
    assert Message.objects.get().expires_at == broadcast.due_at + timedelta(minutes=30)
