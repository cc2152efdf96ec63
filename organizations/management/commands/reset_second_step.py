"""`manage.py reset_second_step`: let a user who lost the second step set up a new one."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from organizations import audit
from organizations.models import User


class Command(BaseCommand):
    help = "Reset a user’s two-step sign-in. The user sets it up again at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        Authenticator.objects.filter(user=user).delete()
        audit.add_admin_entries(
            organization_ids=set(user.memberships.values_list("organization", flat=True)) or {None},
            actor="command",
            verb="second_step.reset",
            about=f"user:{user.pk}",
            now=timezone.now(),
        )
        self.stdout.write(f"{user.email} sets up two-step sign-in again at the next sign-in.")
