"""`manage.py erase_again`: repeat erasures that were lost because an older database was restored."""

import re
import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from drives.privacy import erase
from drives.privacy.erase import ErasureReason
from volunteers.models import Volunteer

NUMBER = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class Command(BaseCommand):
    help = "Erase volunteers again after a restore. Reads the log lines of their erasures from standard input."

    def handle(self, *args: Any, **options: Any) -> None:
        # Skip other log lines, because their ids may not be those of volunteers.
        numbers = {number for line in sys.stdin if '"erased"' in line for number in NUMBER.findall(line)}
        volunteer_ids = Volunteer.objects.known().filter(uuid__in=numbers).order_by("pk").values_list("pk", flat=True)
        count = erase.erase_volunteers(
            volunteer_ids=list(volunteer_ids), reason=ErasureReason.ASKED, actor="worker", now=timezone.now()
        )
        self.stdout.write(f"{len(numbers)} erasures in the log, {count} people erased again.")
