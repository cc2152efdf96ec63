"""The demo inbox. It shows the messages that a provider would have sent. Visitors can reply as the donor.

The views return 404 unless DEMO is on.
"""

import uuid
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from notifications import contact_address, queries, replies
from notifications.models import InboxItem

View = Callable[..., HttpResponse]


def require_demo(view: View) -> View:
    @wraps(view)
    def checked_view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return never_cache(checked_view)


@require_demo
@require_safe
def show_demo_inbox(request: HttpRequest) -> HttpResponse:
    to = _read_address(request)
    return render(
        request, "notifications/demo_inbox.html", {"items": queries.list_inbox_items(_parse_address(to)), "to": to}
    )


@require_demo
@require_safe
def show_demo_inbox_json(request: HttpRequest) -> HttpResponse:
    items = queries.list_inbox_items(_parse_address(_read_address(request)))
    messages = [
        {"to": item.to, "channel": item.channel, "text": item.text, "at": item.at.isoformat()} for item in items
    ]
    return JsonResponse(messages, safe=False)


@require_demo
@require_safe
def download_demo_invitation(request: HttpRequest, item_id: int) -> HttpResponse:
    item = get_object_or_404(InboxItem.objects.exclude(calendar=""), pk=item_id)
    headers = {"Content-Disposition": 'attachment; filename="invitation.ics"'}
    return HttpResponse(item.calendar, content_type="text/calendar; charset=utf-8", headers=headers)


@require_demo
@require_POST
def reply_as_donor(request: HttpRequest, item_id: int) -> HttpResponse:
    item = get_object_or_404(InboxItem, pk=item_id, channel="sms")
    replies.receive_reply(
        sender_number=item.sender,
        provider_id=f"demo-{uuid.uuid4()}",
        address=item.to,
        text=request.POST.get("text", "")[:1600],
        now=timezone.now(),
    )
    return redirect("demo_inbox")


def _read_address(request: HttpRequest) -> str:
    return request.GET.get("to", "")


def _parse_address(typed: str) -> str:
    # A plus sign in a query string is decoded as a space, so the number may have lost it.
    for normalize in (contact_address.normalize_phone, contact_address.normalize_email):
        try:
            return normalize(typed) if typed.strip() else ""
        except ValidationError:
            continue
    return typed
