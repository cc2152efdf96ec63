"""Recruiters' links: how their visits, holds and bookings are counted."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Booking, Drive, ShareLink
from drives.refusals import Refusal
from drives.sharing import links, queries, rules
from organizations.models import AuditEntry
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import donor
from tests.query_counts import Act

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def link_for(drive: Drive, name: str = "Ben") -> ShareLink:
    return links.create_link(drive=drive, name=name, actor="test", now=NOW)


def visit(link: ShareLink, ip: str = "198.51.100.7", **headers: str) -> int:
    path = reverse("share_link_visit", args=[link.code])
    return Client(headers=headers).post(path, REMOTE_ADDR=ip).status_code


def visits(link: ShareLink) -> int:
    return ShareLink.objects.get(pk=link.pk).visits


def counts(drive: Drive) -> list[tuple[str, int, int, int]]:
    return [(one.link.name, one.visits, one.holds, one.bookings) for one in queries.list_link_counts(drive)]


def test_a_link_leads_to_its_drive_and_counts_nothing_by_itself() -> None:
    link = link_for(builders.drive())
    browser = Client()
    answer = browser.get(reverse("share_link", args=[link.code]))
    assert answer["Location"] == f"/d/{link.drive.slug}/?via={link.code}"
    assert 'src="/static/site/visit' in browser.get(answer["Location"]).content.decode()
    assert "site/visit" not in browser.get(f"/d/{link.drive.slug}/").content.decode()
    assert counts(link.drive) == [("Ben", 0, 0, 0)]


def test_one_visitor_counts_once() -> None:
    link = link_for(builders.drive())
    assert [visit(link) for _attempt in range(3)] == [204, 204, 204]
    assert visits(link) == 1
    visit(link, "198.51.100.8")
    assert visits(link) == 2


def test_one_ipv6_customer_counts_once() -> None:
    link = link_for(builders.drive())
    for ip in ("2001:db8:1:2::1", "2001:db8:1:ffff::1", "2001:db8:1:3:4:5:6:7"):
        visit(link, ip)
    assert visits(link) == 1
    visit(link, "2001:db8:2::1")
    assert visits(link) == 2


def test_a_visit_from_another_website_or_of_an_unknown_link_counts_nothing() -> None:
    link = link_for(builders.drive())
    assert visit(link, **{"sec-fetch-site": "cross-site"}) == 403
    assert visit(link, origin="https://other.example") == 403
    assert visit(ShareLink(code="rnobody")) == 204
    assert visits(link) == 0
    assert Client().get(reverse("share_link_visit", args=[link.code])).status_code == 405


def test_a_booking_through_a_link_counts_for_it() -> None:
    drive = builders.drive()
    link, other = link_for(drive), link_for(drive, "Library")
    browser = Client()
    browser.get(reverse("share_link", args=[link.code]))
    assert browser.cookies["via"]["max-age"] == 7 * 24 * 60 * 60  # as the privacy policy says
    held = donor.kept(browser, drive)
    assert held.share_link == link
    assert counts(drive) == [("Ben", 0, 1, 0), ("Library", 0, 0, 0)]
    donor.prove(browser, held)
    assert counts(drive) == [("Ben", 0, 1, 1), ("Library", 0, 0, 0)]
    assert other.bookings.count() == 0


def test_a_known_donor_books_again_through_a_link() -> None:
    drive, browser = builders.drive(), Client()
    donor.booked(browser, drive)
    later = builders.drive(drive.organization, day=date(2027, 5, 8))
    link = link_for(later)
    browser.get(reverse("share_link", args=[link.code]))
    form = {"visit": "return", "slot": builders.slot(later).pk, "known": str(_own_uuid(drive)), "reminders": ""}
    assert browser.post(reverse("rebook", args=[later.slug]), form).status_code == 303
    assert counts(later) == [("Ben", 0, 1, 1)]


def _own_uuid(drive: Drive) -> object:
    volunteer = Booking.objects.get(drive=drive).volunteer
    assert volunteer is not None
    return volunteer.uuid


def test_a_link_of_another_drive_is_ignored() -> None:
    drive, browser = builders.drive(), Client()
    link = link_for(builders.drive())
    browser.cookies["via"] = link.code
    assert donor.kept(browser, drive).share_link is None


def test_a_draft_is_not_shown_through_its_links() -> None:
    drive = builders.drive()
    link = link_for(drive)
    Drive.objects.filter(pk=drive.pk).update(state="draft")
    assert Client().get(reverse("share_link", args=[link.code]))["Location"] == "/"
    assert Client().get(reverse("short_drive", args=[drive.pk])).status_code == 404


def test_the_short_address_leads_to_the_drive() -> None:
    drive = builders.drive()
    assert Client().get(f"/s/{drive.pk}/")["Location"] == f"/d/{drive.slug}/"


def test_a_name_is_taken_once_for_each_drive() -> None:
    drive = builders.drive()
    link_for(drive)
    with pytest.raises(Refusal) as refused:
        link_for(drive, "BEN")
    assert refused.value.codes == ["link_name_taken"]
    link_for(builders.drive())


def test_a_drive_has_sixty_links_at_most() -> None:
    drive = builders.drive()
    for number in range(rules.MAX_LINKS):
        link_for(drive, f"Recruiter {number}")
    with pytest.raises(Refusal) as refused:
        link_for(drive)
    assert refused.value.codes == ["too_many_links"]


def test_a_link_with_bookings_stays() -> None:
    drive, browser = builders.drive(), Client()
    link = link_for(drive)
    browser.get(reverse("share_link", args=[link.code]))
    donor.kept(browser, drive)
    with pytest.raises(Refusal) as refused:
        links.remove_link(link=link, actor="test", now=NOW)
    assert refused.value.codes == ["link_used"]
    unused = link_for(drive, "Library")
    links.remove_link(link=unused, actor="test", now=NOW)
    assert list(ShareLink.objects.all()) == [link]
    assert "deleted" in AuditEntry.objects.values_list("verb", flat=True)


def test_links_are_one_query() -> None:
    def prepare(number: int) -> Act:
        drive = builders.drive()
        for n in range(number):
            link_for(drive, f"Recruiter {n}")
        return lambda: queries.list_link_counts(drive)

    assert query_counts.count_for_each(prepare) == 1
