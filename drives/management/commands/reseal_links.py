"""`manage.py reseal_links`: encrypt the stored links with a new SECRET_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from drives.privacy import link_renewal


class Command(BaseCommand):
    help = (
        "Encrypt the stored links with SECRET_KEY after a change of it. Links keep working. Afterwards you can empty"
        " SECRET_KEY_FALLBACKS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        result = link_renewal.reseal_links()
        self.stdout.write(f"{result.resealed} links are sealed with the new key.")
        if result.unreadable:
            raise CommandError(
                f"{result.unreadable} links cannot be read with any key. Add their key to SECRET_KEY_FALLBACKS, or run"
                " `manage.py revoke_links`."
            )
