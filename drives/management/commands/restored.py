"""`manage.py restored`: let the service run again after a backup was restored."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from drives.privacy import erasure_list, restored_copy
from drives.privacy.restored_copy import RestoreResult
from notifications import queries as notifications_queries
from organizations import database_copy, key_fingerprints


class Command(BaseCommand):
    help = (
        "Open the service after a restore: erase people again, withdraw messages that may have been sent since the copy"
        " was made, show what will be sent, and ask for a yes. Until then, no message is sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--erasures",
            action="append",
            default=[],
            metavar="FILE",
            help="a list of erasures, or a log, since the copy; - is standard input; default: ERASURES_FILE",
        )
        parser.add_argument("--no-erasures", action="store_true", help="continue without a list of erasures")
        parser.add_argument(
            "--stopped-at",
            type=_parse_time,
            metavar="TIME",
            help="when the lost service stopped sending, such as 2027-03-10T20:00Z; messages due later are still sent",
        )
        parser.add_argument(
            "--moved",
            action="store_true",
            help="withdraw nothing, because all processes were stopped while the database was moved or upgraded",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask for a yes")

    def handle(self, *args: Any, **options: Any) -> None:
        if problems := key_fingerprints.list_key_problems():
            raise CommandError(" ".join(problems))
        if options["moved"]:
            self._open_moved_database(options)
            return
        now = timezone.now()
        erasures = self._read_erasures(options["erasures"], options["no_erasures"])
        sent_until = options["stopped_at"] or now
        database_copy.hold_sweeps(now=now)  # even if nothing shows that this is a restored copy
        copied_at = notifications_queries.find_last_delivery_at()
        self.stdout.write(
            f"The copy was made at {copied_at or 'an unknown time'}. Erasures on the list: {len(erasures)}."
        )
        if copy_start := database_copy.find_copy_start():
            self.stdout.write(f"Messages created since {copy_start} are kept. The service was running on the copy.")
        self._show(restored_copy.preview_restored_copy(erasures=erasures, sent_until=sent_until, now=now))
        _ask(options)
        now = timezone.now()
        result = restored_copy.accept_restored_copy(
            erasures=erasures, sent_until=options["stopped_at"] or now, actor="command", now=now
        )
        count = sum(result.withdrawn.values())
        self.stdout.write(f"People erased again: {result.erased}. Messages withdrawn: {count}. The service is open.")

    def _open_moved_database(self, options: Mapping[str, Any]) -> None:
        if options["stopped_at"] or options["erasures"]:
            raise CommandError("With --moved, nothing is withdrawn or erased. Leave the other options out.")
        swept_at = notifications_queries.find_last_delivery_at()
        self.stdout.write(
            f"The last sweep ran at {swept_at or 'an unknown time'}. Messages sent after that will be sent again."
        )
        _ask(options)
        restored_copy.accept_moved_database(actor="command", now=timezone.now())
        self.stdout.write("Nothing was withdrawn. The service is open.")

    def _read_erasures(self, names: list[str], without: bool) -> set[str]:
        if not names and not without:
            names = [settings.ERASURES_FILE] if settings.ERASURES_FILE else []
        if not names and not without:
            raise CommandError("Give the list of erasures (--erasures FILE), or continue with --no-erasures.")
        found: set[str] = set()
        for name in names:
            try:
                lines = sys.stdin.readlines() if name == "-" else Path(name).read_text().splitlines()
            except OSError as error:
                raise CommandError(
                    f"{name} cannot be read: {error.strerror}. If no person was ever erased, there is no list yet."
                    " Continue with --no-erasures."
                ) from error
            found |= erasure_list.read_erasures(lines)
        return found

    def _show(self, result: RestoreResult) -> None:
        self.stdout.write(f"People to erase again: {result.erased}.")
        self.stdout.write("To withdraw, because they may have been sent already:")
        for kind, count in result.withdrawn.items():
            self.stdout.write(f"  {count:6}  {kind}")
        self.stdout.write("To send in the next 7 days:")
        for one in result.coming:
            when = f"{one.first_due_at:%Y-%m-%d %H:%M} to {one.last_due_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"  {one.count:6}  {one.kind}, {one.channel}, {when}")


def _ask(options: Mapping[str, Any]) -> None:
    if options["yes"]:
        return
    try:
        answer = input("Type yes to open the service: ")
    except EOFError as error:  # there is no terminal, or standard input was the list of erasures
        raise CommandError("Nothing was changed, because you cannot answer here. Run this again with --yes.") from error
    if answer.strip() != "yes":
        raise CommandError("Nothing was changed. No message is sent until you run this again and type yes.")


def _parse_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=timezone.get_default_timezone())
