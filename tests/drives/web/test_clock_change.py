"""If the clocks change during a drive, its local times do not show its length.

Every page that shows the drive's hours therefore also states the length.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Drive
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
NIGHTS = {
    datetime(2027, 11, 7, 8, tzinfo=UTC): "1:00 AM (PDT) – 1:30 AM (PST), 1 h 30 min",
    datetime(2027, 3, 14, 9, 30, tzinfo=UTC): "1:30 AM – 4:00 AM, 1 h 30 min",
}


@pytest.mark.parametrize("starts_at", NIGHTS)
def test_pages_of_donors_and_coordinators_tell_the_length(starts_at: datetime) -> None:
    drive = builders.drive()
    Drive.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=90))
    ben = coordinator.signed_in(builders.member(drive.organization))
    pages = [
        Client().get(reverse("drive", args=[drive.slug])),
        Client().get(reverse("organization", args=[drive.organization.slug])),
        ben.get(reverse("organizer_home")),
        ben.get(reverse("organizer_roster", args=[drive.pk])),
        ben.get(reverse("organizer_drive", args=[drive.pk])),
        ben.get(reverse("organizer_poster", args=[drive.pk])),
    ]
    for number, page in enumerate(pages):
        assert NIGHTS[starts_at] in " ".join(donor.text(page).split()), number


@pytest.mark.parametrize("starts_at", NIGHTS)
def test_the_api_tells_both_offsets(starts_at: datetime) -> None:
    drive = builders.drive()
    Drive.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=90))
    found = Api().get(f"drives/{drive.pk}/").json()
    starts, ends = (datetime.fromisoformat(found[name]) for name in ("starts_at", "ends_at"))
    assert ends - starts == timedelta(minutes=90)
    assert starts.utcoffset() != ends.utcoffset()
