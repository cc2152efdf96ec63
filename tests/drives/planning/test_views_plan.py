"""The form of a drive's plan with its preview."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from drives.models import Drive, DriveState, Site, Slot
from organizations.models import Role
from organizations.translated_text import TranslatedString
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

NEW = "/organizer/drives/new/"


def desk() -> tuple[Client, dict[str, Any]]:
    """Return Ben's browser, and the form for a drive at his site."""
    ben = builders.member(builders.organization())
    return coordinator.signed_in(ben), coordinator.typed(builders.site(ben.organization), builders.policy())


def test_a_preview_shows_the_times_and_saves_nothing() -> None:
    browser, form = desk()
    response = browser.post(NEW, {**form, "preview": "1"})
    assert response.status_code == 200
    assert "Room for 28 return visits, or 14 first visits." in text(response)
    assert "9:00 AM" in text(response)
    assert Drive.objects.count() == 0


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("9", "The goal of 9 takes about 14 bookings. There is enough room."),
        ("10", "The goal of 10 takes about 15 bookings. They don’t fit if most people come for a first visit"),
        ("18", "The goal of 18 takes about 27 bookings. They don’t fit if most people come for a first visit"),
        ("19", "The goal of 19 doesn’t fit. It takes about 29 bookings, and there is room for fewer."),
    ],
)
def test_a_preview_says_whether_the_goal_fits(goal: str, said: str) -> None:
    """The plan has room for 28 return visits or 14 first visits. Three bookings give two donations."""
    browser, form = desk()
    assert said in text(browser.post(NEW, {**form, "goal": goal, "preview": "1"}))


def test_only_the_plan_after_the_first_one_is_a_copy() -> None:
    member = builders.member(builders.organization(program=builders.policy(code="US_TEST").code))
    browser = coordinator.signed_in(member)
    first = browser.get(NEW)
    assert first.context["form"].initial["policy"]
    assert "Copied from your last drive." not in text(first)
    builders.drive(member.organization)
    assert "Copied from your last drive." in text(browser.get(NEW))


def test_the_first_plan_of_an_organization_fits_its_suggested_goal() -> None:
    """Four chairs, two stations and six hours have room for 10 first visits of this length."""
    policy = builders.policy(code="US_TEST", first_screening_minutes=60)
    member = builders.member(builders.organization(program=policy.code))
    browser = coordinator.signed_in(member)
    first = browser.get(NEW)
    values = first.context["form"].initial
    assert values["goal"] == 6
    assert "The suggested goal fits these hours, even if everyone comes for a first visit." in text(first)
    place = builders.site(member.organization)
    form = coordinator.typed(place, policy, goal=values["goal"], preview="1")
    assert {name: str(values[name])[:5] for name in ("opens", "closes", "chairs", "screening_stations")} == {
        name: form[name] for name in ("opens", "closes", "chairs", "screening_stations")
    }
    assert (
        "Room for 28 return visits, or 10 first visits. The goal of 6 takes about 9 bookings. There is enough room."
        in (text(browser.post(NEW, form)))
    )
    assert "They don’t fit if most people come for a first visit" in text(browser.post(NEW, {**form, "goal": "7"}))


def test_the_first_plan_of_an_organization_without_a_program_has_no_goal() -> None:
    browser = coordinator.signed_in(builders.member(builders.organization()))
    first = browser.get(NEW)
    assert first.context["form"].initial["goal"] is None
    assert "The suggested goal" not in text(first)


def test_a_preview_without_a_goal_says_nothing_of_it() -> None:
    browser, form = desk()
    response = browser.post(NEW, {**form, "goal": "", "preview": "1"})
    assert "Room for 28 return visits" in text(response)
    assert response.context["goal_fit"] is None


def test_a_plan_without_a_program_asks_for_one() -> None:
    browser, form = desk()
    sentence = "Every drive needs a program."
    assert sentence in text(browser.get(NEW))
    assert sentence not in text(browser.post(NEW, {**form, "preview": "1"}))


def test_a_saved_plan_is_a_draft_in_steps() -> None:
    browser, form = desk()
    response = browser.post(NEW, {**form, "save": "1"})
    drive = Drive.objects.get()
    assert response["Location"] == reverse("organizer_drive", args=[drive.pk])
    assert (drive.state, drive.goal, drive.slots.count()) == (DriveState.DRAFT, 20, 24)
    assert (drive.first_screening_steps, drive.first_chair_steps) == (3, 3)
    assert (drive.return_screening_steps, drive.return_chair_steps) == (1, 3)


@pytest.mark.parametrize("button", ["preview", "save"])
@pytest.mark.parametrize(("day", "is_past"), [("2027-02-28", True), ("2027-03-01", False)])
def test_a_past_day_is_refused_beside_the_day(day: str, button: str, *, is_past: bool) -> None:
    browser, form = desk()
    response = browser.post(NEW, {**form, "day": day, button: "1"}, follow=True)
    assert ("This day has already passed. Choose today or a later day." in text(response)) is is_past
    assert Drive.objects.exists() is (button == "save" and not is_past)


def test_minutes_are_rounded_up_to_whole_steps() -> None:
    browser, form = desk()
    browser.post(NEW, {**form, "first_screening": "50", "return_chair": "46", "save": "1"})
    drive = Drive.objects.get()
    assert (drive.first_screening_steps, drive.return_chair_steps) == (4, 4)


def test_breaks_close_their_steps() -> None:
    browser, form = desk()
    browser.post(NEW, {**form, "break_1_from": "12:00", "break_1_to": "12:30", "save": "1"})
    closed = Slot.objects.filter(chairs_limit=0).values_list("n", flat=True)
    assert list(closed.order_by("n")) == [12, 13]


def test_a_new_site_is_saved_with_the_drive() -> None:
    browser, form = desk()
    place = {
        "at-name": "Oak Center",
        "at-address": "1 Elm St",
        "at-city": "Denver",
        "at-timezone": "America/Denver",
    }
    browser.post(NEW, {**form, "site": "new", **place, "save": "1"})
    drive = Drive.objects.select_related("site").get()
    assert (drive.site.name, drive.site.timezone, drive.site.sms_name) == ("Oak Center", "America/Denver", "Oak Center")


WRONG = {
    "end before start": ({"opens": "15:00", "closes": "09:00"}, "closes", "The drive must close after it opens"),
    "no chairs": ({"chairs": "0"}, "chairs", "Chairs: enter a whole number from 1 to 500."),
    "chairs in words": ({"chairs": "four"}, "chairs", "Chairs: enter a whole number from 1 to 500."),
    "break outside the hours": (
        {"break_1_from": "07:00", "break_1_to": "07:30"},
        "break_1_from",
        "The break at 07:00 is outside the drive’s hours",
    ),
    "half a break": ({"break_2_from": "12:00"}, "break_2_to", "Enter when the break ends."),
    "a time that the night skips": (
        {"day": "2027-03-14", "opens": "02:30", "closes": "09:00"},
        "opens",
        "02:30 does not exist on 2027-03-14",
    ),
    "no day": ({"day": ""}, "day", "Choose the day of the drive."),
    "a day in words": ({"day": "Saturday"}, "day", "Enter a date like 2027-03-14."),
    "a time in words": ({"opens": "nine"}, "opens", "Opens: enter a time, for example 09:00."),
    "no name": ({"title": " "}, "title", "Enter a name for the drive."),
    "an unknown place": ({"site": "999999"}, "site", "Choose one of your locations."),
    "an unknown program": ({"policy": "999999"}, "policy_0", "Choose a program from the list."),
    "a step of 7": ({"step_minutes": "7"}, "step_minutes", "Choose one of the options."),
    "visits longer than the day": ({"opens": "14:45"}, "first_chair", "The drive’s hours are too short"),
    "a phone in words": ({"phone": "call me"}, "phone", "Enter a phone number with its area code"),
}


@pytest.mark.parametrize("case", WRONG)
def test_problems_are_shown_and_typed_values_kept(case: str) -> None:
    changes, field, sentence = WRONG[case]
    browser, form = desk()
    response = browser.post(NEW, {**form, "description": "Bring a friend.", **changes, "save": "1"})
    shown = response.content.decode()
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert "There is a problem" in shown
    assert sentence in text(response)
    assert f'href="#id_{field}"' in shown
    assert "Bring a friend." in shown
    assert all(f'value="{value.strip()}"' in shown for name, value in changes.items() if name not in UNSHOWN)
    assert Drive.objects.count() == 0


UNSHOWN = ("site", "policy", "step_minutes", "title")  # the page cannot show a choice that does not exist


def test_an_unknown_zone_of_a_new_site_is_refused() -> None:
    browser, form = desk()
    place = {"at-name": "Oak Center", "at-address": "1 Elm St", "at-city": "Denver", "at-timezone": "Mars/Olympus"}
    response = browser.post(NEW, {**form, "site": "new", **place, "save": "1"})
    assert (response.status_code, Site.objects.count()) == (422, 1)
    assert "“Mars/Olympus” is not a time zone." in text(response)
    assert 'value="Oak Center"' in response.content.decode()


def test_all_problems_are_shown_together() -> None:
    browser, form = desk()
    response = browser.post(NEW, {**form, "opens": "15:00", "closes": "09:00", "chairs": "0", "title": "", "save": "1"})
    for sentence in ("Enter a name for the drive.", "The drive must close after it opens", "from 1 to 500."):
        assert sentence in text(response)


def test_problems_are_shown_in_spanish() -> None:
    browser, form = desk()
    with translation.override("es"):  # so that the request's language is reset after the test
        page = browser.post(NEW, {**form, "opens": "15:00", "closes": "09:00"}, headers={"accept-language": "es"})
    assert "La jornada debe cerrar después de abrir, el mismo día." in text(page)


def test_a_clock_change_during_the_drive_shows_a_warning() -> None:
    browser, form = desk()
    response = browser.post(NEW, {**form, "day": "2027-03-14", "opens": "01:00", "preview": "1"})
    assert "Clocks go forward" in text(response)


def test_another_organizations_site_and_cause_are_not_offered() -> None:
    browser, form = desk()
    strange = builders.site(builders.organization("Other"), name="Strange Hall")
    assert "Strange Hall" not in text(browser.get(NEW))
    assert browser.post(NEW, {**form, "site": str(strange.pk), "save": "1"}).status_code == 422


def test_a_second_drive_starts_from_the_first() -> None:
    browser, form = desk()
    browser.post(NEW, {**form, "bring": "Photo ID and a smile", "save": "1"})
    shown = browser.get(NEW).content.decode()
    assert 'value="Photo ID and a smile"' in shown
    assert 'value="2027-03-13"' not in shown


def test_a_viewer_and_a_helper_may_not_plan() -> None:
    organization = builders.organization()
    for role in (Role.VIEWER, Role.CHECK_IN):
        browser = coordinator.signed_in(builders.member(organization, role))
        assert browser.get(NEW).status_code == 403
        assert "Plan a drive" not in text(browser.get("/organizer/"))


def test_an_edit_changes_the_draft() -> None:
    ben = builders.member(builders.organization())
    drive, browser = builders.drive(ben.organization, published=False), coordinator.signed_in(ben)
    address = reverse("organizer_edit_drive", args=[drive.pk])
    form = coordinator.typed(drive.site, drive.policy, version=drive.version)
    browser.post(address, {**form, "opens": "08:00", "save": "1"})
    drive.refresh_from_db()
    assert (drive.opens.hour, drive.slots.count(), drive.version) == (8, 28, 2)


@pytest.mark.parametrize(("day", "is_saved"), [("2027-02-20", True), ("2027-02-21", False)])
def test_an_edit_may_keep_the_past_day_of_a_draft(day: str, *, is_saved: bool) -> None:
    ben = builders.member(builders.organization())
    drive, browser = builders.drive(ben.organization, published=False), coordinator.signed_in(ben)
    Drive.objects.filter(pk=drive.pk).update(day="2027-02-20")
    form = coordinator.typed(drive.site, drive.policy, version=drive.version, day=day, save="1")
    response = browser.post(reverse("organizer_edit_drive", args=[drive.pk]), form, follow=True)
    assert ("This day has already passed." in text(response)) is not is_saved
    drive.refresh_from_db()
    assert drive.version == (2 if is_saved else 1)


def test_a_concurrent_edit_is_refused() -> None:
    ben = builders.member(builders.organization())
    drive, browser = builders.drive(ben.organization, published=False), coordinator.signed_in(ben)
    address = reverse("organizer_edit_drive", args=[drive.pk])
    form = coordinator.typed(drive.site, drive.policy, version=drive.version, save="1")
    browser.post(address, form)
    response = browser.post(address, {**form, "title": "Mine"})
    assert response.status_code == 422
    assert "Someone else has changed this drive in the meantime." in text(response)
    assert 'value="Mine"' in response.content.decode()


def test_a_booked_drive_keeps_its_day_and_lists_overbooked_steps() -> None:
    ben = builders.member(builders.organization())
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)
    builders.booked(drive, number=1)
    builders.booked(drive, number=2)
    form = coordinator.typed(drive.site, drive.policy, version=drive.version, day="2027-05-01", chairs="1")
    shown = browser.post(reverse("organizer_edit_drive", args=[drive.pk]), {**form, "preview": "1"})
    assert "People have booked, so you can’t change the day, hours" in text(shown)
    assert "9:15 AM (booked: 2, chairs: 1)" in text(shown)
    browser.post(reverse("organizer_edit_drive", args=[drive.pk]), {**form, "save": "1"})
    drive.refresh_from_db()
    assert (str(drive.day), drive.chairs) == ("2027-03-13", 1)


def _typed(value: Any) -> Any:
    return str(value) if isinstance(value, TranslatedString) else value


def test_a_step_length_set_by_the_api_survives_an_edit() -> None:
    helper = builders.member(builders.organization())
    drive = builders.drive(helper.organization, step_minutes=45, first_screening_steps=1, first_chair_steps=1)
    shown = coordinator.AllDay(helper.user).get(reverse("organizer_edit_drive", args=[drive.pk]))
    assert '<option value="45" selected>45 minutes</option>' in shown.content.decode()
    typed = {name: _typed(shown.context["form"][name].value()) for name in shown.context["form"].fields}
    typed = {name: value for name, value in typed.items() if value is not None} | {"title": "Another name", "save": "1"}
    coordinator.AllDay(helper.user).post(reverse("organizer_edit_drive", args=[drive.pk]), typed)
    drive.refresh_from_db()
    assert (str(drive.title), drive.step_minutes) == ("Another name", 45)
