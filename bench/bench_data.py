"""What is in the database before anything is measured. Imports the project: the environment has to be set before."""

from datetime import date, datetime, time, timedelta
from typing import Any

import phonenumbers
from django.db import connection
from django.utils import timezone

from drives.booking import create
from drives.capacity import visits
from drives.domain import grid
from drives.eligibility import policies
from drives.models import Booking, BookingState, Drive, Policy, Site, Slot, Source, Visit
from drives.planning import lifecycle
from organizations import memberships
from organizations.models import Organization
from volunteers import registration as volunteers_registration
from volunteers.models import Volunteer

ZONE = "America/Los_Angeles"
UNLIMITED_CAPACITY = 30_000

_REGISTRATIONS = """
INSERT INTO volunteers_registration
    (organization_id, name, phone, phone_as_typed, email, identity, language, consents, self_check, source, created_at)
SELECT %(organization)s, 'Test Ana Alder', '+12135550142', '', '', encode(sha256(n::text::bytea), 'hex'), 'en', '[]',
    '[]', 'online', %(now)s
  FROM generate_series(1, %(count)s) AS n
RETURNING id
"""
_HOLDS = """
INSERT INTO drives_booking (uuid, epoch, link_hash, reference, drive_id, arrival_id, starts_at, registration_id, visit,
    state, source, held_until, first_step, screening_steps, chair_from, chair_to, is_counted, revision, self_check,
    override_reason, created_at, changed_at, cancelled_by, cancelled_late)
SELECT uuid, 0, uuid::text, 'H' || registration, slot.drive_id, slot.id, slot.starts_at, registration, 'return', 'held',
    'online', %(until)s, slot.n, 0, slot.n, slot.n + 1, true, 0, '[]', '', %(now)s, %(now)s, '', false
  FROM (SELECT gen_random_uuid() AS uuid, registration FROM unnest(%(registrations)s::bigint[]) AS registration) AS new
  JOIN drives_slot AS slot ON slot.drive_id = %(drive)s AND slot.n = registration %% %(steps)s
"""
_COUNT = """
UPDATE drives_slot AS slot SET chairs_taken = (SELECT count(*) FROM drives_booking WHERE arrival_id = slot.id)
 WHERE drive_id = %(drive)s
"""


class BenchData:
    """An organization with its drives; `now` is the moment of its making."""

    def __init__(self) -> None:
        self.now = timezone.now()
        policies.seed_policies(Policy)
        self.organization: Organization = memberships.create_organization(
            name="Bench", slug="bench", sms_name="Bench", email="bench@example.org", now=self.now
        )
        place = {"name": "Hall", "sms_name": "Hall", "address": "1 Example St", "city": "Los Angeles"}
        self.site = Site.objects.create(organization=self.organization, timezone=ZONE, **place)
        self.policy = Policy.objects.get(organization=None, code="US_SOURCE", version=1)
        self.days = 0

    def drive(self, steps: int, *, screening: int = 0, chair: int = 1) -> Drive:
        """A published drive on a day of its own, with room for everybody; all visits are alike."""
        self.days += 1
        on = self._day()
        planned = Drive(
            organization=self.organization,
            site=self.site,
            policy=self.policy,
            title=f"Drive {self.days}",
            on=on,
            opens=time(6),
            closes=(datetime.combine(on, time(6)) + timedelta(minutes=5 * steps)).time(),
            step_minutes=5,
            chairs=UNLIMITED_CAPACITY,
            screening_stations=UNLIMITED_CAPACITY,
            first_screening_steps=screening,
            first_chair_steps=chair,
            return_screening_steps=screening,
            return_chair_steps=chair,
        )
        made = lifecycle.create_drive(drive=planned, actor="bench", now=self.now)
        lifecycle.publish_drive(drive_id=made.pk, actor="bench", now=self.now)
        return Drive.objects.select_related("organization", "site", "policy").get(pk=made.pk)

    def slots(self, drive: Drive) -> list[int]:
        return list(Slot.objects.filter(drive=drive).order_by("n").values_list("pk", flat=True))

    def create_frequent_donor(self, bookings: int) -> Volunteer:
        """Somebody with that many visits behind them, for their calendar feed."""
        person = volunteers_registration.enter_volunteer(
            organization=self.organization,
            name="Test Ana Alder",
            phone="+12135550142",
            actor="bench",
            now=self.now,
        )
        drive = self.drive(bookings)
        shape = visits.compute_visit_shape(drive, Visit.RETURN)
        common = {"drive": drive, "volunteer": person, "visit": Visit.RETURN, "state": BookingState.DONATED}
        stamps = {"created_at": self.now, "changed_at": self.now, "donated_at": self.now, "source": Source.ONLINE}
        Booking.objects.bulk_create(
            Booking(
                **Booking.build_link_fields(),
                reference=f"B{slot.n:04}",
                arrival=slot,
                starts_at=slot.starts_at,
                **create.build_footprint_fields(grid.compute_footprint(slot.n, shape)),
                **common,
                **stamps,
            )
            for slot in Slot.objects.filter(drive=drive)
        )
        return person

    def _day(self) -> date:
        return self.now.date() + timedelta(days=10 + self.days)


def create_holds(drive: Drive, count: int, now: datetime) -> None:
    """So many places of a drive are held for the next hours, as in the rush when a drive opens."""
    held: dict[str, Any] = {
        "drive": drive.pk,
        "steps": drive.slots.count(),
        "until": now + timedelta(hours=6),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REGISTRATIONS, {"organization": drive.organization_id, "now": now, "count": count})
        registrations = [registration for (registration,) in cursor.fetchall()]
        cursor.execute(_HOLDS, {**held, "registrations": registrations})
        cursor.execute(_COUNT, {"drive": drive.pk})


def analyze_tables() -> None:
    """Give PostgreSQL the statistics that autovacuum gives it sooner or later: they change the plans."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def list_area_codes() -> list[str]:
    """Those of the United States in which the numbers kept for fiction, 555 01xx, are well-formed."""
    numbers = (phonenumbers.parse(f"+1{area}5550100") for area in range(201, 990))
    ours = (number for number in numbers if phonenumbers.region_code_for_number(number) == "US")
    return [str(number.national_number)[:3] for number in ours if phonenumbers.is_valid_number(number)]
