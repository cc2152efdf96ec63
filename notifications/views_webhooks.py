"""Twilio's webhooks for status reports and for texts from donors. Both require Twilio's signature."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator

from notifications import replies, reports

EMPTY_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

View = Callable[..., HttpResponse]


def require_twilio_signature(view: View) -> View:
    """Let the view respond with 403 unless Twilio's signature matches the public URL and every field.

    The URL is built from BASE_URL, because the request's own URL is different behind a proxy. No CSRF token is needed,
    because the signature is an HMAC with the auth token, which only Twilio and we know.
    """

    @wraps(view)
    def checked_view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        signature = request.headers.get("X-Twilio-Signature", "")
        address = settings.BASE_URL + request.get_full_path()
        secrets = filter(None, (settings.TWILIO_AUTH_TOKEN, settings.TWILIO_SECONDARY_AUTH_TOKEN))
        if not any(RequestValidator(secret).validate(address, request.POST, signature) for secret in secrets):
            return HttpResponseForbidden()
        return view(request, *args, **kwargs)

    return csrf_exempt(require_POST(checked_view))


@require_twilio_signature
def receive_status_report(request: HttpRequest, token: str) -> HttpResponse:
    # A report may arrive before we know the provider's id of its message.
    if not _get_field(request, "MessageSid") or not _get_field(request, "MessageStatus"):
        return HttpResponseBadRequest()
    reports.record_report(
        provider_id=_get_field(request, "MessageSid")[:64],
        status=_get_field(request, "MessageStatus"),
        error_code=_get_field(request, "ErrorCode"),
        token=token,
        now=timezone.now(),
    )
    return HttpResponse(status=204)


@require_twilio_signature
def receive_inbound_text(request: HttpRequest) -> HttpResponse:
    if not _get_field(request, "MessageSid") or not _get_field(request, "From"):
        return HttpResponseBadRequest()
    replies.receive_reply(
        sender_number=_get_field(request, "To"),
        messaging_service=_get_field(request, "MessagingServiceSid"),
        provider_id=_get_field(request, "MessageSid")[:64],
        address=_get_field(request, "From")[:254],
        text=_get_field(request, "Body"),
        opt_out_type=_get_field(request, "OptOutType"),
        media_count=_parse_count(_get_field(request, "NumMedia")),
        is_confirmed_by_provider=True,
        now=timezone.now(),
    )
    # Empty, because Twilio itself responds to STOP and HELP.
    return HttpResponse(EMPTY_ANSWER, content_type="text/xml")


def _parse_count(text: str) -> int:
    return min(int(text[:9]), 99) if text.isascii() and text.isdigit() else 0  # int() refuses very long texts


def _get_field(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "")  # PostgreSQL cannot store NUL
