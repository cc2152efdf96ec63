"""All addresses of the drives: donors', coordinators', the door's."""

from django.urls import include, path

urlpatterns = [
    path("", include("drives.web.public.urls")),
    path("organizer/", include("drives.web.organizer.urls")),
    path("checkin/<slug:slug>/", include("drives.web.checkin.urls")),
]
