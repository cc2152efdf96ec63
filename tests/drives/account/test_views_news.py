"""A visitor verifies a contact and consents to news about the next drives."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from drives.messaging import invitations
from drives.models import Booking
from notifications.models import ConsentEntry, Message, Purpose
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives import donor
from volunteers import rules
from volunteers.models import Registration, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ask(browser: Client, of: Organization, **changes: str) -> Any:
    typed = {"name": "Test Ana Alder", "contact_by": "phone", "phone": donor.PHONE, "news": "on", **changes}
    return browser.post(reverse("news", args=[of.slug]), typed)


def sent_code() -> str:
    text = Message.objects.filter(kind="code").latest("pk").text
    return next(word for word in text.replace("#", " ").split() if word.isdigit() and len(word) == 6)


def enter(browser: Client, of: Organization, code: str, **more: str) -> Any:
    return browser.post(reverse("news_code", args=[of.slug]), {"code": code, **more})


def test_a_visitor_is_told_about_the_next_drive() -> None:
    here, browser = builders.organization(), Client()
    assert ask(browser, here).status_code == 303
    assert ConsentEntry.objects.count() == 0
    done = enter(browser, here, sent_code())
    assert done["Location"] == f"/o/{here.slug}/news/?done=1"
    assert "We’ll tell you about the next drive" in donor.text(browser.get(done["Location"]))
    entry = ConsentEntry.objects.get()
    assert (entry.purpose, entry.given, entry.source) == (Purpose.NEWS, True, "news")
    drive = builders.drive(here, day=(NOW + timedelta(days=10)).date())
    assert invitations.invite_donors(organization=here, now=NOW) == 1
    text = Message.objects.filter(kind="invitation").get().text
    assert "Our next plasma drive is" in text
    assert f"/t/{drive.slots.order_by('n').first().pk}/first/" in text  # type: ignore[union-attr]


def test_a_visitor_without_the_code_is_not_signed_up() -> None:
    here, browser = builders.organization(), Client()
    ask(browser, here)
    assert enter(browser, here, "000000").status_code == 422
    assert (Volunteer.objects.count(), ConsentEntry.objects.count()) == (0, 0)
    builders.drive(here, day=(NOW + timedelta(days=10)).date())
    assert invitations.invite_donors(organization=here, now=NOW) == 0


def test_a_second_tap_records_one_consent() -> None:
    here, browser = builders.organization(), Client()
    ask(browser, here)
    code = sent_code()
    assert [enter(browser, here, code).status_code for _tap in range(2)] == [303, 303]
    assert ConsentEntry.objects.count() == 1


def test_a_verified_browser_signs_up_without_a_code_six_times_an_hour() -> None:
    here, browser = builders.organization(), Client()
    ask(browser, here)
    enter(browser, here, sent_code())
    for _time in range(rules.CHANGES_PER_HOUR[0]):
        assert ask(browser, here).status_code == 303
        assert enter(browser, here, "").status_code == 303
    refused = ask(browser, here)
    assert (refused.status_code, Registration.objects.count()) == (429, 1 + rules.CHANGES_PER_HOUR[0])
    assert "You’ve made many changes in a short time." in donor.text(refused)
    assert Message.objects.filter(kind="code").count() == 1


def test_the_box_must_be_checked() -> None:
    answer = ask(Client(), builders.organization(), news="")
    assert answer.status_code == 422
    assert "Check the box" in donor.text(answer)
    assert donor.PHONE in answer.content.decode()
    assert not Registration.objects.exists()


def test_a_known_contact_gets_the_same_answer() -> None:
    drive, known = builders.drive(), Client()
    donor.booked(known, drive)
    answers = [ask(Client(), drive.organization, phone=phone) for phone in (donor.PHONE, "(201) 555-0143")]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (303, f"/o/{drive.organization.slug}/news/code/")
    ] * 2


def test_another_code_is_sent() -> None:
    here, browser = builders.organization(), Client()
    ask(browser, here)
    assert browser.post(reverse("news_send_code", args=[here.slug])).status_code == 303
    assert Message.objects.filter(kind="code").count() == 2
    assert enter(browser, here, sent_code()).status_code == 303


def test_without_a_request_there_is_no_code_page() -> None:
    here = builders.organization()
    for name in ("news_code", "news_send_code"):
        assert Client().post(reverse(name, args=[here.slug]))["Location"] == f"/o/{here.slug}/news/"
    assert Client().get("/o/unknown/news/").status_code == 404


def test_lists_and_drives_that_are_full_or_over_lead_to_the_form() -> None:
    drive = builders.drive()
    drive.slots.update(chairs_limit=0)
    for path in (f"/o/{drive.organization.slug}/", f"/d/{drive.slug}/"):
        assert f'href="/o/{drive.organization.slug}/news/"' in Client().get(path).content.decode(), path


@pytest.mark.parametrize(
    ("language", "waitlist", "link", "done", "wording"),
    [
        (
            "en",
            "Join the waiting list",
            "Tell me about the next drive",
            "We’ll tell you about the next drive",
            "Tell me about upcoming drives by Hope Foundation, by text or e-mail",
        ),
        (
            "es",
            "Anotarse en la lista de espera",
            "Avísenme de la próxima jornada",
            "Le avisaremos de la próxima jornada",
            "Avísenme de las próximas jornadas de Hope Foundation, por mensaje de texto o correo",
        ),
    ],
)
def test_a_visitor_of_a_full_drive_waits_or_asks_for_news(
    language: str, waitlist: str, link: str, done: str, wording: str
) -> None:
    first, *_others = builders.full_drive(policy_id=builders.lax().pk)
    here, browser = first.drive.organization, Client(headers={"Accept-Language": language})
    page = browser.get(f"/d/{first.drive.slug}/").content.decode()
    news = reverse("news", args=[here.slug])
    assert f">{waitlist}</a>" in page
    assert f'href="{news}">{link}</a>' in page
    assert page.index(waitlist) < page.index(link)
    assert link in donor.text(browser.get(news))
    assert ask(browser, here).status_code == 303
    assert link in donor.text(browser.get(reverse("news_code", args=[here.slug])))
    assert done in donor.text(browser.get(enter(browser, here, sent_code())["Location"]))
    entry = ConsentEntry.objects.get(purpose=Purpose.NEWS, source="news")
    assert (entry.given, entry.address) == (True, builders.phone(42))
    assert entry.wording.startswith(wording)
    assert entry.wording_version.endswith(f"-{language}")
    # A second submission records the consent again, and creates no second person.
    people, bookings = Volunteer.objects.count(), Booking.objects.count()
    assert ask(browser, here).status_code == 303
    assert done in donor.text(browser.get(enter(browser, here, "")["Location"]))
    assert (Volunteer.objects.count(), Booking.objects.count()) == (people, bookings)
    assert list(ConsentEntry.objects.filter(source="news").values_list("wording", flat=True)) == [entry.wording] * 2
    builders.drive(here, day=(NOW + timedelta(days=10)).date(), policy_id=builders.lax().pk)
    assert invitations.invite_donors(organization=here, now=NOW) == 1


def test_a_booked_donor_can_bring_a_friend() -> None:
    drive, browser = builders.drive(), Client()
    booking = donor.booked(browser, drive)
    shown = browser.get(f"/b/{booking.reference}/").content.decode()
    assert "Bring a friend" in shown
    [link] = [part for part in shown.split('"') if part.startswith("https://wa.me/")]
    assert quote(f"/d/{drive.slug}/") in link
    assert booking.reference not in link
