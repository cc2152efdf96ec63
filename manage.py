#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line
from environs import EnvError

REMEDY = """Correct it in .env; .env.example explains each variable.
Write special characters of a password in an address percent-encoded: @ as %40, # as %23, / as %2F, ? as %3F."""

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvError as error:
        sys.exit(f"{error}\n{REMEDY}")
