"""URL routes of API v1 (`docs/api/README.md`)."""

from drives.attendance import urls as attendance_urls
from drives.booking import urls as booking_urls
from drives.planning import urls as planning_urls
from drives.privacy import urls as privacy_urls
from drives.waitlist import urls as waitlist_urls

urlpatterns = [
    # These come first, because Django tries routes in order and most requests are for drives and open times.
    *planning_urls.api_urls,
    *attendance_urls.api_urls,
    *booking_urls.api_urls,
    *privacy_urls.api_urls,
    *waitlist_urls.api_urls,
]
