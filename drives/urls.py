from django.urls import include, path

from drives.account import urls as account_urls
from drives.attendance import urls as attendance_urls
from drives.booking import urls as booking_urls
from drives.calendars import urls as calendars_urls
from drives.checklist import urls as checklist_urls
from drives.desk import urls as desk_urls
from drives.imports import urls as imports_urls
from drives.inbox import urls as inbox_urls
from drives.messaging import urls as messaging_urls
from drives.planning import urls as planning_urls
from drives.privacy import urls as privacy_urls
from drives.public import urls as public_urls
from drives.settings import urls as settings_urls
from drives.sharing import urls as sharing_urls
from drives.waitlist import urls as waitlist_urls

urlpatterns = [
    # Feeds come first, because Django tries routes in order and most requests are for feeds.
    *calendars_urls.donor_urls,
    *public_urls.donor_urls,
    *booking_urls.donor_urls,
    *waitlist_urls.donor_urls,
    *account_urls.donor_urls,
    *privacy_urls.donor_urls,
    *sharing_urls.donor_urls,
    path(
        "organizer/",
        include(
            [
                *desk_urls.organizer_urls,
                *attendance_urls.organizer_urls,
                *booking_urls.organizer_urls,
                *checklist_urls.organizer_urls,
                *imports_urls.organizer_urls,
                *inbox_urls.organizer_urls,
                *messaging_urls.organizer_urls,
                *planning_urls.organizer_urls,
                *privacy_urls.organizer_urls,
                *sharing_urls.organizer_urls,
                *settings_urls.organizer_urls,
                *waitlist_urls.organizer_urls,
            ]
        ),
    ),
    path("checkin/<slug:slug>/", include(attendance_urls.door_urls)),
]
