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
    """Refuse an unknown kind of donation, or a date in the future (in the time zone of the drive's site)."""
    if reported is None:
        return
    if reported.kind not in DonationKind.values:
        raise ValidationError(
            {"self_reported": ValidationError(_("Choose what you gave."), code="self_reported_kind_unknown")}
        )
    if reported.donated_on > now.astimezone(drive.site.zone).date():
        text = _("Enter the date of a donation you’ve already made.")
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
    """Save a self-reported donation in the caller's transaction. It replaces an earlier one.

    Refuses everything that `refuse_impossible_donation` refuses.
    """
    refuse_impossible_donation(reported, drive, now)
    SelfReportedDonation.objects.update_or_create(
        registration=registration,
        volunteer=volunteer,
        defaults={"kind": reported.kind, "donated_on": reported.donated_on, "actor": actor, "reported_at": now},
    )


def refuse_too_close_to_self_reported(
    reported: SelfReported | None, drive: Drive, visit: str, wanted_at: datetime, now: datetime
) -> None:
    """Refuse a time too close to this self-reported donation, and list later times that are allowed.

    This check may run before verification. It uses only the caller's own input, so it reveals nothing about the donor.
    """
    if reported is None:
        return
    eligibility_check = check.check_against_donations([reported.to_donation(drive.site.zone)], drive, wanted_at)
    if eligibility_check.reasons:
        raise refusals.Refusal(
            eligibility_check.reasons, check.list_later_times([eligibility_check], drive, (visit,), now)
        )


def assign_self_reported(registrations: Sequence[Registration]) -> None:
    for self_reported in SelfReportedDonation.objects.filter(registration__in=registrations).select_related(
        "registration"
    ):
        assert self_reported.registration is not None  # by the filter above
        volunteer = self_reported.registration.volunteer
        SelfReportedDonation.objects.filter(volunteer=volunteer).delete()
        self_reported.registration, self_reported.volunteer = None, volunteer
        self_reported.save(update_fields=["registration", "volunteer"])


@transaction.atomic
def change_self_reported(
    *, volunteer: Volunteer, drive: Drive, reported: SelfReported | None, actor: str, now: datetime
) -> None:
    """Save or remove (None) a volunteer's self-reported donation.

    The volunteer's bookings do not change. If a booking is now too close to the donation, its page shows a warning, and
    check-in checks the interval again. Refuses everything that `refuse_impossible_donation` refuses.
    """
    if reported is None:
        SelfReportedDonation.objects.filter(volunteer=volunteer).delete()
    else:
        save_self_reported(reported, drive=drive, actor=actor, now=now, volunteer=volunteer)
