"""List the rows on which a sweep has failed, and let a coordinator retry them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from drives.models import Drive, Import, Offer
from notifications import queries as notifications_queries
from notifications.models import InboundMessage, Message, Suppression
from organizations import audit, sweeps
from organizations.models import Organization, ParkedRow
from volunteers.models import Volunteer

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Rows = QuerySet[Any]


@dataclass(frozen=True)
class SweepSubject:
    """The page's entry for a sweep.

    `label` names the work of the sweep. `find_rows` finds the organization's rows. `build_url` links to a row's page.
    """

    label: "StrOrPromise"
    find_rows: Callable[[Organization], Rows]
    build_url: Callable[[Any], str] = lambda row: ""


def _list_drives(organization: Organization) -> Rows:
    return Drive.objects.of(organization)


def _show_drive(drive: Drive) -> str:
    return reverse("organizer_drive", args=[drive.pk])


def _list_messages(organization: Organization) -> Rows:
    return Message.objects.of(organization)


def _list_people(organization: Organization) -> Rows:
    return Volunteer.objects.of(organization)


def _show_person(volunteer: Volunteer) -> str:
    return "" if volunteer.erased_at else reverse("organizer_person", args=[volunteer.pk])


def _list_offers(organization: Organization) -> Rows:
    return Offer.objects.filter(entry__drive__organization=organization).select_related("entry")


def _show_waitlist(offer: Offer) -> str:
    return reverse("organizer_waitlist", args=[offer.entry.drive_id])


def _list_replies(organization: Organization) -> Rows:
    return InboundMessage.objects.filter(sender=notifications_queries.find_sender(organization))


def _list_opt_outs(organization: Organization) -> Rows:
    return Suppression.objects.filter(sender=notifications_queries.find_sender(organization))


def _show_replies(row: Model) -> str:
    return reverse("organizer_replies")


# Codes for a booking search belong to no organization, so only the metrics and the log show their failures.
INSTALLATION_SWEEPS = frozenset({"search_codes"})
SWEEP_SUBJECTS: Mapping[str, SweepSubject] = MappingProxyType(
    {
        "close_out": SweepSubject(_("Close a drive and write its report"), _list_drives, _show_drive),
        "under_filled": SweepSubject(
            _("Tell coordinators that a drive has many open times"), _list_drives, _show_drive
        ),
        "cancellation_digests": SweepSubject(
            _("Tell coordinators about late cancellations"), _list_drives, _show_drive
        ),
        "lapse_holds": SweepSubject(_("Free the spots of unverified bookings"), _list_drives, _show_drive),
        "offer_spots": SweepSubject(_("Offer freed spots to the waiting list"), _list_drives, _show_drive),
        "close_waitlists": SweepSubject(_("Close a waiting list"), _list_drives, _show_drive),
        "expire_offers": SweepSubject(_("End an unanswered offer"), _list_offers, _show_waitlist),
        "fallback": SweepSubject(_("Send an e-mail in place of a failed text"), _list_messages),
        "waitlist_fallback": SweepSubject(_("Send an e-mail in place of a failed text"), _list_messages),
        "invitations": SweepSubject(_("Invite donors to a drive"), lambda of: Organization.objects.filter(pk=of.pk)),
        "invite_donors": SweepSubject(_("Invite a donor to a drive"), _list_people, _show_person),
        "erase_inactive": SweepSubject(_("Erase an inactive person’s data"), _list_people, _show_person),
        "replies": SweepSubject(_("Read a donor’s reply"), _list_replies, _show_replies),
        "imports": SweepSubject(
            _("Check or import a file"),
            lambda of: Import.objects.of(of).defer("content"),
            lambda row: reverse("organizer_import", args=[row.pk]),
        ),
        "settle_opt_outs": SweepSubject(_("Decide on a possible opt-out"), _list_opt_outs, _show_replies),
    }
)


@dataclass(frozen=True)
class ParkedTask:
    parked: ParkedRow
    label: "StrOrPromise"
    url: str


def filter_parked_rows(organization: Organization) -> QuerySet[ParkedRow]:
    """Return the organization's parked rows, ordered by the time of the next try. One query to find the sweeps."""
    parked_rows = ParkedRow.objects.filter(sweep__in=SWEEP_SUBJECTS)
    conditions = [
        Q(sweep=sweep) & Exists(SWEEP_SUBJECTS[sweep].find_rows(organization).filter(pk=OuterRef("row")))
        for sweep in parked_rows.values_list("sweep", flat=True).distinct()
    ]
    if not conditions:
        return parked_rows.none()
    return parked_rows.filter(reduce(or_, conditions)).order_by("retry_at", "pk")


def load_parked_tasks(organization: Organization, parked_rows: Sequence[ParkedRow]) -> list[ParkedTask]:
    """Load the parked rows' labels and links. One query for each sweep."""
    own = {sweep: _find_own(sweep, parked_rows, organization) for sweep in {one.sweep for one in parked_rows}}
    return [
        ParkedTask(one, SWEEP_SUBJECTS[one.sweep].label, SWEEP_SUBJECTS[one.sweep].build_url(own[one.sweep][one.row]))
        for one in parked_rows
        if one.row in own[one.sweep]
    ]


def try_again(*, organization: Organization, parked_id: int, actor: str, now: datetime) -> bool:
    """Let the next run of the sweep handle the row. Return False if the row is not the organization's."""
    parked_row = filter_parked_rows(organization).filter(pk=parked_id).first()
    if parked_row is None:
        return False
    sweeps.retry_parked_row(parked_id=parked_id, now=now)
    about = f"{parked_row.sweep}:{parked_row.row}"
    audit.add_audit_entry(organization=organization, actor=actor, verb="sweep.tried_again", about=about, now=now)
    return True


def _find_own(sweep: str, parked_rows: Sequence[ParkedRow], organization: Organization) -> dict[int, Any]:
    ids = [one.row for one in parked_rows if one.sweep == sweep]
    return SWEEP_SUBJECTS[sweep].find_rows(organization).in_bulk(ids)
