"""Save sites, collection centers and causes."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from drives.capacity import locks
from drives.domain import localtime
from drives.models import CollectionCenter, Drive, Site
from drives.planning import relocation
from drives.web.pictures import Picture
from organizations import audit, slugs
from organizations.models import Cause, CauseFact, CausePicture, Organization


@transaction.atomic
def save_site(*, site: Site, actor: str, now: datetime) -> Site:
    """Save a site. If its name or address changes, notify the donors booked there.

    Refuses a change of the time zone if the site has drives, because their hours would shift. If the name or address
    changes, locks the site's upcoming drives (exclusive) and bookings by id.
    """
    before = Site.objects.filter(pk=site.pk).first()
    if before and before.timezone != site.timezone and Drive.objects.filter(site=site).exists():
        text = _("Drives at this location were planned in %(zone)s. To use another time zone, add the location again.")
        raise ValidationError(
            {"timezone": ValidationError(text % {"zone": localtime.format_zone(before.timezone)}, code="zone_in_use")}
        )
    relocated_ids = (
        relocation.list_upcoming_drive_ids(site, now)
        if before and relocation.is_different_location(before, site)
        else []
    )
    # Lock before the change, so that a new booking either shows the new address or gets a notice.
    locks.lock_drives_exclusive(relocated_ids)
    site.save()
    relocation.notify_relocation(drive_ids=relocated_ids, now=now)
    _add_audit_entry(site.organization, actor, f"site:{site.pk}", before is None, now)
    return site


@transaction.atomic
def save_center(*, center: CollectionCenter, actor: str, now: datetime) -> CollectionCenter:
    is_new = center.pk is None
    center.save()
    _add_audit_entry(center.organization, actor, f"center:{center.pk}", is_new, now)
    return center


@transaction.atomic
def save_cause(
    *,
    cause: Cause,
    facts: Sequence[CauseFact],
    picture: Picture | None = None,
    removes_picture: bool = False,
    actor: str,
    now: datetime,
) -> Cause:
    """Save a cause with its facts.

    The cause keeps its picture, unless a new `picture` is given or `removes_picture` is true.
    """
    is_new = cause.pk is None
    cause.slug = cause.slug or _choose_slug(cause)
    cause.save()
    # Replace all facts to save their order. Nothing else refers to them.
    cause.facts.all().delete()
    for position, fact in enumerate(facts):
        fact.pk, fact.cause, fact.position = None, cause, position
    CauseFact.objects.bulk_create(facts)
    if picture:
        CausePicture.objects.update_or_create(
            cause=cause,
            defaults={name: getattr(picture, name) for name in ("content", "digest", "width", "height")},
        )
    elif removes_picture:
        CausePicture.objects.filter(cause=cause).delete()
    _add_audit_entry(cause.organization, actor, f"cause:{cause.pk}", is_new, now)
    return cause


def _choose_slug(cause: Cause) -> str:
    with translation.override(cause.organization.language):
        preferred = slugify(str(cause.title))[:50] or "cause"
    return slugs.choose_free_slug(Cause, preferred)


def _add_audit_entry(organization: Organization, actor: str, about: str, is_new: bool, now: datetime) -> None:
    verb = "created" if is_new else "changed"
    audit.add_audit_entry(organization=organization, actor=actor, verb=verb, about=about, now=now)
