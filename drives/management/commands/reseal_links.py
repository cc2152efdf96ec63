"""`manage.py reseal_links`: encrypt the stored links with a new SECRET_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from drives.privacy import link_renewal


class Command(BaseCommand):
    help = (
        "Re-encrypt the stored links after SECRET_KEY has changed. Links keep working. Afterward, you can empty"
        " SECRET_KEY_FALLBACKS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        result = link_renewal.reseal_links()
        self.stdout.write(f"{result.resealed} links are encrypted with the new key.")
        if result.unreadable:
            raise CommandError(
                f"None of the keys can read {result.unreadable} links. Add their key to SECRET_KEY_FALLBACKS, or run"
                " `manage.py revoke_links`."
            )
