from typing import ClassVar

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import openapi
from drives.api.access import ApiView
from drives.privacy import erase, export, export_file
from drives.privacy.serializers import ErasedSerializer, EraseSerializer, ExportSerializer


class ExportVolunteerView(ApiView):
    needs: ClassVar = {"GET": "plan"}

    @openapi.describe_operation(
        "export_volunteer",
        "Export a volunteer's data",
        "Returns everything we hold about one volunteer in one document. The response is 404 if the volunteer has"
        " been erased.",
        response_serializer=ExportSerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, volunteer_id: int) -> Response:
        person = self.get_volunteer_or_404(volunteer_id)
        if person.erased_at:
            raise Http404
        export_file.record_export(person, actor=self.caller.actor, now=timezone.now())
        return Response(ExportSerializer.write(export.build_export(person, timezone.now())))


class EraseVolunteerView(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @openapi.describe_operation(
        "erase_volunteer",
        "Erase a volunteer",
        "Erases a volunteer for good. Upcoming bookings are cancelled; past bookings still count "
        "anonymously. A second call changes nothing.",
        response_serializer=ErasedSerializer,
        request_serializer=EraseSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, volunteer_id: int) -> Response:
        person, body = self.get_volunteer_or_404(volunteer_id), EraseSerializer.read(request.data)
        erased = erase.erase_volunteer(
            volunteer_id=person.pk, reason=body["because"], actor=self.caller.actor, now=timezone.now()
        )
        return Response(ErasedSerializer.write(erased))
