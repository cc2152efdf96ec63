"""What a donor says of the last donation elsewhere: kept beside what was recorded, counted by the interval rules."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.domain.intervals import Stated
from drives.eligibility import check
from drives.models import DonationKind, Drive, StatedDonation
from volunteers.models import Registration, Volunteer


def refuse_impossible(stated: Stated | None, drive: Drive, now: datetime) -> None:
    """Refuse a kind that is none, and a date that has not come yet where the drive is."""
    if stated is None:
        return
    if stated.kind not in DonationKind.values:
        raise ValidationError({"stated": ValidationError(_("Choose what you gave."), code="stated_kind_unknown")})
    if stated.on > now.astimezone(drive.site.zone).date():
        text = _("Give the day of a donation that has taken place.")
        raise ValidationError({"stated": ValidationError(text, code="stated_in_future")})


def keep(
    stated: Stated,
    *,
    drive: Drive,
    actor: str,
    now: datetime,
    registration: Registration | None = None,
    volunteer: Volunteer | None = None,
) -> None:
    """Keep a self-reported donation instead of the one before. Part of its caller. Refuses as `refuse_impossible`."""
    refuse_impossible(stated, drive, now)
    StatedDonation.objects.update_or_create(
        registration=registration,
        volunteer=volunteer,
        defaults={"kind": stated.kind, "on": stated.on, "actor": actor, "stated_at": now},
    )


def refuse_too_close(stated: Stated | None, drive: Drive, visit: str, wanted: datetime, now: datetime) -> None:
    """Raise what the interval rules have against a time by what was stated alone, with later times that they allow.

    It is what the donor has just typed: to judge it before the contact is proved tells nobody anything.
    """
    if stated is None:
        return
    judged = check.between([stated.donation(drive.site.zone)], drive, wanted)
    if judged.reasons:
        raise refusals.Refusal(judged.reasons, check.later_times([judged], drive, (visit,), now))


def adopt(registrations: Sequence[Registration]) -> None:
    """What was stated before the proof is the person's from now on. Part of its caller."""
    for stated in StatedDonation.objects.filter(registration__in=registrations).select_related("registration"):
        assert stated.registration is not None  # asked for
        volunteer = stated.registration.volunteer
        StatedDonation.objects.filter(volunteer=volunteer).delete()
        stated.registration, stated.volunteer = None, volunteer
        stated.save(update_fields=["registration", "volunteer"])


@transaction.atomic
def state(*, volunteer: Volunteer, drive: Drive, stated: Stated | None, actor: str, now: datetime) -> None:
    """Change or take back (None) what somebody states; `drive` is the one on whose page it is said.

    What is booked stays booked: whether it is too close is shown, and judged again at the door. Refuses, by field, a
    kind that is none and a day that has not come.
    """
    if stated is None:
        StatedDonation.objects.filter(volunteer=volunteer).delete()
    else:
        keep(stated, drive=drive, actor=actor, now=now, volunteer=volunteer)
