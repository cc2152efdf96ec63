"""Drives, slots and the records behind them as the API answers them."""

from django.conf import settings
from django.utils.translation import get_language

from drives.api import answers as api_answers
from drives.api.answers import Answer
from drives.domain.intervals import Rules
from drives.eligibility import self_check
from drives.models import Collector, Drive, Policy, Site, languages
from drives.public.queries import DriveSummary
from organizations.models import Cause, Organization


def drive_row(summary: DriveSummary) -> Answer:
    return _drive(summary.drive, summary.places_left)


def drive(row: Drive, places_left: int) -> Answer:
    """A drive with all that a donor wants to know before booking."""
    policy = row.policy
    return {
        **_drive(row, places_left),
        "description": languages.written(row, "description", get_language() or "en").text,
        "cause": row.cause and _cause_of(row.cause),
        "policy": {**_named(policy), **_intervals(row.rules)},
        "confirms": [{"code": code, "text": self_check.sentence(code)} for code in policy.confirms],
        "visits": [
            {"kind": "first", "minutes": policy.first_minutes},
            {"kind": "return", "minutes": policy.return_minutes},
        ],
    }


def _named(policy: Policy) -> Answer:
    return {"code": policy.code, "version": policy.version, "name": policy.name, "source": policy.source}


def _intervals(rules: Rules) -> Answer:
    windows = [{"count": count, "days": days} for count, days in rules.windows]
    return {"min_hours": rules.min_hours, "min_days": rules.min_days, "windows": windows}


def _drive(row: Drive, places_left: int) -> Answer:
    site, organization, zone = row.site, row.organization, row.site.timezone
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "title": row.title,
        "status": row.state,
        "organization": {"slug": organization.slug, "name": organization.name},
        "site": {"name": site.name, "address": site.full_address, "city": site.city, "timezone": zone},
        "starts_at": api_answers.at(row.starts_at, zone),
        "ends_at": api_answers.at(row.ends_at, zone),
        "places_left": places_left,
        "url": f"{settings.BASE_URL}/d/{row.slug}/",
    }


def _cause_of(cause: Cause) -> Answer:
    return {
        "title": cause.title,
        "story": cause.story,
        "learn_more_url": cause.learn_more_url,
        "give_url": cause.give_url,
    }


def organization(row: Organization) -> Answer:
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "name": row.name,
        "legal_name": row.legal_name,
        "email": row.email,
        "phone": row.phone,
        "website": row.website,
        "language": row.language,
    }


def site(row: Site) -> Answer:
    return {
        "id": str(row.pk),
        "name": row.name,
        "address": row.full_address,
        "city": row.city,
        "country": row.country,
        "timezone": row.timezone,
        "map_url": row.map_url,
        "arrival_note": row.arrival_note,
    }


def cause(row: Cause) -> Answer:
    facts = [{"text": fact.text, "source": fact.source_name, "url": fact.source_url} for fact in row.facts.all()]
    return {"id": str(row.pk), **_cause_of(row), "strip": row.strip, "facts": facts}


def collector(row: Collector) -> Answer:
    return {
        "id": str(row.pk),
        "name": row.name,
        "phone": row.phone,
        "asks_for": row.asks_for,
        "website": row.website,
    }


def policy(row: Policy) -> Answer:
    """A programme's rules: least times, windows of (count, days), what donors confirm, how long visits take."""
    return {
        "id": str(row.pk),
        **_named(row),
        **_intervals(row.rules),
        "confirms": row.confirms,
        "first_minutes": row.first_minutes,
        "return_minutes": row.return_minutes,
        "verified": row.verified,
    }
