"""`manage.py mend_drift`: list the slots with wrong counters, and correct the counters."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from drives.capacity import drift


class Command(BaseCommand):
    help = "Show where slot counters and bookings disagree. With --yes, set the counters to match the bookings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="correct the counters, with an entry in the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        drifted = drift.list_drifted_slots()
        for one in drifted:
            self.stdout.write(
                f"drive {one.drive_id}, {one.starts_at:%Y-%m-%d %H:%M} UTC: screening stations {one.screening_taken}"
                f" counted, {one.screening} taken by bookings; chairs {one.chairs_taken} counted, {one.chairs} taken"
            )
        if not drifted:
            self.stdout.write("All counters agree with the bookings.")
        elif options["yes"]:
            now = timezone.now()
            for drive_id in sorted({one.drive_id for one in drifted}):
                mended = drift.mend_drift(drive_id=drive_id, actor="command", now=now)
                self.stdout.write(f"drive {drive_id}: {len(mended)} slots corrected.")
            drift.audit_counters(now=now)
        else:
            self.stdout.write(
                f"{len(drifted)} slots disagree. Report these lines to the developers, then run this command with"
                f" --yes."
            )
