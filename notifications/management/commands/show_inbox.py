"""`manage.py show_inbox`: print the messages in the demo inbox."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import queries


class Command(BaseCommand):
    help = "Show the messages of a dry run (SMS_PROVIDER=inbox or EMAIL_URL=inbox), oldest first. None was sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", default="", help="a phone number or e-mail address; default: all")
        parser.add_argument("--limit", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the messages. Refuse if no provider is the demo inbox, because the inbox is then empty."""
        if "inbox" not in {settings.SMS_PROVIDER, settings.EMAIL_URL}:
            raise CommandError("This is not a dry run: texts and e-mails are really sent.")
        for item in reversed(queries.list_inbox_items(options["address"], options["limit"])):
            self.stdout.write(f"{item.at:%Y-%m-%d %H:%M} {item.channel} to {item.to}\n{item.text}\n")
