"""Prepare the database, the static files and the demo."""

import importlib
import os
import sys
from pathlib import Path
from typing import IO

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    """Migrate, collect static files and fill the demo. Write the text for the terminal to the file `sys.argv[1]`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print("bringing the database up to date")
    call_command("migrate", interactive=False, verbosity=0)
    print("collecting static files")
    call_command("collectstatic", interactive=False, verbosity=0)
    with Path(sys.argv[1]).open("w") as output:
        _prepare_data(output)
    importlib.import_module("drives.tasks").audit_counters()  # so that /readyz does not report an old audit


def _prepare_data(output: IO[str]) -> None:
    if not settings.DEMO_EMPTY:
        print("filling the demo, unless it is already filled")
        call_command("demo", stdout=output)
        return
    if not apps.get_model("organizations", "Organization").objects.exists():
        call_command("create_organization", stdout=output)
    output.write(f"Organizers  {settings.BASE_URL}/organizer/\n")
    output.write(f"Inbox       {settings.BASE_URL}/demo/inbox/   every text and e-mail that would be sent\n")


if __name__ == "__main__":
    main()
