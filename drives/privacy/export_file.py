from datetime import datetime

from django.http import HttpResponse, JsonResponse

from drives.privacy import export
from organizations import audit
from volunteers.models import Volunteer


def record_export(person: Volunteer, *, actor: str, now: datetime) -> None:
    audit.add_audit_entry(
        organization=person.organization, actor=actor, verb="exported", about=f"volunteer:{person.pk}", now=now
    )


def build_export_response(person: Volunteer, now: datetime) -> HttpResponse:
    response = JsonResponse(export.build_export(person, now), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="my-data-{person.organization.slug}.json"'
    response["Cache-Control"] = "no-store"
    return response
