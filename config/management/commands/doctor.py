"""`manage.py doctor`: print the problems of this installation, and how to fix them."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config import doctor


class Command(BaseCommand):
    help = "Look for mistakes in the settings and in the running service. Exits with 1 if there are errors."
    requires_system_checks: list[str] = []  # it runs them itself

    def handle(self, *args: Any, **options: Any) -> None:
        findings = doctor.examine()
        for finding in findings:
            level = "ERROR" if finding.is_error else "WARNING"
            self.stdout.write(f"{level} {finding.code}: {finding.sentence}\n  {finding.remedy}")
        errors = sum(finding.is_error for finding in findings)
        self.stdout.write(f"{errors} errors, {len(findings) - errors} warnings.")
        if errors:
            sys.exit(1)
