"""The demo's organizations with their members, causes, sites, senders and key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from drives.eligibility import policies
from drives.management.demo import words
from drives.models import Collector, Policy, Site
from drives.planning import sites as planning_sites
from notifications import senders
from notifications.models import Sender
from organizations import keys, organizing
from organizations.models import Cause, CauseFact, Organization, User


@dataclass(frozen=True)
class Home:
    """One organization, with what its drives are made of."""

    organization: Organization
    sites: list[Site]
    cause: Cause | None
    collector: Collector | None
    policy: Policy
    planner: str  # who acts: "user:7"
    helper: str  # who checks people in


def homes(now: datetime) -> tuple[list[Home], bool]:
    """Both organizations, founded at `now` unless they are there; and whether they are new."""
    policies.seed(Policy)
    new = not Organization.objects.filter(slug=words.RHYTHM).exists()
    if new:
        senders.ensure_default()
        password = make_password(words.PASSWORD)  # slow on purpose, so once for all
        for slug in words.ORGANIZATIONS:
            _found(slug, password, now)
    return [home for slug in words.ORGANIZATIONS if (home := _home(slug))], new


def _found(slug: str, password: str, now: datetime) -> None:
    organization = organizing.create_organization(slug=slug, now=now, **words.ORGANIZATIONS[slug])
    for name, role in words.MEMBERS[slug]:
        user, _known = User.objects.get_or_create(email=f"{name}@example.org", defaults={"password": password})
        organizing.add_member(organization=organization, user=user, role=role, actor="system", now=now)
    for fields in words.SITES[slug]:
        site = Site(organization=organization, **fields, **words.PLACES[slug])
        planning_sites.save_site(site=site, actor="system", now=now)
    collector = Collector(organization=organization, **words.COLLECTORS[slug])
    planning_sites.save_collector(collector=collector, actor="system", now=now)
    _found_cause(organization, words.CAUSES[slug], now)
    sender = Sender.objects.create(name=organization.sms_name, number=words.NUMBERS[slug], per_minute=0, per_day=0)
    sender.organizations.add(organization)
    if slug == words.RHYTHM:
        keys.issue(organization=organization, name="Demo", now=now, token=words.API_KEY)


def _found_cause(organization: Organization, said: words.CauseWords, now: datetime) -> None:
    cause = Cause(organization=organization, title=said.title, strip=said.strip, story=said.story)
    facts = [CauseFact(text=text, source_name=source) for text, source in said.facts]
    planning_sites.save_cause(cause=cause, facts=facts, actor="system", now=now)


def _home(slug: str) -> Home | None:
    """None for an organization that somebody has taken apart: it gets no more drives."""
    organization = Organization.objects.filter(slug=slug).first()
    sites = list(Site.objects.filter(organization=organization).order_by("pk")) if organization else []
    if organization is None or not sites:
        return None
    related: Any = organization
    return Home(
        organization=organization,
        sites=sites,
        cause=related.causes.order_by("pk").first(),
        collector=related.collectors.order_by("pk").first(),
        policy=Policy.objects.get(organization=None, code="US_SOURCE", version=1),
        planner=_actor(words.PLANNERS[slug]),
        helper=_actor(words.DOORS[slug]),
    )


def _actor(name: str) -> str:
    user = User.objects.filter(email=f"{name}@example.org").first()
    return f"user:{user.pk}" if user else "system"
