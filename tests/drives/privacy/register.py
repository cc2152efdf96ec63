"""Every column that can contain text about a person, and what an erasure does with it.

`test_register.py` fails for a new column until a developer adds it to one of the lists.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models

from drives.models import PLAN_FIELDS
from tests.architecture.sources import ROOT

# What a person told us, and their names and contacts. An erasure deletes it, and an export contains it.
_PERSONAL = {
    "volunteers.Volunteer": ["name", "folded_name"],
    "volunteers.Contact": ["address"],
    "volunteers.Registration": ["name", "phone", "phone_as_typed", "email", "ip"],
    "drives.Booking": ["override_reason", "reference"],
    "drives.BookingChange": ["reason"],
    "drives.Conversation": ["address"],
    "drives.SelfReportedDonation": ["kind"],
    "drives.Import": ["file_name", "content"],
    "drives.ImportRow": ["values", "problems"],
    "notifications.Message": ["address", "text", "subject", "html", "calendar", "unsubscribe_url"],
    "notifications.InboundMessage": ["address", "text"],
    "notifications.ConsentEntry": ["address", "ip"],
    "notifications.Suppression": ["address"],
    "notifications.InboxItem": ["to", "subject", "text", "html", "calendar"],
}
# An erasure also deletes these. They identify a person but contain nothing that the person told us.
_LEADS = {
    "volunteers.Volunteer": ["uuid", "link_hash", "link_seal"],
    "volunteers.Contact": ["uuid", "link_hash", "link_seal", "identity"],
    "volunteers.Registration": ["identity"],
    "volunteers.VerificationCode": ["identity", "bound_to", "refunds", "code_hash"],
    "volunteers.VerifiedBrowser": ["token_hash", "identity"],
    "drives.Booking": ["uuid", "link_hash", "link_seal", "party"],
    "drives.WaitlistEntry": ["uuid", "link_hash", "link_seal"],
    "drives.Offer": ["uuid", "link_hash", "link_seal"],
    "notifications.Message": ["attempt_token", "provider_id"],
    "notifications.InboundMessage": ["provider_id"],
    "notifications.Report": ["provider_id"],
    "organizations.IdempotentAnswer": ["body"],
}
# Why the export does not have such a value.
LEFT_OUT = {
    ("volunteers.Volunteer", "folded_name"): "the name once more, as searches find it",
    ("notifications.Message", "html"): "the same words as the text",
    ("notifications.Message", "unsubscribe_url"): "a link that opens a door",
    ("notifications.Message", "text"): "codes are secrets; every other text is held in test_every_canary_is_in_it",
    ("drives.Import", "file_name"): "of a coordinator's file, kept for a day",
    ("drives.Import", "content"): "a file about many people, kept for a day; what is imported is in the export",
    **dict.fromkeys(
        [("drives.ImportRow", "values"), ("drives.ImportRow", "problems")], "a row of that file, kept for a day"
    ),
    **{
        ("notifications.InboxItem", column): "the demo's stand-in for the carriers: the same messages once more"
        for column in ("to", "subject", "text", "html", "calendar")
    },
}
# What an erasure keeps, and why it identifies no person.
_STAYS = {
    "volunteers.Volunteer": {"language": "becomes the organization's"},
    "volunteers.Contact": {"kind": "a code"},
    "volunteers.Registration": dict.fromkeys(["language", "consents", "self_check", "source"], "deleted"),
    "volunteers.LimitCounter": {"scope": "a code", "subject": "a keyed hash, two days: a limit outlives an erasure"},
    "drives.Booking": {
        **dict.fromkeys(["visit", "state", "source", "cancelled_by"], "a code, counted"),
        "self_check": "codes of what everybody confirms",
        "overridden_rules": "codes of rules with dates; emptied",
    },
    "drives.BookingChange": {"from_state": "a code", "to_state": "a code", "actor": "an id, or 'donor'"},
    "drives.Conversation": {"closed_by": "deleted"},
    "notifications.Suppression": {"basis": "a code"},
    "drives.SelfReportedDonation": {"actor": "deleted"},
    "drives.WaitlistEntry": dict.fromkeys(["visit", "state", "source"], "a code, counted"),
    "drives.Offer": {"state": "a code, counted"},
    "drives.Call": {"topic": "a message's key: ids and kinds", "actor": "an id"},
    "notifications.Message": {
        **dict.fromkeys(["key", "about", "recipient"], "ids and kinds"),
        **dict.fromkeys(["kind", "channel", "purpose", "state", "reason", "error_code", "calendar_method"], "a code"),
        "language": "a code",
        "zone": "the site's",
    },
    "notifications.InboundMessage": {"handled_as": "deleted"},
    "notifications.Report": {"status": "deleted", "error_code": "deleted"},
    "notifications.ConsentEntry": {
        "purpose": "a code",
        "wording_version": "the law wants it kept",
        "wording": "the law wants it kept; our words, or a coordinator's for all people of a file",
        "source": "a code",
        "actor": "an id, or 'donor'",
    },
    "notifications.MailboxRefusals": {"address_hash": "a keyed hash; deleted", "error_code": "a code"},
    "notifications.InboxItem": {"channel": "a code", "sender": "the organization's"},
    "organizations.AuditEntry": dict.fromkeys(["actor", "verb", "about", "fields"], "ids and names of fields"),
    "organizations.DatabaseMarker": dict.fromkeys(["marker", "copy_marker"], "numbers of PostgreSQL"),
    "organizations.KeyFingerprint": dict.fromkeys(["name", "fingerprint"], "tells keys apart"),
    "organizations.SharedCacheEntry": dict.fromkeys(["cache_key", "value"], "keyed hashes, times and marks"),
    "organizations.ParkedRow": dict.fromkeys(["sweep", "error"], "names of our own code"),
    "organizations.IdempotentAnswer": dict.fromkeys(["scope", "key_hash", "body_hash"], "of the caller, for a day"),
}
_WORDLESS = (
    models.AutoField,
    models.BooleanField,
    models.DateField,
    models.DecimalField,
    models.FloatField,
    models.ForeignKey,
    models.IntegerField,
    models.TimeField,
)
# The page of a drive publishes the coordinator's plan.
_PLANNED = [field.name for field in PLAN_FIELDS if not isinstance(field, _WORDLESS)]
# Plans, settings and people who work for an organization. These columns contain no donor data.
_NOT_ABOUT_DONORS = {
    "drives.Broadcast": ["kind", "purpose", "texts", "states", "currency", "actor", "request_key", "stopped_by"],
    "drives.ChecklistItem": ["code", "title", "check_kind"],
    "drives.ChecklistTick": ["code", "actor"],
    "drives.CounterAudit": ["booking_counts"],
    "drives.InvitationCheck": ["drives"],
    "drives.OfferCheck": ["fingerprint"],
    "drives.Import": ["actor", "state", "digest", "columns", "consent_wording", "consent_source"],
    "drives.ImportRow": ["result"],
    "drives.CollectionCenter": ["name", "phone", "required_documents", "website"],
    "drives.Drive": ["slug", "state", "cancel_reason", *_PLANNED],
    "drives.CustomText": ["kind", "language", "text", "opening"],
    "drives.ScheduleEntry": ["kind", "channel_choice"],
    "drives.Policy": ["code", "name", "kind", "windows", "cross_days", "self_check", "unenforced", "source"],
    "drives.ShareLink": ["name", "code", "visitors"],
    "drives.Site": [
        "name",
        "sms_name",
        "address",
        "city",
        "region",
        "postal_code",
        "country",
        "timezone",
        "map_url",
        "arrival_note",
    ],
    "notifications.Allowance": ["subject"],
    "notifications.Breaker": ["subject"],
    "notifications.RefusalRun": ["subject", "reason"],
    "notifications.Heartbeat": ["name"],
    "notifications.Sender": ["name", "number", "messaging_service", "stopped_reason"],
    "organizations.ApiKey": ["name", "prefix", "secret_hash", "role"],
    "organizations.Cause": [
        *("title", "slug", "summary", "story", "condition", "need", "picture_text"),
        *("learn_more_url", "give_url", "run_url"),
    ],
    "organizations.CausePicture": ["content", "digest"],
    "organizations.OrganizationLogo": ["content"],
    "organizations.CauseFact": ["text", "source_name", "source_url"],
    "organizations.Invitation": ["uuid", "link_hash", "link_seal", "email", "role", "state"],
    "organizations.Membership": ["role"],
    "organizations.Organization": [
        "name",
        "slug",
        "legal_name",
        "sms_name",
        "email",
        "phone",
        "website",
        "country",
        "language",
        "accent",
        "logo_digest",
        "calendar_title",
        "timezone",
        "program",
        "terms_note",
        "privacy_note",
        "setup_steps",
        "sms_currency",
    ],
    "organizations.User": ["password", "first_name", "last_name", "email"],
}
_PEOPLE = {"volunteers.Volunteer", "volunteers.Contact", "volunteers.Registration", "drives.Booking"}


def worded_columns(tables: Iterable[type[models.Model]]) -> list[tuple[str, str]]:
    """List every column that can contain text."""
    return [
        (table._meta.label, field.name)
        for table in tables
        for field in table._meta.concrete_fields
        if not isinstance(field, _WORDLESS)
    ]


def our_tables() -> list[type[models.Model]]:
    ours = [config for config in apps.get_app_configs() if Path(config.path).parent == ROOT]
    return [table for config in ours for table in config.get_models()]


def undecided(tables: Iterable[type[models.Model]]) -> list[tuple[str, str]]:
    return sorted(set(worded_columns(tables)) - set(decided()))


def undecided_tables(tables: Iterable[type[models.Model]]) -> list[str]:
    """List the tables that refer to people and for which the register has no decision.

    An erasure keeps a volunteer's row and the rows that refer to it, unless the code deletes them explicitly.
    """
    return sorted(
        table._meta.label
        for table in tables
        if any(
            field.related_model and field.related_model._meta.label in _PEOPLE for field in table._meta.concrete_fields
        )
        and table._meta.label not in {label for label, _column in decided() if label not in _NOT_ABOUT_DONORS}
    )


def decided() -> dict[tuple[str, str], str]:
    """Return the decision for each column, by table and column."""
    return {column: word for word, columns in _lists().items() for column in columns}


def decided_twice() -> list[tuple[str, str]]:
    every = Counter(column for columns in _lists().values() for column in columns)
    return [column for column, times in every.items() if times > 1]


def _lists() -> dict[str, list[tuple[str, str]]]:
    lists: dict[str, dict[str, Any]] = {
        "personal": _PERSONAL,
        "leads": _LEADS,
        "keep": _STAYS,
        "not about donors": _NOT_ABOUT_DONORS,
    }
    return {
        word: [(label, column) for label, columns in listed.items() for column in columns]
        for word, listed in lists.items()
    }


PERSONAL = [(apps.get_model(label), column) for label, columns in _PERSONAL.items() for column in columns]
GONE = [*PERSONAL, *((apps.get_model(label), column) for label, columns in _LEADS.items() for column in columns)]
