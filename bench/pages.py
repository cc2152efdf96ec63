"""The pages and calls that people and probes open most, in a filled database (`bench.filled_data`)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from drives.models import Booking, BookingState, Drive
from organizations.models import Membership, Organization, Role, User
from volunteers import browsers

VERIFIED_BROWSER, OTHER_BROWSER = "bench".ljust(43, "x"), "x" * 43
_client = Client(SERVER_NAME="localhost")
CHAIRS = 20  # of the measured drive
MIDDLE_STEP = 35


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    cookie: str = ""
    statuses: tuple[int, ...] = (200,)

    def read(self) -> Any:
        """Render the page in this process. Raises RuntimeError if the status is not an expected one."""
        response = _client.get(self.path, headers={"cookie": self.cookie})
        if response.status_code not in self.statuses:
            raise RuntimeError(f"{self.path}: {response.status_code}")
        return response


def list_pages(organization: Organization, now: datetime) -> list[Page]:
    upcoming = Drive.objects.of(organization).open().filter(ends_at__gt=now).order_by("starts_at", "pk")
    drive = upcoming.filter(slots__chairs_limit=CHAIRS).distinct()[0]
    booking = drive.bookings.filter(state=BookingState.CONFIRMED).select_related("volunteer__phone")[0]
    member_pages = _list_member_pages(organization, drive, booking, now)
    return [*_list_public_pages(organization, drive, booking, now), *member_pages]


def _list_public_pages(organization: Organization, drive: Drive, booking: Booking, now: datetime) -> list[Page]:
    assert booking.volunteer is not None
    assert booking.volunteer.phone is not None
    browsers.save_verified_browser(token=VERIFIED_BROWSER, identity=booking.volunteer.phone.identity, now=now)
    # The server renders a page for each visitor who has a cookie. All others share a page.
    visitor, donor = f"browser={OTHER_BROWSER}", f"browser={VERIFIED_BROWSER}"
    slot = drive.slots.get(n=MIDDLE_STEP)
    return [
        Page("list of drives", "/", visitor),
        Page("organization page", f"/o/{organization.slug}/", visitor),
        Page("drive page", f"/d/{drive.slug}/", visitor),
        Page("book form", f"/d/{drive.slug}/book/?visit=return&slot={slot.pk}", visitor),
        Page("availability (API)", f"/api/v1/drives/{drive.pk}/slots/?visit=return"),
        Page("own bookings", "/me/", donor),
        Page("/readyz", "/readyz", statuses=(200, 503)),  # no worker runs, so it may say that texts wait
        Page("/metrics", "/metrics"),
    ]


def _list_member_pages(organization: Organization, drive: Drive, booking: Booking, now: datetime) -> list[Page]:
    cookie, first_day = _sign_in_owner(organization), now.date() - timedelta(days=30)
    paths = {
        "home": "/organizer/",
        "all drives": "/organizer/drives/",
        "dashboard": f"/organizer/drives/{drive.pk}/",
        "roster": f"/organizer/drives/{drive.pk}/roster/",
        "booking": f"/organizer/bookings/{booking.pk}/",
        "people": "/organizer/people/",
        "person": f"/organizer/people/{booking.volunteer_id}/",
        "replies": "/organizer/replies/",
        "call list": f"/organizer/drives/{drive.pk}/calls/",
        "waitlist": f"/organizer/drives/{drive.pk}/waitlist/",
        "checklist": f"/organizer/drives/{drive.pk}/checklist/",
        "reports": f"/organizer/reports/?first_day={first_day}&last_day=",
        "check-in": f"/checkin/{drive.slug}/",
    }
    return [Page(name, path, cookie) for name, path in paths.items()]


def _sign_in_owner(organization: Organization) -> str:
    user = User.objects.create_user("bench-owner@example.org")
    Membership.objects.create(user=user, organization=organization, role=Role.OWNER)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
