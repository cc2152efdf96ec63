from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from drives.calendars import feeds, ical
from drives.calendars import queries as calendars_queries
from drives.calendars.feeds import Feed
from drives.calendars.ical import CalendarEvent
from drives.capacity import visit_length
from drives.domain import localtime
from drives.models import Booking, BookingState, Drive, DriveState
from drives.web import links

# Some changes, such as an organization's new name, do not change the stamp. They may take this long to appear.
CACHE_SECONDS = 60 * 60


def build_booking_event(booking: Booking) -> CalendarEvent:
    """Build a booking's calendar event. Its UID never changes, and its SEQUENCE is the booking's revision."""
    drive = booking.drive
    email = booking.volunteer.email.address if booking.volunteer and booking.volunteer.email else None
    return CalendarEvent(
        uid=f"{booking.uuid}@{_find_host()}",
        sequence=booking.revision,
        summary=drive.organization.calendar_title or _("Appointment: %(org)s") % {"org": drive.organization.name},
        starts_at=booking.starts_at,
        ends_at=booking.starts_at + timedelta(minutes=visit_length.compute_visit_minutes(booking.drive, booking.visit)),
        zone=drive.site.timezone,
        zone_label=localtime.format_zone(drive.site.timezone),
        location=f"{drive.site.name}, {drive.site.full_address}",
        description=_("Change or cancel: %(link)s") % {"link": links.build_booking_link(booking)},
        url=links.build_booking_link(booking),
        organizer_email=parseaddr(settings.EMAIL_FROM)[1],
        organizer_name=drive.organization.name,
        attendee_email=email,
        attendee_name=booking.volunteer.name if booking.volunteer else "",
        changed_at=booking.changed_at,
        created_at=booking.created_at,
        cancelled=booking.state == BookingState.CANCELLED,
    )


def build_drive_event(drive: Drive) -> CalendarEvent:
    address = links.build_link("drive", drive.slug)
    return CalendarEvent(
        uid=f"drive-{drive.pk}@{_find_host()}",
        sequence=drive.version,
        summary=str(drive.title),
        starts_at=drive.starts_at,
        ends_at=drive.ends_at,
        zone=drive.site.timezone,
        zone_label=localtime.format_zone(drive.site.timezone),
        location=f"{drive.site.name}, {drive.site.full_address}",
        description=_("Choose a time: %(link)s") % {"link": address},
        url=address,
        changed_at=drive.changed_at,
        created_at=drive.created_at,
        cancelled=drive.state == DriveState.CANCELLED,
    )


def list_feed_events(feed: Feed, now: datetime) -> list[bytes]:
    """Return the feed's events in iCalendar format.

    Each event is cached for an hour, or until its booking or drive changes. One query loads all bookings with uncached
    events.
    """
    language, bookings = get_language(), feeds.load_feed_stamps(feed, now)
    keys = {f"event:{language}:{stamp}": booking_id for stamp, booking_id in bookings.items()}
    cached = caches["local"].get_many(keys)
    if missing := {key: booking_id for key, booking_id in keys.items() if key not in cached}:
        loaded = calendars_queries.load_message_bookings(list(missing.values()))
        serialized = {
            key: ical.build_feed_event(build_booking_event(loaded[booking_id])) for key, booking_id in missing.items()
        }
        caches["local"].set_many(serialized, CACHE_SECONDS)
        cached |= serialized
    return [cached[key] for key in keys]


def compute_feed_etag(feed: Feed) -> str:
    """Compute a feed's ETag from its fingerprint, so that a 304 response needs no rendering."""
    return ical.compute_etag(f"{feed.organization},{feed.language},{feed.fingerprint}".encode())


def _find_host() -> str:
    return urlsplit(settings.BASE_URL).hostname or "localhost"
