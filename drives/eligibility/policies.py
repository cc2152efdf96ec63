"""Load the donation programs for every organization from policies.json into the table of policies.

A version in the file is never edited, because drives were planned with it. A changed program gets a new version. For "a
year" or "12 months" in a source, the file uses any period of 365 days. For "a month", it uses any period of 31 days.
`cross_days` counts the days from a donation of the other kind to a donation in this program.
"""

import json
from pathlib import Path
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from drives.domain.intervals import IntervalRules

_POLICIES_FILE = Path(__file__).with_name("policies.json")


def read_policy_file() -> list[dict[str, Any]]:
    policies: list[dict[str, Any]] = json.loads(_POLICIES_FILE.read_text(encoding="utf-8"))
    return policies


def seed_policies(policy_model: type[Model]) -> int:
    rows = policy_model._default_manager  # also works for the model that a migration passes
    existing = set(rows.filter(organization=None).values_list("code", "version"))
    new = [policy_model(**row) for row in read_policy_file() if (row["code"], row["version"]) not in existing]
    # Another process may load the policies at the same time.
    return len(rows.bulk_create(new, ignore_conflicts=True))


def describe_rules(rules: IntervalRules) -> str:
    parts = []
    if rules.min_hours:
        parts.append(_("at least %(hours)s hours between donations") % {"hours": rules.min_hours})
    if rules.min_days:
        parts.append(_("at least %(days)s days between donations") % {"days": rules.min_days})
    parts += [
        _("no more than %(count)s in %(days)s days") % {"count": count, "days": days} for count, days in rules.windows
    ]
    return ", ".join(parts).capitalize() + "." if parts else _("There is no required wait between donations.")
