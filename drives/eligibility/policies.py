"""The donation programmes that every organization may choose from: policies.json, copied to rows of Policy.

A version in the file is never edited, for drives were planned with it: a changed programme is a new version. How the
sources' words were read: "a year" and "12 months" are any 365 days, "a month" any 31 days, so that no calendar month
holds more; `cross_days` counts from the named kind of donation to one of this programme.
"""

import json
from pathlib import Path
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from drives.domain.intervals import IntervalRules

_POLICIES_FILE = Path(__file__).with_name("policies.json")


def read_policy_file() -> list[dict[str, Any]]:
    """The fields of every programme in the file."""
    programmes: list[dict[str, Any]] = json.loads(_POLICIES_FILE.read_text(encoding="utf-8"))
    return programmes


def seed_policies(policy_model: type[Model]) -> int:
    """Add the programmes whose code and version are not there yet; return how many were new. `policy` is the model."""
    rows = policy_model._default_manager
    there = set(rows.filter(organization=None).values_list("code", "version"))
    new = [policy_model(**row) for row in read_policy_file() if (row["code"], row["version"]) not in there]
    return len(rows.bulk_create(new, ignore_conflicts=True))


def describe_rules(rules: IntervalRules) -> str:
    """How often somebody may give under these rules."""
    parts = []
    if rules.min_hours:
        parts.append(_("at least %(hours)s hours between donations") % {"hours": rules.min_hours})
    if rules.min_days:
        parts.append(_("at least %(days)s days between donations") % {"days": rules.min_days})
    parts += [_("at most %(count)s in %(days)s days") % {"count": count, "days": days} for count, days in rules.windows]
    return ", ".join(parts).capitalize() + "." if parts else _("No interval is counted.")
