"""Export and erasure of a volunteer."""

from typing import ClassVar

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import documented
from drives.api.access import ApiView
from drives.privacy import erase, export
from drives.privacy.serializers import ErasedSerializer, EraseSerializer, ExportSerializer


class Export(ApiView):
    needs: ClassVar = {"GET": "plan"}

    @documented.operation(
        "export_volunteer",
        "Export a volunteer's data",
        "Everything that is held about one volunteer, in one document. An erased volunteer is not found.",
        gives=ExportSerializer,
        refuses=(404,),
    )
    def get(self, request: Request, volunteer_id: int) -> Response:
        person = self.volunteer(volunteer_id)
        if person.erased_at:
            raise Http404
        return Response(ExportSerializer.write(export.export(person, timezone.now())))


class Erase(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "erase_volunteer",
        "Erase a volunteer",
        "Erases a volunteer for good: upcoming bookings are cancelled, past ones stay as numbers. Repeating it changes "
        "nothing.",
        gives=ErasedSerializer,
        takes=EraseSerializer,
        refuses=(404, 409),
    )
    def post(self, request: Request, volunteer_id: int) -> Response:
        person, body = self.volunteer(volunteer_id), EraseSerializer.read(request.data)
        erased = erase.erase(
            volunteer_id=person.pk, because=body["because"], actor=self.caller.actor, now=timezone.now()
        )
        return Response(ErasedSerializer.write(erased))
