"""`manage.py create_organization`: print a link that founds an organization."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from organizations import invitations


class Command(BaseCommand):
    help = (
        "Print a link that sets up a new organization. The person who uses it becomes the owner. The link works once,"
        " for seven days."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        invitation, url = invitations.create_setup_link(now=timezone.now())
        self.stdout.write(f"Open this link to set up your organization (once, until {invitation.expires_at:%B %d}):")
        self.stdout.write(url)
