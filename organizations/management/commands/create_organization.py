"""`manage.py create_organization`: create an organization with its first owner."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from organizations import memberships
from organizations.management import members
from organizations.models import Organization


class Command(BaseCommand):
    help = "Create an organization and its first owner. Prints a link where the owner chooses a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--slug", required=True, help="its part of addresses, for example hope-foundation")
        parser.add_argument("--sms-name", required=True, help="its name in texts, at most 20 characters")
        parser.add_argument("--email", required=True, help="its mailbox, which donors see")
        parser.add_argument("--owner", required=True, help="the mailbox of the first owner")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Refuses values that the model refuses, for example a slug that is taken."""
        details = {name: options[name] for name in ("name", "slug", "sms_name", "email")}
        now = timezone.now()
        try:
            Organization(**details, created_at=now).full_clean()
        except ValidationError as error:
            raise CommandError(
                "; ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
            ) from error
        owner = members.find_or_create_user(options["owner"])
        memberships.create_organization(**details, owner=owner, now=now, actor="command")
        self.stdout.write(members.format_sign_in(owner))
