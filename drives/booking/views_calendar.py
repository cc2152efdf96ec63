from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from drives.booking import views_links
from drives.calendars import events as calendars_events
from drives.calendars import ical, views_donor


@require_safe
def download_booking_calendar(request: HttpRequest, key: str) -> HttpResponse:
    body = ical.build_download(
        calendars_events.build_booking_event(views_links.get_booking_page_or_404(request, key).booking)
    )
    return views_donor.build_calendar_response(request, body, "booking.ics", "private, no-store")
