"""Pages of message schedules, custom texts and sending settings."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config import settings as project
from drives.domain import reminder_times
from drives.messaging import reminders, schedule
from drives.messaging.default_schedule import DEFAULT_SCHEDULE
from drives.messaging.texts import wording
from drives.messaging.texts.wording import TEXTS, TextTemplate
from drives.models import CustomText, Drive, ScheduleEntry
from notifications.models import Message
from organizations.models import Membership, Organization, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.notifications import made

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PLAN, OVERVIEW, SENDING = "/organizer/messages/schedule/", "/organizer/messages/", "/organizer/messages/sending/"


def ben(**fields: Any) -> tuple[Client, Organization]:
    member = builders.member(builders.organization(**fields))
    return coordinator.signed_in(member), member.organization


def typed_schedule(of: Organization, **changes: str) -> dict[str, str]:
    """Return the form of the message schedule as the page shows it, with these changes."""
    return _typed(schedule.load_organization_schedule(of), changes)


def typed_drive_schedule(of: Drive, **changes: str) -> dict[str, str]:
    return _typed(schedule.load_drive_schedule(of), changes)


def _typed(plan: reminder_times.MessageSchedule, changes: dict[str, str]) -> dict[str, str]:
    typed = {
        "version": reminder_times.compute_schedule_fingerprint(plan),
        "visit_day": "2027-03-13",
        "visit_time": "10:30",
        "lead_days": "14",
    }
    for kind, line in plan.items():
        typed |= {
            f"{kind}-channel_choice": line.channel_choice,
            f"{kind}-days": str(line.days),
            f"{kind}-hours": str(line.hours),
        }
        typed |= {f"{kind}-is_enabled": "on"} if line.is_enabled else {}
    typed |= {name.replace("__", "-"): value for name, value in changes.items()}
    return {name: value for name, value in typed.items() if value != "off"}


def read_text(kind: str, language: str = "en") -> str:
    return reverse("organizer_custom_text", args=[kind, language])


def type_text(new: str, *, kept: TextTemplate | None = None, **more: str) -> dict[str, str]:
    return {"version": wording.compute_text_version(kept or TextTemplate()), "text": new, "opening": "", **more}


def test_the_overview_shows_schedule_texts_and_price() -> None:
    browser, owner = ben()
    builders.drive(owner)
    shown = text(browser.get(OVERVIEW))
    for said in (
        "For a visit on Saturday, March 13, 9:00 AM Pacific Time",
        "Sat Mar 6, 9:00 AM Early reminder E-mail",
        "Wed Mar 10, 9:00 AM Reminder, a few days before Text, or e-mail if we can’t text",
        "{org}: You're booked {day}, {time}, {location}.",
        "0.0118 USD",
        "9:00 AM – 8:00 PM",
        "Plasma drive Saturday, March 13 · 0 people booked",
    ):
        assert said in shown, said


def test_without_a_drive_or_site_the_pages_show_an_example() -> None:
    browser, _ = ben()
    for page in (OVERVIEW, PLAN, read_text("booked")):
        assert "Your location" in text(browser.get(page)) or page != read_text("booked")
        assert browser.get(page).status_code == 200


def test_the_page_takes_the_same_queries_for_one_drive_and_three() -> None:
    def drives(number: int) -> Callable[[], object]:
        browser, owner = ben()
        for _ in range(number):
            builders.drive(owner)
        browser.get(OVERVIEW)
        return partial(browser.get, OVERVIEW)

    query_counts.count_for_each(drives)


def test_a_changed_schedule_applies_to_existing_bookings() -> None:
    browser, owner = ben()
    drive = builders.drive(owner)
    builders.booked(drive)
    response = browser.post(PLAN, typed_schedule(owner, three_days__days="5", save="1"), follow=True)
    assert "Saved. Reminders for 1 person were rescheduled." in text(response)
    waiting = Message.objects.unsent().filter(kind__in=reminders.REMINDER_KINDS).order_by("due_at")
    assert [message.kind for message in waiting] == ["three_days", "day_before"]
    assert (drive.starts_at - waiting[0].due_at).days == 5
    assert list(ScheduleEntry.objects.values_list("kind", "days")) == [("three_days", 5)]


def test_a_preview_without_javascript_shows_the_times_and_saves_nothing() -> None:
    browser, owner = ben()
    builders.drive(owner)
    shown = text(browser.post(PLAN, typed_schedule(owner, same_day__is_enabled="on", lead_days="2", preview="1")))
    assert "Saturday, March 13, 10:30 AM Pacific Time , booked on Thu Mar 11, these messages go out:" in shown
    assert "Not sent Early reminder E-mail Skipped because it would come too soon after the booking." in shown
    assert "Fri Mar 12, 10:30 AM Reminder, the day before" in shown
    assert (
        "Fri Mar 12, 7:45 PM Reminder, same day Text, or e-mail if we can’t text Moved earlier to avoid quiet hours."
        in shown
    )
    assert not ScheduleEntry.objects.exists()


def test_the_live_preview_saves_nothing() -> None:
    browser, owner = ben()
    builders.drive(owner)
    response = browser.post(f"{PLAN}preview/", typed_schedule(owner, week__is_enabled="off"))
    assert response.content.decode().strip().startswith('<div id="timeline"')
    assert "Early reminder" not in text(response)
    wrong = browser.post(f"{PLAN}preview/", typed_schedule(owner, three_days__days="x"), headers={"hx-request": "true"})
    assert "Please correct the form." in text(wrong)
    assert '<a href="#id_three_days-days">Days before</a>: Enter a whole number.' in wrong.content.decode()
    assert browser.get(f"{PLAN}preview/").status_code == 405
    assert not ScheduleEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"three_days__days": "40"}, "Enter a number of days from 2 to 30."),
        ({"three_days__days": "7"}, "Both reminders would go out on the same day."),
        ({"three_days__days": "soon"}, "Enter a whole number."),
        ({"same_day__is_enabled": "on", "same_day__hours": "0"}, "Enter a number of hours from 1 to 12."),
        ({"booked__channel_choice": "mail"}, "Select a valid choice."),
        ({"visit_day": ""}, "Choose a day for the preview."),
    ],
)
def test_an_invalid_schedule_keeps_the_typed_values(changes: dict[str, str], said: str) -> None:
    browser, owner = ben()
    response = browser.post(PLAN, typed_schedule(owner, day_before__channel_choice="both", save="1", **changes))
    assert response.status_code == 422
    shown = text(response)
    assert "There is a problem" in shown
    assert shown.count(said) == 2
    assert '<option value="both" selected>' in response.content.decode().split("day_before-channel_choice")[-1]
    assert not ScheduleEntry.objects.exists()


def test_two_coordinators_do_not_overwrite_each_other() -> None:
    browser, owner = ben()
    first, second = typed_schedule(owner, three_days__days="4"), typed_schedule(owner, three_days__days="5")
    browser.post(PLAN, {**first, "save": "1"})
    response = browser.post(PLAN, {**second, "save": "1"})
    assert response.status_code == 422
    assert "Someone else has changed this in the meantime." in text(response)
    assert schedule.load_organization_schedule(owner)["three_days"].days == 4


def test_a_drive_gets_its_own_schedule_and_returns() -> None:
    browser, owner = ben()
    drive, other = builders.drive(owner), builders.drive(owner)
    address = reverse("organizer_drive_message_schedule", args=[drive.pk])
    assert "This drive uses your standard schedule." in text(browser.get(address))
    assert browser.post(f"{address}preview/", typed_drive_schedule(drive)).status_code == 200
    browser.post(address, typed_drive_schedule(drive, day_before__is_enabled="off", save="1"))
    plans = schedule.load_drive_schedules(owner, [drive.pk, other.pk])
    assert (plans[drive.pk]["day_before"].is_enabled, plans[other.pk]["day_before"].is_enabled) == (False, True)
    assert "has its own schedule" in text(browser.get(OVERVIEW))
    browser.post(address, {"drop": "1"})
    assert schedule.load_drive_schedule(drive)["day_before"].is_enabled


@pytest.mark.parametrize("language", dict(project.LANGUAGES))
@pytest.mark.parametrize("kind", TEXTS)
def test_every_kind_has_a_page_in_every_language(kind: str, language: str) -> None:
    browser, owner = ben()
    builders.drive(owner)
    shown = text(browser.get(read_text(kind, language)))
    assert "Segments 1" in shown
    assert "Encoding GSM-7" in shown
    assert "Cost 1.18 USD for 100 people" in shown


def test_a_custom_text_is_saved_and_sent() -> None:
    browser, owner = ben()
    drive = builders.drive(owner)
    response = browser.post(read_text("booked"), type_text("Yes! {day} {time}. {link}", save="1"), follow=True)
    assert "Your text is saved." in text(response)
    assert "your text" in text(response)
    booking = builders.booked(drive)
    said = Message.objects.get(about=booking.about, kind="booked").text
    assert said.startswith("Hope Foundation: Yes! Sat Mar 13 9:00 AM. http")
    assert said.endswith(" STOP to end")


def test_unrendered_reminders_use_the_new_text() -> None:
    browser, owner = ben()
    booking = builders.booked(builders.drive(owner))
    browser.post(read_text("day_before"), type_text("Tomorrow, {time}!", save="1"))
    due_at = Message.objects.get(about=booking.about, kind="day_before").due_at
    reminders.render_due_reminders(now=due_at)
    written = Message.objects.get(about=booking.about, kind="day_before")
    assert written.text == "Hope Foundation: Tomorrow, 9:00 AM! STOP to end"


def test_a_custom_opening_is_escaped() -> None:
    browser, owner = ben()
    drive = builders.drive(owner)
    words = type_text("", opening="Dear {name}, <b>thank you</b>", save="1")
    browser.post(read_text("booked"), words)
    booking = builders.booked(drive, email="ana@example.org")
    mail = Message.objects.get(about=booking.about, kind="booked", channel="email")
    assert mail.text.startswith("Dear Test Ana Alder, <b>thank you</b>")
    assert "Dear Test Ana Alder, &lt;b&gt;thank you&lt;/b&gt;" in mail.html


def test_a_text_above_two_segments_is_refused_and_kept_in_the_form() -> None:
    browser, _ = ben()
    long = "{day} {time} {link} " + "á" * 120
    response = browser.post(read_text("booked"), type_text(long, save="1"))
    assert response.status_code == 422
    shown = text(response)
    assert "With the longest names, this takes 4 segments, and the limit is 2. “á” leaves only 70 characters" in shown
    assert "á" * 120 in response.content.decode().split("<textarea")[1]
    assert not CustomText.objects.exists()


def test_the_live_text_preview_counts_warns_and_saves_nothing() -> None:
    browser, _ = ben()
    address = reverse("organizer_preview_custom_text", args=["booked", "es"])
    shown = text(browser.post(address, type_text("¡Sí! {day} {time} {link}")))
    assert "Encoding UCS-2 because of í" in shown
    assert "Segments 2" in shown
    assert "Cost 2.36 USD for 100 people" in shown
    assert "STOP para salir" in shown
    assert "{nope} is not a variable." in text(browser.post(address, type_text("{nope}")))
    assert not CustomText.objects.exists()


def test_texts_are_escaped_in_the_preview() -> None:
    browser, _ = ben()
    response = browser.post(read_text("missed"), type_text("<script>alert(1)</script>", preview="1"))
    assert "<script>alert" not in response.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in response.content.decode()


def test_the_default_returns_when_the_custom_text_is_emptied_or_equal() -> None:
    browser, _ = ben()
    for back in ("", wording.build_default_text("missed").text):
        browser.post(read_text("missed"), type_text("Come again {link}", save="1"))
        kept = TextTemplate("Come again {link}")
        browser.post(read_text("missed"), type_text(back, kept=kept, save="1"))
        assert not CustomText.objects.exists()


def test_restoring_the_default_shows_it_and_saves_nothing() -> None:
    browser, _ = ben()
    browser.post(read_text("missed"), type_text("Come again {link}", save="1"))
    kept = TextTemplate("Come again {link}")
    response = browser.post(read_text("missed"), type_text("Come again {link}", kept=kept, ours="1"))
    assert "{org}: We missed you. Can you come another time? {link} STOP to end" in text(response)
    assert CustomText.objects.count() == 1


def test_a_concurrent_change_of_a_text_is_not_overwritten() -> None:
    browser, _ = ben()
    browser.post(read_text("missed"), type_text("First {link}", save="1"))
    response = browser.post(read_text("missed"), type_text("Second {link}", save="1"))
    assert "Someone else has changed this in the meantime." in text(response)
    assert "Second {link}" in response.content.decode()
    assert CustomText.objects.get().text == "First {link}"


def test_a_test_message_goes_once_to_the_signed_in_member() -> None:
    browser, owner = ben()
    for _ in range(2):
        response = browser.post(read_text("missed"), type_text("Come again {link}", test="1"))
    assert "We’re sending a test to" in text(response)
    mails = Message.objects.filter(kind="test").order_by("pk")
    assert {mail.address for mail in mails} == {Membership.objects.get(organization=owner).user.email}
    assert {mail.channel for mail in mails} == {"email"}
    assert sorted(mail.subject for mail in mails) == ["Test: We missed you", "Text message test"]
    assert not CustomText.objects.exists()


def test_owners_change_hours_and_price_and_reminders_move() -> None:
    browser, owner = ben()
    builders.booked(builders.drive(owner))
    typed = {
        "quiet_until_hour": "10",
        "quiet_from_hour": "18",
        "messages_per_day": "2000",
        "codes_per_day": "500",
        "sms_price": "0.02",
        "sms_currency": "usd",
    }
    assert "Reminders for 1 person were rescheduled." in text(browser.post(SENDING, typed, follow=True))
    owner.refresh_from_db()
    assert (owner.quiet_until_hour, owner.quiet_from_hour, owner.sms_currency) == (10, 18, "USD")
    assert "Cost 2.00 USD for 100 people" in text(browser.get(read_text("booked")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quiet_until_hour": "20", "quiet_from_hour": "9"}, "Choose an hour later than the earliest hour for texts."),
        ({"quiet_until_hour": "3"}, "Select a valid choice."),
        ({"sms_price": "-1"}, "The price can’t be negative."),
        ({"sms_currency": "$"}, "Enter three letters, for example USD."),
    ],
)
def test_impossible_hours_and_prices_are_refused(changes: dict[str, str], said: str) -> None:
    browser, owner = ben()
    typed = {
        "quiet_until_hour": "9",
        "quiet_from_hour": "20",
        "messages_per_day": "2000",
        "codes_per_day": "500",
        "sms_price": "0.02",
        "sms_currency": "USD",
        **changes,
    }
    response = browser.post(SENDING, typed)
    assert (response.status_code, said in text(response)) == (422, True)
    assert Organization.objects.get(pk=owner.pk).quiet_until_hour == 9


def test_unknown_kinds_and_languages_are_not_found() -> None:
    browser, _ = ben()
    for address in (
        read_text("nonsense"),
        read_text("booked", "xx"),
        reverse("organizer_preview_custom_text", args=["x", "en"]),
    ):
        method = browser.post if "preview" in address else browser.get
        assert method(address).status_code == 404


def test_each_role_has_its_permissions() -> None:
    owner = builders.organization()
    drive = builders.drive(owner)
    pages = (OVERVIEW, PLAN, read_text("booked"), reverse("organizer_drive_message_schedule", args=[drive.pk]), SENDING)
    answers = {
        role: [coordinator.signed_in(builders.member(owner, role)).get(page).status_code for page in pages]
        for role in (Role.VIEWER, Role.CHECK_IN, Role.COORDINATOR, Role.OWNER)
    }
    assert answers == {
        Role.VIEWER: [200, 403, 403, 403, 403],
        Role.CHECK_IN: [200, 403, 403, 403, 403],
        Role.COORDINATOR: [200, 200, 200, 200, 403],
        Role.OWNER: [200, 200, 200, 200, 200],
    }


def test_another_organizations_drive_is_not_found() -> None:
    cleo = builders.drive()
    CustomText.objects.create(
        organization=cleo.organization, kind="booked", language="en", text="Cleo’s {link}", changed_at=NOW
    )
    browser, owner = ben()
    for name in ("organizer_drive_message_schedule", "organizer_preview_drive_message_schedule"):
        address = reverse(name, args=[cleo.pk])
        assert browser.post(address, {**typed_schedule(owner), "save": "1", "drop": "1"}).status_code == 404
    assert "Cleo" not in text(browser.get(OVERVIEW))
    assert schedule.load_drive_schedule(cleo) == DEFAULT_SCHEDULE


@pytest.mark.parametrize(("seconds", "state"), [(-1, "delivered"), (0, "expired"), (1, "expired")])
def test_a_test_message_expires_after_an_hour(seconds: int, state: str) -> None:
    browser, _ = ben()
    browser.post(read_text("missed"), type_text("Come again {link}", test="1"))
    made.deliver(NOW + timedelta(hours=1, seconds=seconds))
    assert set(Message.objects.filter(kind="test").values_list("state", flat=True)) == {state}


@pytest.mark.parametrize(("days", "is_refused"), [("364", False), ("365", False), ("366", True)])
def test_the_preview_is_for_a_visit_booked_at_most_a_year_before(days: str, is_refused: bool) -> None:
    browser, owner = ben()
    builders.drive(owner)
    shown = text(browser.post(PLAN, typed_schedule(owner, lead_days=days, preview="1")))
    assert ("Enter a whole number." in shown) == is_refused
