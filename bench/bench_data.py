"""Data for the benchmarks. It imports the project, so set the environment variables before you import it."""

from datetime import date, datetime, time, timedelta
from typing import Any

import phonenumbers
from django.db import connection
from django.utils import timezone

from drives.booking import create
from drives.capacity import visit_length
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
INSERT INTO drives_booking (uuid, epoch, link_hash, link_seal, reference, drive_id, arrival_id, starts_at,
    registration_id, visit, state, source, held_until, first_step, screening_steps, chair_from, chair_to, is_counted,
    revision, self_check, override_reason, created_at, changed_at, cancelled_by, cancelled_late, is_extended,
    overridden_rules)
SELECT uuid, 0, uuid::text, '', 'H' || registration, slot.drive_id, slot.id, slot.starts_at, registration, 'return',
    'held', 'online', %(until)s, slot.n,
    0, slot.n, slot.n + 1, true, 0, '[]', '', %(now)s, %(now)s, '', false, false, '[]'
  FROM (SELECT gen_random_uuid() AS uuid, registration FROM unnest(%(registrations)s::bigint[]) AS registration) AS new
  JOIN drives_slot AS slot ON slot.drive_id = %(drive)s AND slot.n = registration %% %(steps)s
"""
_COUNT = """
UPDATE drives_slot AS slot SET chairs_taken = (SELECT count(*) FROM drives_booking WHERE arrival_id = slot.id)
 WHERE drive_id = %(drive)s
"""


class BenchData:
    def __init__(self) -> None:
        self.now = timezone.now()
        policies.seed_policies(Policy)
        self.organization: Organization = memberships.create_organization(
            name="Bench", slug="bench", sms_name="Bench", email="bench@example.org", now=self.now
        )
        site_fields = {"name": "Hall", "sms_name": "Hall", "address": "1 Example St", "city": "Los Angeles"}
        self.site = Site.objects.create(organization=self.organization, timezone=ZONE, **site_fields)
        self.policy = Policy.objects.get(organization=None, code="US_SOURCE", version=1)
        self.days = 0

    def create_published_drive(self, steps: int, *, screening: int = 0, chair: int = 1) -> Drive:
        """Create a published drive on a new day, with unlimited capacity. All visits have the same length."""
        self.days += 1
        day = self._day()
        planned = Drive(
            organization=self.organization,
            site=self.site,
            policy=self.policy,
            title=f"Drive {self.days}",
            day=day,
            opens=time(6),
            closes=(datetime.combine(day, time(6)) + timedelta(minutes=5 * steps)).time(),
            step_minutes=5,
            chairs=UNLIMITED_CAPACITY,
            screening_stations=UNLIMITED_CAPACITY,
            first_screening_steps=screening,
            first_chair_steps=chair,
            return_screening_steps=screening,
            return_chair_steps=chair,
        )
        created = lifecycle.create_drive(drive=planned, actor="bench", now=self.now)
        lifecycle.publish_drive(drive_id=created.pk, actor="bench", now=self.now)
        return Drive.objects.select_related("organization", "site", "policy").get(pk=created.pk)

    def list_slot_ids(self, drive: Drive) -> list[int]:
        return list(Slot.objects.filter(drive=drive).order_by("n").values_list("pk", flat=True))

    def create_frequent_donor(self, bookings: int) -> Volunteer:
        volunteer = volunteers_registration.enter_volunteer(
            organization=self.organization,
            name="Test Ana Alder",
            phone="+12135550142",
            actor="bench",
            now=self.now,
        )
        drive = self.create_published_drive(bookings)
        shape = visit_length.compute_visit_shape(drive, Visit.RETURN)
        common = {"drive": drive, "volunteer": volunteer, "visit": Visit.RETURN, "state": BookingState.DONATED}
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
        return volunteer

    def _day(self) -> date:
        return self.now.date() + timedelta(days=10 + self.days)


def create_holds(drive: Drive, count: int, now: datetime) -> None:
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
    """Update PostgreSQL's statistics, as autovacuum does in production, so that query plans are realistic."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def list_area_codes() -> list[str]:
    """List the US area codes in which the reserved numbers 555-01xx are valid."""
    numbers = (phonenumbers.parse(f"+1{area}5550100") for area in range(201, 990))
    us_numbers = (number for number in numbers if phonenumbers.region_code_for_number(number) == "US")
    return [str(number.national_number)[:3] for number in us_numbers if phonenumbers.is_valid_number(number)]
