"""Calendar files and feeds. Clients that already have the current version get a 304."""

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
    rows = Drive.objects.public().select_related("organization", "site")
    drive = get_object_or_404(rows, slug=slug)
    body = ical.build_feed(str(drive.title), [ical.build_public_feed_event(calendars_events.build_drive_event(drive))])
    return build_calendar_response(request, body, f"{slug}.ics", f"public, max-age={HOUR_SECONDS}")


@require_safe
def show_organization_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the feed of an organization's drives in the organization's language, so that all clients share a cache."""
    organization = get_object_or_404(Organization, slug=slug)
    with override(organization.language):
        drives = drive_feeds.list_feed_drives(organization, timezone.now())
        events = [ical.build_public_feed_event(calendars_events.build_drive_event(drive)) for drive in drives]
        body = ical.build_feed(organization.name, events)
    return build_calendar_response(request, body, f"{slug}.ics", f"public, max-age={HOUR_SECONDS}")


@require_safe
def show_booking_feed(request: HttpRequest, token: str) -> HttpResponse:
    feed = feeds.find_feed(token, now := timezone.now())
    if feed is None:
        raise Http404
    etag, caching = calendars_events.compute_feed_etag(feed), f"private, max-age={HOUR_SECONDS}"
    if not_changed := _find_not_modified(request, etag, caching):
        return not_changed
    with override(feed.language):
        name = _("My bookings: %(org)s") % {"org": feed.organization}
        body = ical.build_feed(name, calendars_events.list_feed_events(feed, now))
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
    response = get_conditional_response(request, etag=etag)
    if not isinstance(response, HttpResponseNotModified):
        return None
    response["Cache-Control"], response["ETag"] = cache_control, etag
    return response
