"""The actors in the journeys: donors with a browser and a phone, coordinators, the periodic sweeps, and the clock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.test import Client
from icalendar import Calendar

from config import celery
from config.schedule import SWEEPS
from drives.models import Booking, Drive
from notifications.models import InboxItem, Message, Sender
from organizations import api_keys
from organizations.models import Organization
from tests import builders
from tests.standins.twilio import signed
from tests.visitor import Answer, Page, Visitor

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
# Deliver last, so that a message rendered in a round is sent in the same round.
IN_ORDER = sorted(SWEEPS, key="notifications.tasks.deliver_due".__eq__)
_sids = count(1)


class Clock(Protocol):
    """The test's clock (time-machine's fixture)."""

    def move_to(self, destination: datetime, tick: bool | None = None) -> None: ...


def set_to(clock: Clock, moment: datetime) -> None:
    clock.move_to(moment, tick=False)


def sweep() -> None:
    """Run every sweep in the beat schedule once, as the worker does."""
    for task in _tasks():
        task()


@cache
def _tasks() -> list[Callable[[], Any]]:
    celery.app.loader.import_default_modules()
    return [celery.app.tasks[name] for name in IN_ORDER]


def live(clock: Clock, since: datetime, until: datetime, *, watching: Iterable[datetime] = ()) -> None:
    """Let time pass from `since` to `until`, and sweep every twelve hours.

    Also sweep one second before each moment in `watching`, and at that moment.
    """
    moments = {since + timedelta(hours=12) * step for step in range(1 + (until - since) // timedelta(hours=12))}
    for watched in watching:
        moments |= {watched - timedelta(seconds=1), watched}
    for moment in sorted(moments | {until}):
        if since <= moment <= until:
            set_to(clock, moment)
            sweep()


def wall(moment: datetime, zone: ZoneInfo = LOS_ANGELES) -> str:
    """Return an instant as local time, such as Sat Mar 13 10:30."""
    return f"{moment.astimezone(zone):%a %b %-d %H:%M}"


def local(text: str, zone: ZoneInfo = LOS_ANGELES) -> datetime:
    """Return the instant of a local time such as 2027-03-13 10:30."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


class TestBrowser:
    """Django's test client, with CSRF checks."""

    __test__ = False

    def __init__(self, language: str, ip: str) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"accept-language": language}, REMOTE_ADDR=ip)

    def send(self, method: str, path: str, body: str) -> Answer:
        if method == "GET":
            response = self.client.get(path)
        else:
            response = self.client.post(path, data=body, content_type="application/x-www-form-urlencoded")
        return Answer(response.status_code, response.headers.get("Location", ""), response.content)


class Donor:
    """A donor, by default Test Ana Alder: the actions she takes, and the messages on her phone and in her mailbox."""

    def __init__(
        self,
        number: int = 42,
        *,
        name: str = "Test Ana Alder",
        language: str = "en",
        email: str = "",
        has_phone: bool = True,
        consents: bool = True,
    ) -> None:
        self.name, self.phone, self.email = name, builders.phone(number) if has_phone else "", email
        self.browser = TestBrowser(language, f"192.0.2.{number % 250}")
        self.visitor = Visitor(self.browser)
        self.consents = {"reminders": "on"} if consents else {}
        self.token = ""

    @property
    def contact(self) -> dict[str, str]:
        """Return the fields with which she fills in a form that asks for her contact."""
        choice = "both" if self.phone and self.email else "phone" if self.phone else "email"
        return {"contact_by": choice, "phone": self.phone, "email": self.email}

    def holds(self, drive: Drive, n: int, visit: str = "return") -> Page:
        """Hold a slot, starting on the drive's page and ending on the check page."""
        page = self.visitor.open(f"/d/{drive.slug}/?visit={visit}")
        page = self.visitor.submit(page.form("/book/"), slot=str(builders.slot(drive, n).pk))
        details = {"name": self.name, **self.contact, **self.consents}
        page = self.visitor.submit(page.form("/book/"), **details)
        assert page.path.startswith("/b/"), (page.status, page.html)
        self.token = Booking.objects.get(reference=page.path.split("/")[2]).token
        return page

    def books(self, drive: Drive, n: int, visit: str = "return") -> Booking:
        """Book a slot, and enter the code from the phone."""
        page = self.holds(drive, n, visit)
        sweep()
        page = self.visitor.submit(page.form("/verify/"), code=self.code)
        assert (page.status, page.path) == (200, f"/b/{self.booking.reference}/"), page.html
        builders.verify_mailbox(self.email)  # as on an earlier visit
        sweep()
        return self.booking

    def books_again(self, drive: Drive, n: int, visit: str = "return") -> Booking:
        """Book in a browser that has verified her contact. She chooses a time and confirms, without typing."""
        page, slot = self.visitor.open(f"/d/{drive.slug}/?visit={visit}"), str(builders.slot(drive, n).pk)
        page = self.visitor.submit(page.form("/book/"), slot=slot)
        assert "You don’t need a code" in page.html
        page = self.visitor.submit(page.form("/rebook/"), slot=slot)
        self.token = Booking.objects.get(reference=page.path.split("/")[2]).token
        return self.booking

    def opens(self, ending: str = "") -> Page:
        return self.visitor.open(f"/b/{self.token}/{ending}")

    def submits(self, page: Page, ending: str, **values: str) -> Page:
        return self.visitor.submit(page.form(ending), **values)

    def texts_back(self, word: str, sender: Sender | None = None) -> None:
        """Reply to the number that sent the last text. The provider forwards the reply to our webhook."""
        to = (sender or Sender.objects.get(number=received(self.phone)[-1].sender)).number
        fields = {"From": self.phone, "To": to, "Body": word, "MessageSid": f"SM{next(_sids):032x}"}
        address = "/webhooks/twilio/inbound/"
        signature = signed(f"http://testserver{address}", fields)
        response = self.browser.client.post(address, fields, headers={"x-twilio-signature": signature})
        assert response.status_code == 200

    @property
    def booking(self) -> Booking:
        return Booking.filter_by_token(self.token).get()

    @property
    def link(self) -> str:
        return f"http://testserver/b/{self.token}/"

    @property
    def code(self) -> str:
        words = received(self.phone or self.email)[-1].text.replace("#", " ").split()
        return next(word for word in words if word.isdigit() and len(word) == 6)

    def messages(self, *states: str) -> list[Message]:
        return list(Message.objects.filter(about=self.booking.about, state__in=states).order_by("due_at", "pk"))

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Return the local time and the text of each SMS that the phone received."""
        return [(wall(item.at), item.text) for item in received(self.phone)]

    @property
    def mails(self) -> list[tuple[str, str]]:
        """Return the local time and the subject of each e-mail that the mailbox received."""
        return [(wall(item.at), item.subject) for item in received(self.email)]


def booked_ana(time_machine: Clock) -> Donor:
    """Let Ana book 10:30 at a drive with the usual plan. Return her."""
    set_to(time_machine, builders.NOW)
    ana = Donor()
    ana.books(builders.drive(), 6)
    return ana


def received(address: str) -> list[InboxItem]:
    return list(InboxItem.objects.filter(to=address).order_by("pk"))


@dataclass(frozen=True)
class Invitation:
    """The values that a calendar app reads from an e-mail."""

    method: str
    uid: str
    sequence: int
    status: str
    starts: str


def invitations(address: str) -> list[Invitation]:
    """Return the calendar objects sent to a mailbox, in order."""
    found = [Calendar.from_ical(item.calendar) for item in received(address) if item.calendar]
    return [_invitation(calendar) for calendar in found]


def _invitation(calendar: Any) -> Invitation:
    (event,) = calendar.walk("VEVENT")
    starts = wall(event.decoded("DTSTART"))
    return Invitation(str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"]), starts)


class Coordinator:
    """Test Ben Birch plans and runs drives through the API with his organization's key."""

    def __init__(self, organization: Organization) -> None:
        member = builders.member(organization)
        _key, token = api_keys.issue_api_key(organization=organization, name="Ben", role=member.role, now=builders.NOW)
        self.mailbox = member.user.email
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def gets(self, path: str) -> dict[str, Any]:
        return self._answered(self.client.get(f"/api/v1/{path}"))

    def posts(self, path: str, **body: Any) -> dict[str, Any]:
        return self._answered(self.client.post(f"/api/v1/{path}", body, content_type="application/json"))

    @property
    def mails(self) -> list[tuple[str, str]]:
        return [(wall(item.at), item.subject) for item in received(self.mailbox)]

    def _answered(self, response: Any) -> dict[str, Any]:
        assert response.status_code < 300, response.content
        found: dict[str, Any] = response.json()
        return found
