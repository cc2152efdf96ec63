"""`manage.py set_member`: add a member to an organization, change a member's role, or remove a member."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from organizations import memberships
from organizations.management import members
from organizations.models import Membership, Organization, Role


class Command(BaseCommand):
    help = "Add a member to an organization, change the role of a member, or remove a member."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", help="the slug of the organization")
        parser.add_argument("email")
        parser.add_argument("role", choices=[*Role.values, "none"], help='"none" removes the member')

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Add, change or remove the member. Refuse to leave an organization without an owner."""
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization {options['organization']}.")
        email, role, now = options["email"], options["role"], timezone.now()
        try:
            if role == "none":
                member = Membership.objects.filter(organization=organization, user__email__iexact=email).first()
                if member is None:
                    raise CommandError(f"{email} is not a member of {organization}.")
                memberships.remove_member(membership=member, actor="command", now=now)
                self.stdout.write(f"{email} is removed.")
                return
            user = members.find_or_create_user(email)
            memberships.add_member(organization=organization, user=user, role=role, actor="command", now=now)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(members.format_sign_in(user))
