"""All addresses of the drives: donors', coordinators', the door's."""

from django.urls import include, path

urlpatterns = [
    path("", include("drives.urls_donor")),
    path("organizer/", include("drives.urls_organizer")),
    path("checkin/<slug:slug>/", include("drives.urls_door")),
]
