"""What a donor says of the last donation elsewhere: kept beside what was recorded, counted by the interval rules."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives import refusals
from drives.domain.intervals import SelfReported
from drives.eligibility import check
from drives.models import DonationKind, Drive, SelfReportedDonation
from volunteers.models import Registration, Volunteer


def refuse_impossible_donation(reported: SelfReported | None, drive: Drive, now: datetime) -> None:
    """Refuse a kind that is none, and a date that has not come yet where the drive is."""
    if reported is None:
        return
    if reported.kind not in DonationKind.values:
        raise ValidationError(
            {"self_reported": ValidationError(_("Choose what you gave."), code="self_reported_kind_unknown")}
        )
    if reported.on > now.astimezone(drive.site.zone).date():
        text = _("Give the day of a donation that has taken place.")
        raise ValidationError({"self_reported": ValidationError(text, code="self_reported_in_future")})


def save_self_reported(
    reported: SelfReported,
    *,
    drive: Drive,
    actor: str,
    now: datetime,
    registration: Registration | None = None,
    volunteer: Volunteer | None = None,
) -> None:
    """Keep a self-reported donation instead of the one before. Part of its caller. Refuses as
    `refuse_impossible_donation`.
    """
    refuse_impossible_donation(reported, drive, now)
    SelfReportedDonation.objects.update_or_create(
        registration=registration,
        volunteer=volunteer,
        defaults={"kind": reported.kind, "on": reported.on, "actor": actor, "self_reported_at": now},
    )


def refuse_too_close_to_self_reported(
    reported: SelfReported | None, drive: Drive, visit: str, wanted_at: datetime, now: datetime
) -> None:
    """Raise what the interval rules have against a time by what was stated alone, with later times that they allow.

    It is what the donor has just typed: to judge it before the contact is proved tells nobody anything.
    """
    if reported is None:
        return
    judged = check.check_against_donations([reported.donation(drive.site.zone)], drive, wanted_at)
    if judged.reasons:
        raise refusals.Refusal(judged.reasons, check.list_later_times([judged], drive, (visit,), now))


def assign_self_reported(registrations: Sequence[Registration]) -> None:
    """What was stated before the proof is the person's from now on. Part of its caller."""
    for self_reported in SelfReportedDonation.objects.filter(registration__in=registrations).select_related(
        "registration"
    ):
        assert self_reported.registration is not None  # asked for
        volunteer = self_reported.registration.volunteer
        SelfReportedDonation.objects.filter(volunteer=volunteer).delete()
        self_reported.registration, self_reported.volunteer = None, volunteer
        self_reported.save(update_fields=["registration", "volunteer"])


@transaction.atomic
def change_self_reported(
    *, volunteer: Volunteer, drive: Drive, reported: SelfReported | None, actor: str, now: datetime
) -> None:
    """Change or take back (None) what somebody states; `drive` is the one on whose page it is said.

    What is booked stays booked: whether it is too close is shown, and judged again at the door. Refuses, by field, a
    kind that is none and a day that has not come.
    """
    if reported is None:
        SelfReportedDonation.objects.filter(volunteer=volunteer).delete()
    else:
        save_self_reported(reported, drive=drive, actor=actor, now=now, volunteer=volunteer)
