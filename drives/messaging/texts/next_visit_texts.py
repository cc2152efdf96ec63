"""Render texts and e-mails about the next visit: thank-you messages and invitations."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.eligibility import next_visit
from drives.eligibility.next_visit import NO_FOLLOW_UP, FollowUp, NextVisit
from drives.messaging.texts import booking_texts, wording
from drives.messaging.texts.wording import CustomTexts
from drives.models import Booking, BookingState, Visit
from drives.web import links
from notifications.message_content import MessageContent
from volunteers.models import Volunteer


def render_thank_you(
    booking: Booking, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS, after: FollowUp = NO_FOLLOW_UP
) -> MessageContent:
    facts, kind = booking_texts.build_facts(booking), _choose_thank_you(booking, after)
    if channel == "sms":
        if kind != "second_visit":
            return MessageContent(text=wording.render_text(kind, facts, custom))
        lists = [next_visit.format_visit_times(after.times[:count]) for count in range(1, len(after.times) + 1)]
        return MessageContent(text=wording.render_longest_that_fits(kind, facts, custom, "slots", lists))
    lines = [wording.render_opening(kind, facts, custom), *_format_aftercare_lines(booking, after)]
    subject = _("Thank you from %(org_name)s") % facts
    return booking_texts.build_donor_email(
        booking, subject, lines, _("See the next dates"), [build_time_option(time) for time in after.times]
    )


def _choose_thank_you(booking: Booking, after: FollowUp) -> str:
    if booking.state != BookingState.DONATED:
        return "came"
    return "second_visit" if after.is_first and after.times else "thank_you"


def _format_aftercare_lines(booking: Booking, after: FollowUp) -> list[str]:
    if booking.state != BookingState.DONATED:
        return [_("We'd be glad to see you again.")]
    lines = [
        _("Drink plenty of fluids today and take it easy. If you feel unwell, call the center that took your donation.")
    ]
    if after.progress and after.is_first:
        lines.append(after.progress.sentence)
    if after.times:
        return [*lines, _("These are the next times you can come:")]
    return (
        [*lines, _("We'll let you know when there's a drive where you can give again.")] if after.gets_news else lines
    )


def build_time_option(time: NextVisit) -> tuple[str, str]:
    site = time.drive.site
    return f"{localtime.format_date_and_time(time.starts_at, site.timezone)}, {site.name}", build_time_link(time)


def build_time_link(time: NextVisit) -> str:
    name = "slot" if time.visit == Visit.RETURN else "slot_first_visit"
    return links.build_link(name, time.slot_id)


def render_invitation(
    volunteer: Volunteer, times: Sequence[NextVisit], channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS
) -> MessageContent:
    """Render an invitation. `times` are one or more times at the same drive."""
    drive, first = times[0].drive, times[0]
    is_first = first.visit == Visit.FIRST
    kind = "next_drive" if is_first else "invitation"
    facts = {
        "org": drive.organization.sms_name,
        "name": volunteer.name,
        "day": localtime.format_short_day(first.starts_at, first.zone),
        "long_day": localtime.format_long_day(first.starts_at, first.zone),
        "time": localtime.format_time(first.starts_at, first.zone),
        "location": drive.site.sms_name,
        "link": build_time_link(first),
    }
    if channel == "sms":
        return MessageContent(text=wording.render_text(kind, facts, custom))
    lines = [
        wording.render_opening(kind, facts, custom),
        f"{drive.title}, {facts['long_day']}",
        f"{drive.site.name}, {drive.site.full_address}",
    ]
    # This link stops news only. Reminders continue.
    stop = f"{booking_texts.build_mailbox_stop_link(volunteer.email)}?scope=news" if volunteer.email else ""
    subject = (_("Our next plasma drive: %(long_day)s") if is_first else _("You can give again: %(long_day)s")) % facts
    return booking_texts.build_email(
        subject, lines, _("Choose a time"), facts["link"], stop, [build_time_option(time) for time in times]
    )
