"""`manage.py revoke_links`: revoke all links that were sent to an organization's donors."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from drives.privacy import link_renewal
from organizations import key_fingerprints
from organizations.models import Organization


class Command(BaseCommand):
    help = (
        "Revoke all links of an organization. Donors keep their bookings. Their next message has a new link and says"
        " that earlier links no longer work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "organizations", nargs="*", metavar="ORGANIZATION", help="the name in its address, /o/NAME/"
        )
        parser.add_argument("--all", action="store_true", help="all organizations")

    def handle(self, *args: Any, **options: Any) -> None:
        slugs: list[str] = options["organizations"]
        if bool(slugs) == options["all"]:
            raise CommandError("Name an organization, or use --all.")
        organizations = Organization.objects.order_by("pk")
        if slugs:
            organizations = organizations.filter(slug__in=slugs)
        if unknown := sorted(set(slugs) - {organization.slug for organization in organizations}):
            raise CommandError(f"There is no organization {', '.join(unknown)}.")
        for organization in organizations:
            count = link_renewal.revoke_links(organization=organization, actor="command", now=timezone.now())
            self.stdout.write(f"{organization.slug}: {count} links revoked.")
        if options["all"]:
            key_fingerprints.keep_only_current_secret_key()
