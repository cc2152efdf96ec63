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

HOUR = 60 * 60


@require_safe
def drive(request: HttpRequest, slug: str) -> HttpResponse:
    """One drive as a calendar."""
    rows = Drive.objects.public().select_related("organization", "site")
    found = get_object_or_404(rows, slug=slug)
    body = ical.feed(str(found.title), [ical.drive_event(calendars_events.of_drive(found))])
    return calendar_response(request, body, f"{slug}.ics", f"public, max-age={HOUR}")


@require_safe
def organization(request: HttpRequest, slug: str) -> HttpResponse:
    """An organization's drives, to subscribe to; in its own language, whoever asks."""
    found = get_object_or_404(Organization, slug=slug)
    with override(found.language):
        drives = drive_feeds.feed_drives(found, timezone.now())
        events = [ical.drive_event(calendars_events.of_drive(one)) for one in drives]
        body = ical.feed(found.name, events)
    return calendar_response(request, body, f"{slug}.ics", f"public, max-age={HOUR}")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Everything one donor has booked, to subscribe to; its address is a secret."""
    found = feeds.feed(token, now := timezone.now())
    if found is None:
        raise Http404
    etag, caching = calendars_events.feed_etag(found), f"private, max-age={HOUR}"
    if not_changed := _not_changed(request, etag, caching):
        return not_changed
    with override(found.language):
        name = _("My bookings: %(org)s") % {"org": found.organization}
        body = ical.feed(name, calendars_events.feed_events(found, now))
    return calendar_response(request, body, "bookings.ics", caching, etag)


def calendar_response(request: HttpRequest, body: bytes, name: str, caching: str, etag: str = "") -> HttpResponse:
    tag = etag or ical.etag(body)
    if not_changed := _not_changed(request, tag, caching):
        return not_changed
    response = HttpResponse(body, content_type=ical.content_type(body))
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"], response["ETag"] = caching, tag
    return response


def _not_changed(request: HttpRequest, etag: str, caching: str) -> HttpResponse | None:
    found = get_conditional_response(request, etag=etag)
    if not isinstance(found, HttpResponseNotModified):
        return None
    found["Cache-Control"], found["ETag"] = caching, etag
    return found
