"""Pages of broadcasts, late notices and the call list."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Broadcast, Call, Drive
from notifications import consents
from notifications.models import Message
from organizations.models import Membership, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.notifications import made

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ben(role: str = Role.COORDINATOR) -> Membership:
    return builders.member(builders.organization(), role)


def drive_of(member: Membership, people: int = 2) -> Drive:
    drive = builders.drive(member.organization)
    for number in range(people):
        builders.booked(drive, n=2 * number, number=number)
    Message.objects.all().delete()
    return drive


def address(drive: Drive, page: str = "write_broadcast") -> str:
    return reverse(f"organizer_{page}", args=[drive.pk])


def typed(browser: Client, drive: Drive, **changes: Any) -> dict[str, Any]:
    """Preview a broadcast. Return the form that a coordinator then posts to send it."""
    form = browser.get(address(drive)).context["form"]
    fields = {
        "states": ["booked", "confirmed"],
        "purpose": "reminders",
        "text_en": "Bring a sweater.",
        "request_key": form.initial["request_key"],
        **changes,
    }
    shown = browser.post(address(drive), {**fields, "preview": "1"}).context["shown"]
    return {**fields, "seen": shown["seen"] if shown else "", "send": "1"}


def test_a_previewed_broadcast_is_sent_with_the_typed_count() -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member)
    builders.booked(drive, n=8, number=9)
    consents.suppress_address(sender=member.organization.senders.get(), address=builders.phone(9), now=NOW)
    Message.objects.all().delete()
    fields = typed(browser, drive)
    shown = text(browser.post(address(drive), {**fields, "preview": "1"}))
    assert "Hope Foundation: Bring a sweater. STOP to end" in shown
    assert (
        "People 2 Texts 2 E-mails 0 Can’t be reached 1 1 × asked us to stop texting Segments 2 Cost 0.02 USD" in shown
    )
    assert Message.objects.count() == 0
    sent = browser.post(address(drive), {**fields, "typed_count": "2"}, follow=True)
    assert "2 messages have not gone out yet. Scheduled for 10:02 AM. Stop" in text(sent)
    assert "People 2 Texts 2 E-mails 0 Can’t be reached 1 Cost 0.02 USD Delivery Scheduled 2 " in text(sent)
    assert Broadcast.objects.get().people_count == 2
    assert "Running" not in text(browser.get(address(drive, "broadcasts")))
    assert "Bring a sweater." in text(browser.get(address(drive, "broadcasts")))


def test_a_family_that_shares_a_phone_counts_the_same_on_every_page() -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member, people=1)
    builders.booked_together(drive, number=42)
    Message.objects.all().delete()
    counts = (
        "People 4 Texts 2 E-mails 0 "
        "People who share a phone number or e-mail address get only one message between them."
    )
    fields = typed(browser, drive)
    assert counts in text(browser.post(address(drive), {**fields, "preview": "1"}))
    sent = text(browser.post(address(drive), {**fields, "typed_count": "4"}, follow=True))
    assert counts in sent
    assert "2 messages have not gone out yet." in sent
    made.deliver(NOW + timedelta(minutes=2))
    listed = text(browser.get(address(drive, "broadcasts")))
    assert "4 people" in listed
    assert "2 delivered" in listed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"typed_count": ""}, "This will go to 2 people. Type this number to confirm."),
        ({"typed_count": "3"}, "This will go to 2 people. Type this number to confirm."),
        ({"typed_count": "two"}, "Enter the number of people."),
        (
            {"typed_count": "2", "text_en": "Another text."},
            "The message or its recipients have changed. Review everything again",
        ),
        ({"typed_count": "2", "seen": ""}, "The message or its recipients have changed. Review everything again"),
        ({"typed_count": "2", "states": []}, "Choose who gets this message."),
        ({"typed_count": "2", "states": ["booked", "cancelled"]}, "The message or its recipients have changed."),
        ({"typed_count": "2", "text_en": ""}, "Write the message."),
        ({"typed_count": "2", "text_en": "See https://example.org/"}, "looks like a link"),
    ],
)
def test_an_unseen_or_uncounted_broadcast_is_not_sent(changes: dict[str, Any], words: str) -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member)
    answer = browser.post(address(drive), {**typed(browser, drive), **changes})
    assert answer.status_code == 422
    assert words in text(answer)
    assert (Message.objects.count(), Broadcast.objects.count()) == (0, 0)


def test_news_for_cancelled_donors_needs_consent() -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member)
    answer = browser.post(address(drive), {**typed(browser, drive), "states": ["cancelled"], "preview": "1"})
    assert "Some of the people you chose have no upcoming visit." in text(answer)
    fields = {**typed(browser, drive), "states": ["booked"], "purpose": "news", "preview": "1"}
    assert "We can’t reach any of these people." in text(browser.post(address(drive), fields))


def test_a_second_tap_sends_nothing_and_a_broadcast_can_be_stopped() -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member)
    fields = {**typed(browser, drive), "typed_count": "2"}
    for _ in range(2):
        answer = browser.post(address(drive), fields)
    sent = Broadcast.objects.get()
    assert answer["Location"] == reverse("organizer_broadcast", args=[sent.pk])
    stop = reverse("organizer_stop_broadcast", args=[sent.pk])
    assert "Stopped. 2 messages won’t go out." in text(browser.post(stop, follow=True))
    assert "It’s too late to stop this" in text(browser.post(stop, follow=True))
    assert f"Stopped by {member.user.email}" in text(browser.get(answer["Location"]))


def test_at_night_the_page_names_the_end_of_quiet_hours(time_machine: Any) -> None:
    member = ben()
    drive = drive_of(member)
    time_machine.move_to(NOW + timedelta(hours=12), tick=False)
    browser = coordinator.AllDay(member.user)
    shown = text(browser.post(address(drive), {**typed(browser, drive), "preview": "1"}))
    assert "Texts will go out at 9:00 AM (quiet hours)." in shown


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CHECK_IN])
def test_members_without_the_plan_permission_cannot_send_or_stop(role: str) -> None:
    owner = ben()
    drive = drive_of(owner)
    browser = coordinator.signed_in(owner)
    browser.post(address(drive), {**typed(browser, drive), "typed_count": "2"})
    other = coordinator.signed_in(builders.member(owner.organization, role))
    stop = reverse("organizer_stop_broadcast", args=[Broadcast.objects.get().pk])
    assert [other.get(address(drive)).status_code, other.post(stop).status_code] == [403, 403]
    assert other.get(reverse("organizer_broadcast", args=[Broadcast.objects.get().pk])).status_code == 200
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}


def test_another_organization_cannot_see_a_broadcast() -> None:
    owner = ben()
    drive = drive_of(owner)
    browser = coordinator.signed_in(owner)
    browser.post(address(drive), {**typed(browser, drive), "typed_count": "2"})
    cleo, pk = coordinator.signed_in(ben()), Broadcast.objects.get().pk
    assert cleo.get(reverse("organizer_broadcast", args=[pk])).status_code == 404
    assert cleo.post(reverse("organizer_stop_broadcast", args=[pk])).status_code == 404
    assert cleo.post(reverse("checkin_stop_running_late", args=[drive.slug, pk])).status_code == 404


# Running late


def the_day(time_machine: Any, drive: Drive, role: str = Role.CHECK_IN) -> Client:
    time_machine.move_to(drive.starts_at, tick=False)
    return coordinator.AllDay(builders.member(drive.organization, role).user)


def test_a_late_notice_takes_two_taps_at_check_in(time_machine: Any) -> None:
    drive = drive_of(ben())
    browser = the_day(time_machine, drive)
    where = reverse("checkin_running_late", args=[drive.slug])
    assert f'href="{where}"' in browser.get(reverse("checkin", args=[drive.slug])).content.decode()
    shown = browser.get(where)
    assert "2 people who are due in the next three hours" in text(shown)
    assert re.findall(r'name="minutes" value="(\d+)"', shown.content.decode()) == ["10", "20", "30", "45"]
    told = browser.post(where, {"minutes": "20", "request_key": shown.context["request_key"]}, follow=True)
    assert "We’re letting 2 people know." in text(told)
    assert "Sent at 9:00 AM: “20 min late” (recipients: 2) Stop" in text(told)
    assert Message.objects.filter(kind="late").count() == 2


def test_a_late_notice_can_be_stopped_at_check_in(time_machine: Any) -> None:
    drive = drive_of(ben())
    browser = the_day(time_machine, drive)
    where = reverse("checkin_running_late", args=[drive.slug])
    browser.post(where, {"minutes": "20", "request_key": "a"})
    stop = reverse("checkin_stop_running_late", args=[drive.slug, Broadcast.objects.get().pk])
    assert "Stopped. 2 messages won’t go out." in text(browser.post(stop, follow=True))


@pytest.mark.parametrize("minutes", ["", "15", "-1", "²", "9" * 30])
def test_a_number_of_minutes_that_is_not_offered_is_refused(minutes: str, time_machine: Any) -> None:
    drive = drive_of(ben())
    answer = the_day(time_machine, drive).post(
        reverse("checkin_running_late", args=[drive.slug]), {"minutes": minutes}, follow=True
    )
    assert "Choose how late you are running." in text(answer)
    assert Message.objects.count() == 0


def test_a_viewer_cannot_send_a_late_notice(time_machine: Any) -> None:
    drive = drive_of(ben())
    browser = the_day(time_machine, drive, Role.VIEWER)
    answer = browser.post(reverse("checkin_running_late", args=[drive.slug]), {"minutes": "20"})
    assert (answer.status_code, Message.objects.count()) == (403, 0)


# The call list


def late_and_unreached(time_machine: Any, member: Membership) -> Drive:
    """Create a donor who has sent STOP, and send a late notice. Return the drive."""
    drive = builders.drive(member.organization)
    builders.booked(drive, n=2, number=7)
    consents.suppress_address(sender=member.organization.senders.get(), address=builders.phone(7), now=NOW)
    Message.objects.all().delete()
    browser = the_day(time_machine, drive)
    browser.post(reverse("checkin_running_late", args=[drive.slug]), {"minutes": "20"})
    made.deliver(drive.starts_at + timedelta(seconds=30))
    return drive


def test_the_call_list_shows_donor_topic_and_reason(time_machine: Any) -> None:
    member = ben()
    drive = late_and_unreached(time_machine, member)
    browser = coordinator.AllDay(member.user)
    shown = text(browser.get(address(drive, "call_list")))
    assert "Test Ana Alder 9:30 AM (201) 555-0107" in shown
    assert "running about 20 min late at St Mary Hall." in shown
    assert "not sent: asked us to stop texting" in shown
    home = browser.get("/organizer/")
    assert "did not get a message. Call them." in text(home)
    assert address(drive, "call_list") in home.content.decode()
    desk = text(browser.get(address(drive, "drive")))
    assert "Not sent 1 1 × asked us to stop texting" in desk


def test_a_helper_records_and_deletes_a_call(time_machine: Any) -> None:
    member = ben()
    drive = late_and_unreached(time_machine, member)
    browser = coordinator.AllDay(builders.member(member.organization, Role.CHECK_IN, "helper@example.org").user)
    (row,) = browser.get(address(drive, "call_list")).context["list"].to_call
    tick = reverse("organizer_mark_reached", args=[drive.pk, row.subject.about])
    browser.post(tick, {"topic": "booking:1/another"})
    assert Call.objects.count() == 0
    for _ in range(2):
        shown = text(browser.post(tick, {"topic": [one.topic for one in row.topics]}, follow=True))
    assert Call.objects.count() == 1
    assert "There’s no one to call right now." in shown
    assert "Test Ana Alder Sat Mar 13, 9:00 AM, helper@example.org" in shown
    browser.post(reverse("organizer_unmark_reached", args=[drive.pk, row.subject.about]))
    assert "There’s no one to call right now." not in text(browser.get(address(drive, "call_list")))


def test_a_viewer_reads_the_call_list_but_records_nothing(time_machine: Any) -> None:
    member = ben()
    drive = late_and_unreached(time_machine, member)
    browser = coordinator.AllDay(builders.member(member.organization, Role.VIEWER).user)
    (row,) = browser.get(address(drive, "call_list")).context["list"].to_call
    tick = reverse("organizer_mark_reached", args=[drive.pk, row.subject.about])
    assert browser.post(tick, {"topic": row.topics[0].topic}).status_code == 403
    assert Call.objects.count() == 0


def test_an_end_before_the_start_is_refused() -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member)
    fields = typed(browser, drive, from_time="11:00", until_time="10:00")
    response = browser.post(address(drive), {**fields, "preview": "1"})
    assert response.status_code == 422
    assert '<a href="#id_until_time">Choose a time later than the first one.</a>' in response.content.decode()
    assert "We can’t reach any of these people." not in text(response)


@pytest.mark.parametrize(("characters", "is_refused"), [(499, False), (500, False), (501, True)])
def test_a_broadcast_has_at_most_500_characters(characters: int, is_refused: bool) -> None:
    member = ben()
    browser, drive = coordinator.signed_in(member), drive_of(member)
    fields = {**typed(browser, drive), "text_en": "x" * characters, "preview": "1"}
    assert ("at most 500 characters" in text(browser.post(address(drive), fields))) == is_refused


def test_the_list_of_broadcasts_takes_a_fixed_number_of_queries() -> None:
    browser = coordinator.signed_in(member := ben())
    drive = drive_of(member)

    def broadcasts(count: int) -> Callable[[], object]:
        for _ in range(count):
            browser.post(address(drive), typed(browser, drive, typed_count="2"))
        return lambda: browser.get(address(drive, "broadcasts"))

    query_counts.count_for_each(broadcasts)
    rows = browser.get(address(drive, "broadcasts")).context["rows"]
    assert [row.delivery_summary.planned for row in rows] == [2] * 4
