"""Create the demo's organizations with their members, causes, sites, senders and API key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from drives.eligibility import policies
from drives.management.demo import content
from drives.models import CollectionCenter, Policy, Site
from drives.planning import sites as planning_sites
from drives.web import setup_steps
from notifications import senders
from notifications.models import Sender
from organizations import api_keys, memberships, profile
from organizations.models import Cause, CauseFact, Organization, User


@dataclass(frozen=True)
class DemoOrganization:
    organization: Organization
    sites: list[Site]
    cause: Cause | None
    center: CollectionCenter | None
    policy: Policy
    coordinator: str  # an actor in the audit log, such as "user:7"
    helper: str  # the actor for check-ins


def ensure_organizations(now: datetime) -> tuple[list[DemoOrganization], bool]:
    policies.seed_policies(Policy)
    is_new = not Organization.objects.filter(slug=content.RHYTHM).exists()
    if is_new:
        senders.ensure_default_sender()
        password = make_password(content.PASSWORD)  # hashing is slow on purpose, so hash once
        for slug in content.ORGANIZATIONS:
            _create_organization(slug, password, now)
    return [
        demo_organization for slug in content.ORGANIZATIONS if (demo_organization := _load_demo_organization(slug))
    ], is_new


def _create_organization(slug: str, password: str, now: datetime) -> None:
    organization = memberships.create_organization(slug=slug, now=now, **content.ORGANIZATIONS[slug])
    for name, role in content.MEMBERS[slug]:
        user, _known = User.objects.get_or_create(email=f"{name}@example.org", defaults={"password": password})
        memberships.add_member(organization=organization, user=user, role=role, actor="system", now=now)
    for fields in content.SITES[slug]:
        site = Site(organization=organization, timezone=organization.timezone, **fields, **content.LOCATIONS[slug])
        planning_sites.save_site(site=site, actor="system", now=now)
    center = CollectionCenter(organization=organization, **content.CENTERS[slug])
    planning_sites.save_center(center=center, actor="system", now=now)
    _create_cause(organization, content.CAUSES[slug], now)
    sender = Sender.objects.create(
        name=organization.sms_name, number=content.SENDER_NUMBERS[slug], per_minute=0, per_day=0
    )
    sender.organizations.add(organization)
    for step in setup_steps.STEPS:
        profile.finish_setup_step(organization=organization, step=step.code)
    if slug == content.RHYTHM:
        api_keys.issue_api_key(organization=organization, name="Demo", now=now, token=content.API_KEY)


def _create_cause(organization: Organization, cause_text: content.CauseContent, now: datetime) -> None:
    names = ("title", "summary", "story", "condition", "need", "learn_more_url", "run_url")
    cause = Cause(organization=organization, **{name: getattr(cause_text, name) for name in names})
    facts = [CauseFact(text=text, source_name=name, source_url=url) for text, name, url in cause_text.facts]
    planning_sites.save_cause(cause=cause, facts=facts, actor="system", now=now)


def _load_demo_organization(slug: str) -> DemoOrganization | None:
    organization = Organization.objects.filter(slug=slug).first()
    sites = list(Site.objects.filter(organization=organization).order_by("pk")) if organization else []
    if organization is None or not sites:
        return None
    related: Any = organization
    return DemoOrganization(
        organization=organization,
        sites=sites,
        cause=related.causes.order_by("pk").first(),
        center=related.centers.order_by("pk").first(),
        policy=Policy.objects.get(organization=None, code="US_SOURCE", version=1),
        coordinator=_format_member(content.COORDINATORS[slug]),
        helper=_format_member(content.CHECK_IN_HELPERS[slug]),
    )


def _format_member(name: str) -> str:
    user = User.objects.filter(email=f"{name}@example.org").first()
    return f"user:{user.pk}" if user else "system"
