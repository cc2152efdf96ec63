"""Calendar files and feeds. A reader that has the present version gets 304 and no body."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from drives.calendars import drive_feeds, feeds, ical
from drives.calendars import events as calendars_events
from drives.models import Drive
from organizations.models import Organization

HOUR_SECONDS = 60 * 60


@require_safe
def show_drive_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """One drive as a calendar."""
    rows = Drive.objects.public().select_related("organization", "site")
    found = get_object_or_404(rows, slug=slug)
    body = ical.build_feed(str(found.title), [ical.build_public_feed_event(calendars_events.build_drive_event(found))])
    return build_calendar_response(request, body, f"{slug}.ics", f"public, max-age={HOUR_SECONDS}")


@require_safe
def show_organization_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """An organization's drives, to subscribe to; in its own language, whoever asks."""
    found = get_object_or_404(Organization, slug=slug)
    with override(found.language):
        drives = drive_feeds.list_feed_drives(found, timezone.now())
        events = [ical.build_public_feed_event(calendars_events.build_drive_event(one)) for one in drives]
        body = ical.build_feed(found.name, events)
    return build_calendar_response(request, body, f"{slug}.ics", f"public, max-age={HOUR_SECONDS}")


@require_safe
def show_booking_feed(request: HttpRequest, token: str) -> HttpResponse:
    """Everything one donor has booked, to subscribe to; its address is a secret."""
    found = feeds.find_feed(token, now := timezone.now())
    if found is None:
        raise Http404
    etag, caching = calendars_events.compute_feed_etag(found), f"private, max-age={HOUR_SECONDS}"
    if not_changed := _find_not_modified(request, etag, caching):
        return not_changed
    with override(found.language):
        name = _("My bookings: %(org)s") % {"org": found.organization}
        body = ical.build_feed(name, calendars_events.list_feed_events(found, now))
    return build_calendar_response(request, body, "bookings.ics", caching, etag)


def build_calendar_response(
    request: HttpRequest, body: bytes, name: str, cache_control: str, etag: str = ""
) -> HttpResponse:
    tag = etag or ical.compute_etag(body)
    if not_changed := _find_not_modified(request, tag, cache_control):
        return not_changed
    response = HttpResponse(body, content_type=ical.format_content_type(body))
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"], response["ETag"] = cache_control, tag
    return response


def _find_not_modified(request: HttpRequest, etag: str, cache_control: str) -> HttpResponse | None:
    found = get_conditional_response(request, etag=etag)
    if not isinstance(found, HttpResponseNotModified):
        return None
    found["Cache-Control"], found["ETag"] = cache_control, etag
    return found
