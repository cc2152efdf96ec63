from datetime import datetime

from django.http import HttpResponse, JsonResponse

from drives.privacy import export
from volunteers.models import Volunteer


def build_export_response(person: Volunteer, now: datetime) -> HttpResponse:
    response = JsonResponse(export.build_export(person, now), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="my-data-{person.organization.slug}.json"'
    response["Cache-Control"] = "no-store"
    return response
