"""`manage.py demo`: create or refresh the demo's data."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from drives.management.demo import content, demo_drives
from drives.models import Drive, DriveState
from organizations import database_copy
from organizations.models import ApiKey

WELCOME = """
Donors      {base}/o/{organization}/
{drives}
Organizers  {base}/organizer/   ben@example.org, password {password}
            (dana: coordinator, eli: check-in, vera: viewer; cleo: another foundation)
Check-in    {base}/checkin/{today}/
Inbox       {base}/demo/inbox/   every text and mail the demo "sends"
API         {base}/api/docs/   Authorization: Bearer {key}
"""


class Command(BaseCommand):
    help = "Fill the demo with data, or bring it up to date: one drive today and one ahead. A second run adds nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the demo. Refuses unless DEMO=on, because the demo's passwords and API key are public."""
        if not settings.DEMO or settings.DEMO_EMPTY:
            raise CommandError(
                "This command fills a demo with made-up people and public passwords. Set DEMO=on if you want that here."
            )
        now = timezone.now()
        if database_copy.is_restored_copy(now=now):
            self.stdout.write("This database is a restored copy, so the demo was not filled. Run manage.py restored.")
        else:
            demo_drives.fill_demo(now=now)
        drives = Drive.objects.filter(organization__slug=content.RHYTHM, state=DriveState.PUBLISHED).order_by(
            "starts_at"
        )
        ahead = [drive for drive in drives if drive.ends_at > now] or list(drives)
        self.stdout.write(
            WELCOME.format(
                base=settings.BASE_URL,
                organization=content.RHYTHM,
                drives="\n".join(f"            {settings.BASE_URL}/d/{drive.slug}/" for drive in ahead),
                today=ahead[0].slug if ahead else "",
                password=content.PASSWORD,
                key=content.API_KEY if ApiKey.objects.filter(prefix="demo", revoked_at=None).exists() else "(revoked)",
            ).strip()
        )
