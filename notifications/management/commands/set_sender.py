"""`manage.py set_sender`: set the limits of a sender of texts, or let a stopped sender send again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from notifications import senders
from notifications.models import Sender


class Command(BaseCommand):
    help = "Set the limits of a sender of texts, or let a stopped sender send again. Without a name, lists the senders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sender", nargs="?", help="the sender's number or messaging service")
        parser.add_argument("--per-minute", type=int, help="0 means no limit")
        parser.add_argument("--per-day", type=int, help="0 means no limit")
        parser.add_argument(
            "--resume", action="store_true", help="let a stopped sender send again, after its account is fixed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Change the sender, if one is named, and list all senders. Refuse an unknown sender and negative limits."""
        if name := options["sender"]:
            self._change(name, options)
        for sender in Sender.objects.order_by("pk"):
            address, stopped = sender.number or sender.messaging_service, sender.stopped_reason
            state = f"stopped: {stopped}" if stopped else "sending"
            self.stdout.write(f"{address}  {sender.per_minute} a minute, {sender.per_day} a day, {state}")

    def _change(self, name: str, options: dict[str, Any]) -> None:
        sender = Sender.objects.filter(Q(number=name) | Q(messaging_service=name)).first()
        if sender is None:
            raise CommandError(f"There is no sender {name}. Run this without a name to list the senders.")
        limits = {limit: options[limit] for limit in ("per_minute", "per_day") if options[limit] is not None}
        if any(limit < 0 for limit in limits.values()):
            raise CommandError("A limit must be 0 or more.")
        if limits:
            Sender.objects.filter(pk=sender.pk).update(**limits)
        if options["resume"]:
            count = senders.resume_sender(sender=sender, now=timezone.now())
            self.stdout.write(f"{count} messages are queued again.")
