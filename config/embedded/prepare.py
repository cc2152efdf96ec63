"""Prepare the database, the static files and the demo."""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command, get_commands


def main() -> None:
    """Migrate, collect static files, and fill the demo. The first argument is the file for the demo's output."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print("bringing the database up to date")
    call_command("migrate", interactive=False, verbosity=0)
    print("collecting static files")
    call_command("collectstatic", interactive=False, verbosity=0)
    if "demo" in get_commands():
        print("filling the demo, unless it is there")
        with Path(sys.argv[1]).open("w") as output:
            call_command("demo", stdout=output)


if __name__ == "__main__":
    main()
