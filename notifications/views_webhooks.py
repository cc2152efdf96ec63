"""What Twilio tells us: reports on our texts, and texts from donors. Believed only with its signature."""

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


def from_twilio(view: View) -> View:
    """Answer 403, and do nothing, unless the signature fits the public address and every field as they came.

    The address is the configured one, for behind a proxy a request shows another. The signature takes the place of a
    CSRF token: it is an HMAC with the account's secret, which no other site knows.
    """

    @wraps(view)
    def judged(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        signature = request.headers.get("X-Twilio-Signature", "")
        address = settings.BASE_URL + request.get_full_path()
        secret = settings.TWILIO_AUTH_TOKEN
        if not secret or not RequestValidator(secret).validate(address, request.POST, signature):
            return HttpResponseForbidden()
        return view(request, *args, **kwargs)

    return csrf_exempt(require_POST(judged))


@from_twilio
def status(request: HttpRequest, token: str) -> HttpResponse:
    """A report on one of our texts. One that we do not know is kept, for it may be early; one of nothing is refused."""
    if not _plain(request, "MessageSid") or not _plain(request, "MessageStatus"):
        return HttpResponseBadRequest()
    reports.report(
        provider_id=_plain(request, "MessageSid")[:64],
        status=_plain(request, "MessageStatus"),
        error_code=_plain(request, "ErrorCode"),
        token=token,
        now=timezone.now(),
    )
    return HttpResponse(status=204)


@from_twilio
def inbound(request: HttpRequest) -> HttpResponse:
    """A text from a donor; one of nobody is refused. The answer is empty: the provider answers STOP and HELP."""
    if not _plain(request, "MessageSid") or not _plain(request, "From"):
        return HttpResponseBadRequest()
    replies.receive(
        sender_number=_plain(request, "To"),
        messaging_service=_plain(request, "MessagingServiceSid"),
        provider_id=_plain(request, "MessageSid")[:64],
        address=_plain(request, "From")[:254],
        text=_plain(request, "Body"),
        now=timezone.now(),
    )
    return HttpResponse(EMPTY_ANSWER, content_type="text/xml")


def _plain(request: HttpRequest, name: str) -> str:
    """A field without NUL, which PostgreSQL cannot keep."""
    return request.POST.get(name, "").replace("\x00", "")
