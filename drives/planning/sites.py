"""What drives are made of: sites, collectors and causes."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from drives.capacity import locks
from drives.models import CollectionCenter, Drive, Site
from drives.planning import relocation
from organizations import audit
from organizations.models import Cause, CauseFact, Organization


@transaction.atomic
def save_site(*, site: Site, actor: str, now: datetime) -> Site:
    """Keep a new or changed site. Who has booked there is told of another name or address.

    Refuses another time zone once drives were planned there: their hours would shift. Locks: its coming drives
    (exclusive) if it is elsewhere, bookings by id.
    """
    before = Site.objects.filter(pk=site.pk).first()
    if before and before.timezone != site.timezone and Drive.objects.filter(site=site).exists():
        text = _("Drives were planned here in the zone %(zone)s. Add the place once more with the other zone.")
        raise ValidationError({"timezone": ValidationError(text % {"zone": before.timezone}, code="zone_in_use")})
    moved = (
        relocation.list_upcoming_drive_ids(site, now)
        if before and relocation.is_different_location(before, site)
        else []
    )
    locks.lock_drives_exclusive(moved)
    site.save()
    relocation.notify_relocation(drive_ids=moved, now=now)
    _note(site.organization, actor, f"site:{site.pk}", before is None, now)
    return site


@transaction.atomic
def save_center(*, center: CollectionCenter, actor: str, now: datetime) -> CollectionCenter:
    """Keep a new or changed collector."""
    is_new = center.pk is None
    center.save()
    _note(center.organization, actor, f"collector:{center.pk}", is_new, now)
    return center


@transaction.atomic
def save_cause(*, cause: Cause, facts: Sequence[CauseFact], actor: str, now: datetime) -> Cause:
    """Keep a new or changed cause with its facts in this order; facts that are not named are gone."""
    is_new = cause.pk is None
    cause.slug = cause.slug or _free_slug(cause)
    cause.save()
    cause.facts.all().delete()
    for position, fact in enumerate(facts):
        fact.pk, fact.cause, fact.position = None, cause, position
    CauseFact.objects.bulk_create(facts)
    _note(cause.organization, actor, f"cause:{cause.pk}", is_new, now)
    return cause


def _free_slug(cause: Cause) -> str:
    with translation.override(cause.organization.language):
        wanted = slugify(str(cause.title))[:50] or "cause"
    taken = set(Cause.objects.filter(organization=cause.organization_id).values_list("slug", flat=True))
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)


def _note(organization: Organization, actor: str, about: str, is_new: bool, now: datetime) -> None:
    verb = "created" if is_new else "changed"
    audit.add_audit_entry(organization=organization, actor=actor, verb=verb, about=about, now=now)
