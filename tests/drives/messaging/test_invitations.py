"""Invitations: recipients, limits, consent and channels."""

import itertools
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from drives.booking import changes
from drives.capacity import locks
from drives.desk import booking_record
from drives.messaging import invitation_audience, invitations
from drives.models import Booking, CancelledBy, Drive, ScheduleEntry
from drives.planning import lifecycle
from notifications import consents, message_content
from notifications.models import Message
from organizations.models import Organization
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW
from tests.notifications import made
from volunteers.models import Volunteer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MAIL = "ana@example.org"
NEWS = ("reminders", "news")
AFTER = datetime(2027, 3, 20, 18, 0, tzinfo=NOW.tzinfo)  # a Saturday, 11:00 in Los Angeles
LATER = AFTER.date() + 10 * DAY


def gave(of: Organization, *, number: int = 42, **who: Any) -> Booking:
    """Create a donor who consented to news and donated on DRIVE_DAY, a week before the invitations."""
    drive = Drive.objects.of(of).filter(day=DRIVE_DAY).first() or builders.drive(of)
    n = Booking.objects.filter(drive=drive).count()
    return builders.gave(
        Drive.objects.select_related("organization", "site", "policy").get(pk=drive.pk),
        n=n,
        number=number,
        **{"consents": NEWS, **who},
    )


def coming(of: Organization, days: int = 0, **changes: Any) -> Drive:
    return builders.drive(of, day=LATER + days * DAY, **changes)


def list_messages() -> list[Message]:
    return list(Message.objects.filter(kind="invitation").order_by("pk"))


def test_an_eligible_donor_is_invited_to_the_next_drive_with_spots() -> None:
    owner = builders.organization()
    booking = gave(owner, email=MAIL)
    drive = coming(owner)
    assert invitations.invite_all_donors(now=AFTER) == 1
    (message,) = list_messages()
    slot = builders.slot(drive).pk
    assert message.text == (
        "Hope Foundation: You can give again. Open spots Tue Mar 30, St Mary Hall: "
        f"http://testserver/t/{slot}/ STOP to end"
    )
    assert message_content.count_segments(message.text) == 1
    assert (message.channel, message.purpose, message.priority) == ("sms", "news", 3)
    assert (message.key, message.about) == (f"invitation:{booking.volunteer_id}/2027-03/1/sms", f"drive:{drive.pk}")
    assert (message.recipient, message.keeps_quiet_hours) == (f"volunteer:{booking.volunteer_id}", True)
    assert message.expires_at == AFTER + 3 * DAY
    with override_settings(SMS_PROVIDER="inbox"):
        made.deliver(now=AFTER)
    message.refresh_from_db()
    assert message.state == "delivered"
    record = booking_record.load_booking_record(booking)
    assert record.messages[-1].message.kind == "invitation"


def test_a_donor_who_books_gets_no_further_invitation() -> None:
    owner = builders.organization()
    donors = [gave(owner), gave(owner, number=43, name="Test Dan Dow")]
    drive, later = coming(owner), coming(owner, 7)
    assert invitations.invite_all_donors(now=AFTER) == 2
    news = list_messages()[0]
    news.pk, news.key, news.about = None, "invitation:another/sms", f"drive:{later.pk}"
    news.save()
    builders.booked(drive, now=AFTER)
    left = [
        message.recipient
        for message in list_messages()
        if message.state == "queued" and message.about == f"drive:{drive.pk}"
    ]
    assert left == [f"volunteer:{donors[1].volunteer_id}"]
    news.refresh_from_db()
    assert news.state == "queued"


def test_looking_for_invitations_takes_one_query_for_known_donors_and_none_for_new_ones() -> None:
    owner = builders.organization()
    gave(owner)
    drive = coming(owner)

    def withdrawals(number: int) -> int:
        held = builders.held(drive, n=number % 4, number=number, now=AFTER)
        sent = query_counts.statements_of(lambda: builders.verified(held, number=number, now=AFTER))
        return sum(sql.startswith('UPDATE "notifications_message"') and "'invitation'" in sql for sql in sent)

    assert [withdrawals(42), withdrawals(50)] == [1, 0]


def test_a_second_run_sends_nothing() -> None:
    owner = builders.organization()
    gave(owner)
    coming(owner)
    assert [invitations.invite_all_donors(now=AFTER + n * timedelta(hours=1)) for n in range(3)] == [1, 0, 0]


def full(owner: Organization) -> None:
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=1, steps=1, day=LATER))
    builders.booked(drive, number=7, name="Test Bo Birch")


SILENT: dict[str, Callable[[Organization], Any]] = {
    "no drive": lambda owner: None,
    "a drive of another organization": lambda owner: coming(builders.organization()),
    "a drive that is full": full,
    "a draft": lambda owner: coming(owner, published=False),
    "a drive too far off": lambda owner: coming(owner, 19),
    "a drive that begins within a day": lambda owner: builders.drive(owner, day=AFTER.date()),
    "not allowed yet on the drive's day": lambda owner: coming(
        owner, policy_id=builders.policy(min_hours=None, min_days=28, windows=[]).pk
    ),
    "not allowed yet today, though then": lambda owner: coming(
        owner, policy_id=builders.policy(min_hours=None, min_days=14, windows=[]).pk
    ),
    "booked already": lambda owner: builders.booked(coming(owner), now=NOW + 13 * DAY),
    "booked somewhere else": lambda owner: [
        coming(owner, policy_id=builders.lax().pk),
        builders.booked(coming(builders.organization(), 1, policy_id=builders.lax().pk), now=NOW + 13 * DAY),
    ],
    "switched off": lambda owner: [
        coming(owner),
        ScheduleEntry.objects.create(organization=owner, kind="invitation", channel_choice="text", is_enabled=False),
    ],
    "switched off for this drive": lambda owner: ScheduleEntry.objects.create(
        organization=owner, drive=coming(owner), kind="invitation", channel_choice="text", is_enabled=False
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_no_invitation_without_eligibility_consent_and_spots(case: str) -> None:
    owner = builders.organization()
    gave(owner)
    SILENT[case](owner)
    assert invitations.invite_all_donors(now=AFTER) == 0


def test_a_donor_who_never_gave_is_not_invited() -> None:
    owner = builders.organization()
    gave(owner, outcome="deferred")
    coming(owner)
    assert invitations.invite_all_donors(now=AFTER) == 0


@pytest.mark.parametrize(
    ("agreed", "stopped", "way"),
    [
        ({"phone"}, False, "sms"),
        ({"phone", "email"}, False, "sms"),
        ({"phone", "email"}, True, "email"),
        ({"email"}, False, "email"),
        (set(), False, None),
        ({"phone"}, True, None),
    ],
)
def test_an_invitation_uses_the_channel_with_consent(agreed: set[str], stopped: bool, way: str | None) -> None:
    owner = builders.organization()
    booking = gave(owner, email=MAIL, consents=())
    coming(owner)
    addresses = {"phone": builders.phone(42), "email": MAIL}
    for each in agreed:
        builders.agreed(owner, addresses[each], "news")
    if stopped:
        sender = owner.senders.get()
        consents.suppress_address(sender=sender, address=addresses["phone"], now=NOW)
    invitations.invite_all_donors(now=AFTER)
    assert [message.channel for message in list_messages()] == ([way] if way else [])
    if way == "email":
        (message,) = list_messages()
        assert message.unsubscribe_url.endswith("/?scope=news")
        assert booking.volunteer
        assert booking.volunteer.name in message.text


def test_consent_to_reminders_is_not_consent_to_news() -> None:
    owner = builders.organization()
    gave(owner, consents=("reminders",))
    coming(owner)
    assert invitations.invite_all_donors(now=AFTER) == 0


def test_an_opt_out_before_sending_stops_the_invitation() -> None:
    owner = builders.organization()
    gave(owner)
    coming(owner)
    invitations.invite_all_donors(now=AFTER)
    consents.revoke_consents(
        organization=owner,
        addresses=[builders.phone(42)],
        purposes=["news"],
        wording="made up",
        source="page",
        actor="donor",
        now=AFTER,
    )
    made.deliver(now=AFTER)
    assert [(message.state, message.reason) for message in list_messages()] == [("withdrawn", "consent_withdrawn")]


def test_an_invitation_waits_for_the_end_of_quiet_hours() -> None:
    owner = builders.organization()
    gave(owner)
    coming(owner)
    night = AFTER.replace(hour=4)  # 9 PM on the evening before
    assert invitations.invite_all_donors(now=night) == 0
    assert invitations.invite_all_donors(now=night + timedelta(hours=11, minutes=59)) == 0
    assert invitations.invite_all_donors(now=night + timedelta(hours=12)) == 1


def test_one_invitation_for_each_drive_and_week() -> None:
    owner = builders.organization()
    gave(owner)
    first, second = coming(owner), coming(owner, 7)
    days = [n for n in range(12) if invitations.invite_all_donors(now=AFTER + n * DAY)]
    assert days == [0, 7]
    assert [message.about for message in list_messages()] == [f"drive:{first.pk}", f"drive:{second.pk}"]
    assert [message.key.partition("/")[2] for message in list_messages()] == ["2027-03/1/sms", "2027-03/2/sms"]


def test_at_most_two_invitations_in_any_31_days() -> None:
    owner = builders.organization()
    gave(owner)
    for n in range(0, 70, 5):
        coming(owner, n)
    sent = []
    for now in (AFTER + n * DAY for n in range(60)):
        if invitations.invite_all_donors(now=now):
            sent.append(now)
            made.deliver(now=now)
    assert len(sent) == len(list_messages()) == 4
    assert all(later - earlier >= 31 * DAY for earlier, later in zip(sent, sent[2:], strict=False))
    assert len({message.about for message in list_messages()}) == 4


def test_broadcast_news_counts_toward_the_limit() -> None:
    owner = builders.organization()
    gave(owner)
    coming(owner)
    for _news in range(2):
        made.queued(owner, address=builders.phone(42), purpose="news", due_at=AFTER, expires_at=AFTER + 9 * DAY)
    assert invitations.invite_all_donors(now=AFTER) == 0


def test_a_shared_phone_gets_one_invitation() -> None:
    owner = builders.organization()
    booking = gave(owner)
    other = gave(owner, number=7, name="Test Bo Birch")
    assert booking.volunteer
    assert other.volunteer
    Volunteer.objects.filter(pk=other.volunteer.pk).update(phone=booking.volunteer.phone)
    coming(owner)
    assert [invitations.invite_all_donors(now=AFTER), invitations.invite_all_donors(now=AFTER)] == [1, 0]


def test_a_cancelled_drive_withdraws_its_invitations() -> None:
    owner = builders.organization()
    gave(owner)
    drive = coming(owner)
    invitations.invite_all_donors(now=AFTER)
    lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=AFTER)
    assert [message.state for message in list_messages()] == ["withdrawn"]


def test_a_lapsed_donor_is_offered_a_first_visit() -> None:
    owner = builders.organization()
    booking = gave(owner)
    Booking.objects.filter(pk=booking.pk).update(donated_at=AFTER - 190 * DAY)
    coming(owner)
    invitations.invite_all_donors(now=AFTER)
    assert "/first/ STOP to end" in list_messages()[0].text


def test_batches_take_a_fixed_number_of_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    told_of = {}

    def donors(people: int) -> Callable[[], object]:
        owner = told_of[people] = builders.organization()
        for number in range(people):
            gave(owner, number=10 * people + number, name=f"Test Donor {'ABC'[number]}")
        coming(owner)
        return partial(invitations.invite_donors, organization=owner, now=AFTER)

    query_counts.count_for_each(donors)
    assert Message.objects.filter(kind="invitation").count() == 1 + 3
    owner = told_of[3]
    Message.objects.filter(kind="invitation").delete()
    monkeypatch.setattr(invitations, "BATCH_SIZE", 2)
    assert invitations.invite_donors(organization=owner, now=AFTER) == 3


def test_a_sweep_with_nothing_to_check_takes_one_query_for_any_number_of_organizations() -> None:
    numbers = itertools.count()
    for count in (1, 2, 27):  # 1, 3 and 30 organizations
        for _organization in range(count):
            owner = builders.organization()
            gave(owner, number=next(numbers))
            coming(owner)
        assert invitations.invite_all_donors(now=AFTER) == count
        later = partial(invitations.invite_all_donors, now=AFTER + timedelta(hours=1))
        assert len(query_counts.statements_of(later)) == 1


def test_an_organization_is_checked_again_when_a_drive_changes_and_on_the_next_day() -> None:
    first, other, empty = (builders.organization() for _each in range(3))
    for number, owner in enumerate((first, other)):
        gave(owner, number=number)
    coming(first)
    assert invitations.invite_all_donors(now=AFTER) == 1
    coming(other)
    later = AFTER + timedelta(hours=1)
    assert invitation_audience.list_organizations_to_invite(later) == [other.pk]
    assert invitations.invite_all_donors(now=later) == 1
    new = coming(first, 1)
    coming(empty)
    assert invitation_audience.list_organizations_to_invite(later) == [first.pk, empty.pk]
    assert invitations.invite_all_donors(now=later) == 0
    assert invitation_audience.list_organizations_to_invite(later) == []
    Drive.objects.filter(pk=new.pk).update(version=F("version") + 1)
    assert invitation_audience.list_organizations_to_invite(later) == [first.pk]
    Drive.objects.filter(pk=new.pk).update(version=F("version") - 1)
    midnight = datetime.combine(AFTER + DAY, time(), tzinfo=ZoneInfo("America/Los_Angeles"))
    look = partial(invitation_audience.list_organizations_to_invite, in_quiet_hours=True)
    assert look(midnight - timedelta(seconds=1)) == []
    assert look(midnight) == [first.pk, other.pk, empty.pk]


def test_a_spot_at_a_full_drive_makes_the_next_sweep_check_again() -> None:
    owner = builders.organization()
    gave(owner)
    full(owner)
    assert invitations.invite_all_donors(now=AFTER) == 0
    later = AFTER + timedelta(hours=1)
    for spot in Booking.objects.filter(drive__day=LATER):
        changes.cancel_bookings(booking_id=spot.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=later)
    assert invitations.invite_all_donors(now=later) == 1


def test_a_sweep_that_another_holds_up_leaves_the_check_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = builders.organization()
    gave(owner)
    coming(owner)
    with monkeypatch.context() as held:
        held.setattr(locks, "lock_invitations", lambda _organization: False)
        assert invitations.invite_all_donors(now=AFTER) == 0
    assert invitations.invite_all_donors(now=AFTER) == 1


@pytest.mark.expects_errors
def test_a_failing_organization_does_not_stop_the_others() -> None:
    broken, owner = builders.organization(), builders.organization()
    for number, each in ((1, broken), (2, owner)):
        gave(each, number=number)
        coming(each)
    Drive.objects.filter(organization=broken, day=LATER).update(step_minutes=15, stricter_hours=0)
    broken.sites.update(timezone="Nowhere/Atall")
    assert invitations.invite_all_donors(now=AFTER) == 1


@given(st.lists(st.integers(0, 31 * 24), max_size=6))
def test_the_limit_is_two_a_month_or_one_a_week(hours: list[int]) -> None:
    news = [
        Message(key=f"invitation:1/x/{n}", channel="sms", created_at=AFTER - timedelta(hours=each))
        for n, each in enumerate(hours)
    ]
    assert invitations.has_reached_invitation_limit(news, AFTER) == (
        len(hours) >= 2 or any(each < 7 * 24 for each in hours)
    )


@pytest.mark.parametrize(
    ("minutes", "is_told"),
    [(24 * 60, False), (24 * 60 + 1, True), (28 * 24 * 60, True), (28 * 24 * 60 + 1, False)],
)
def test_invitations_are_for_times_between_a_day_and_four_weeks_ahead(minutes: int, is_told: bool) -> None:
    owner = builders.organization()
    gave(owner)
    starts = AFTER + timedelta(minutes=minutes)
    local = starts.astimezone(ZoneInfo("America/Los_Angeles"))
    planned = builders.plain(builders.site(owner), spots=3, steps=1, day=local.date(), opens=local.time())
    closes = (local + timedelta(minutes=15)).time()
    made_drive = builders.drive(owner, planned.build_copy(closes=closes))
    assert made_drive.starts_at == starts
    assert invitations.invite_all_donors(now=AFTER) == int(is_told)


@pytest.mark.parametrize(("ahead", "useful"), [(timedelta(days=2), timedelta(days=2)), (4 * DAY, 3 * DAY)])
def test_an_invitation_expires_after_three_days_or_at_its_first_time(ahead: timedelta, useful: timedelta) -> None:
    owner = builders.organization()
    gave(owner)
    now = AFTER + timedelta(hours=1)
    local = (now + ahead).astimezone(ZoneInfo("America/Los_Angeles"))
    planned = builders.plain(builders.site(owner), spots=3, steps=1, day=local.date(), opens=local.time())
    builders.drive(owner, planned.build_copy(closes=(local + timedelta(minutes=15)).time()))
    assert invitations.invite_all_donors(now=now) == 1
    assert list_messages()[0].expires_at == now + useful


@pytest.mark.parametrize(
    ("ago", "is_told"),
    [
        ([7 * DAY], True),
        ([7 * DAY - timedelta(seconds=1)], False),
        ([8 * DAY, 31 * DAY], True),
        ([8 * DAY, 31 * DAY - timedelta(seconds=1)], False),
    ],
)
def test_the_limit_is_one_news_message_in_a_week_or_two_in_31_days(ago: list[timedelta], is_told: bool) -> None:
    owner = builders.organization()
    gave(owner)
    coming(owner)
    for each in ago:
        news = made.queued(owner, address=builders.phone(42), purpose="news", due_at=AFTER, expires_at=AFTER + DAY)
        Message.objects.filter(pk=news.pk).update(state="delivered", created_at=AFTER - each, sending_at=AFTER - each)
    assert invitations.invite_all_donors(now=AFTER) == int(is_told)
