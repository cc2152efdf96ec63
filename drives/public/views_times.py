"""The short URL of a slot, for messages. It redirects to the booking form."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from drives.models import Drive, Visit


@require_safe
def redirect_to_time(request: HttpRequest, slot_id: int, visit: str = Visit.RETURN) -> HttpResponse:
    drive = get_object_or_404(Drive.objects.public(), slots=slot_id)
    query = urlencode({"visit": visit, "slot": slot_id})
    return redirect(f"{reverse('book', args=[drive.slug])}?{query}")
