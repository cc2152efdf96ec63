"""Create and remove recruiters' links, and count their visits."""

import hmac
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from drives.capacity import locks
from drives.domain import visitor_count
from drives.models import Drive, ShareLink
from drives.refusals import Refusal
from drives.sharing import rules
from organizations import audit
from volunteers import rules as volunteers_rules


@transaction.atomic
def create_link(*, drive: Drive, name: str, actor: str, now: datetime) -> ShareLink:
    """Create a link for a recruiter.

    Refuses a name that another link of the drive has, and a link over the limit. Locks: drive (exclusive), so that two
    requests cannot both pass the checks.
    """
    locks.lock_drives_exclusive([drive.pk])
    existing = list(ShareLink.objects.filter(drive=drive).values_list("name", flat=True))
    if name.casefold() in {taken.casefold() for taken in existing}:
        raise Refusal([rules.build_name_taken_reason()])
    if len(existing) >= rules.MAX_LINKS:
        raise Refusal([rules.build_too_many_links_reason()])
    link = ShareLink.objects.create(drive=drive, name=name, created_at=now)
    _add_audit_entry(link, actor, "created", now)
    return link


@transaction.atomic
def remove_link(*, link: ShareLink, actor: str, now: datetime) -> None:
    """Remove a link. Refuses a link with holds or bookings. Locks: drive (exclusive)."""
    locks.lock_drives_exclusive([link.drive_id])
    if link.bookings.exists():
        raise Refusal([rules.build_link_used_reason()])
    _add_audit_entry(link, actor, "deleted", now)
    link.delete()


def count_visit(*, code: str, ip: str | None) -> None:
    """Count a visitor of this link, but only one visitor from each network. Ignores an unknown code."""
    networks = volunteers_rules.compute_networks(ip)
    if not networks:
        return
    _prefix, widest = networks[-1]
    material = f"visit:{code}:{widest}".encode()
    bit = visitor_count.choose_bit(hmac.digest(settings.SECRET_KEY.encode(), material, "sha256"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE drives_sharelink SET visitors = set_bit(visitors, %(bit)s, 1)"
            " WHERE code = %(code)s AND get_bit(visitors, %(bit)s) = 0",
            {"bit": bit, "code": code},
        )


def _add_audit_entry(link: ShareLink, actor: str, verb: str, now: datetime) -> None:
    audit.add_audit_entry(
        organization=link.drive.organization, actor=actor, verb=verb, about=f"share_link:{link.pk}", now=now
    )
