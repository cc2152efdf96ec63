"""The calls of API v1 (`docs/api/README.md`)."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from drives.attendance import api as attendance_api
from drives.booking import api as booking_api
from drives.planning import api as planning_api
from drives.privacy import api as privacy_api
from drives.waitlist import api as waitlist_api


class IdConverter(StringConverter):
    """An opaque id that could be ours; anything else is not found."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value)


register_converter(IdConverter, "id")

urlpatterns = [
    path("bookings/", booking_api.Bookings.as_view()),
    path("drives/", planning_api.Drives.as_view()),
    path("drives/preview/", planning_api.Preview.as_view()),
    path("drives/<id:drive_id>/", planning_api.OneDrive.as_view()),
    path("drives/<id:drive_id>/slots/", planning_api.Slots.as_view()),
    path("drives/<id:drive_id>/publish/", planning_api.Publish.as_view()),
    path("drives/<id:drive_id>/close/", planning_api.Close.as_view()),
    path("drives/<id:drive_id>/cancel/", planning_api.CancelDrive.as_view()),
    path("drives/<id:drive_id>/copy/", planning_api.Copy.as_view()),
    path("drives/<id:drive_id>/roster/", attendance_api.Roster.as_view()),
    path("drives/<id:drive_id>/walk-ins/", attendance_api.WalkIns.as_view()),
    path("drives/<id:drive_id>/turnout/", attendance_api.Turnout.as_view()),
    path("drives/<id:drive_id>/waiting-list/", waitlist_api.WaitingList.as_view()),
    path("drives/<id:drive_id>/waiting-list/close/", waitlist_api.CloseLine.as_view()),
    path("waiting-list/<str:token>/", waitlist_api.OneEntry.as_view()),
    path("waiting-list/<str:token>/prove/", waitlist_api.Prove.as_view()),
    path("waiting-list/<str:token>/code/", waitlist_api.SendCode.as_view()),
    path("waiting-list/<str:token>/leave/", waitlist_api.Leave.as_view()),
    path("waiting-list/<str:token>/accept/", waitlist_api.Accept.as_view()),
    path("waiting-list/<str:token>/pass/", waitlist_api.Pass.as_view()),
    path("bookings/<id:booking_id>/check-in/", attendance_api.CheckIn.as_view()),
    path("bookings/<id:booking_id>/outcome/", attendance_api.Outcome.as_view()),
    path("bookings/<id:booking_id>/undo/", attendance_api.Undo.as_view()),
    path("bookings/<str:token>/", booking_api.OneBooking.as_view()),
    path("bookings/<str:token>/prove/", booking_api.Prove.as_view()),
    path("bookings/<str:token>/code/", booking_api.SendCode.as_view()),
    path("bookings/<str:token>/confirm/", booking_api.Confirm.as_view()),
    path("bookings/<str:token>/cancel/", booking_api.Cancel.as_view()),
    path("bookings/<str:token>/move/", booking_api.Move.as_view()),
    path("volunteers/<id:volunteer_id>/export/", privacy_api.Export.as_view()),
    path("volunteers/<id:volunteer_id>/erase/", privacy_api.Erase.as_view()),
    path("parties/", booking_api.Parties.as_view()),
    path("organizations/", planning_api.Organizations.as_view()),
    path("organizations/<id:pk>/", planning_api.OneOrganization.as_view()),
    path("sites/", planning_api.Sites.as_view()),
    path("sites/<id:pk>/", planning_api.OneSite.as_view()),
    path("causes/", planning_api.Causes.as_view()),
    path("causes/<id:pk>/", planning_api.OneCause.as_view()),
    path("collectors/", planning_api.Collectors.as_view()),
    path("collectors/<id:pk>/", planning_api.OneCollector.as_view()),
    path("policies/", planning_api.Policies.as_view()),
    path("policies/<id:pk>/", planning_api.OnePolicy.as_view()),
]
