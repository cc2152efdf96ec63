"""What we say about the next visit, with the thanks and when its date is reached: a text or an e-mail. Pure."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.eligibility import next_visit
from drives.eligibility.next_visit import NOTHING, AfterVisit, NextVisit
from drives.messaging.texts import bookings, catalog
from drives.messaging.texts.catalog import Own
from drives.models import Booking, BookingState, Visit
from drives.web import links
from notifications.notice import Wording
from volunteers.models import Volunteer


def thank_you(booking: Booking, channel: str, own: Own = catalog.NONE, after: AfterVisit = NOTHING) -> Wording:
    """After the visit; for those who came, whatever came of it. Who gave is offered the next times they may come."""
    facts, kind = bookings.facts_of(booking), _thanks(booking, after)
    if channel == "sms":
        if kind != "second_visit":
            return Wording(text=catalog.worded(kind, facts, own))
        lists = [next_visit.in_short(after.times[:count]) for count in range(1, len(after.times) + 1)]
        return Wording(text=catalog.worded_with_most(kind, facts, own, "slots", lists))
    lines = [catalog.opened(kind, facts, own), *_after_you_came(booking, after)]
    subject = _("Thank you from %(org_name)s") % facts
    return bookings.letter(booking, subject, lines, _("See the next dates"), [choice(time) for time in after.times])


def _thanks(booking: Booking, after: AfterVisit) -> str:
    if booking.state != BookingState.DONATED:
        return "came"
    return "second_visit" if after.is_first and after.times else "thank_you"


def _after_you_came(booking: Booking, after: AfterVisit) -> list[str]:
    if booking.state != BookingState.DONATED:
        return [_("We would be glad to see you again.")]
    lines = [_("Drink plenty today and take it easy. If you feel unwell, call the centre that took your donation.")]
    if after.progress and after.is_first:
        lines.append(after.progress.sentence)
    if after.times:
        return [*lines, _("These are the next times you may come:")]
    return (
        [*lines, _("When there is a drive at which you may give again, we will tell you.")]
        if after.wants_news
        else lines
    )


def choice(time: NextVisit) -> tuple[str, str]:
    """A time that may be chosen, in words, and the address where it is booked."""
    site = time.drive.site
    return f"{localtime.moment(time.starts_at, site.timezone)}, {site.name}", time_link(time)


def time_link(time: NextVisit) -> str:
    """The short address at which somebody who gave before books this time."""
    name = "time" if time.visit == Visit.RETURN else "time_first"
    return links.absolute(reverse(name, args=[time.slot_id]))


def appeal(person: Volunteer, times: Sequence[NextVisit], channel: str, own: Own = catalog.NONE) -> Wording:
    """News that somebody may give again, and when: the times are of one drive, one at least."""
    drive, first = times[0].drive, times[0]
    facts = {
        "org": drive.organization.sms_name,
        "name": person.name,
        "day": localtime.short_day(first.starts_at, first.zone),
        "long_day": localtime.long_day(first.starts_at, first.zone),
        "time": localtime.clock(first.starts_at, first.zone),
        "place": drive.site.sms_name,
        "link": time_link(first),
    }
    if channel == "sms":
        return Wording(text=catalog.worded("appeal", facts, own))
    lines = [
        catalog.opened("appeal", facts, own),
        f"{drive.title}, {facts['long_day']}",
        f"{drive.site.name}, {drive.site.full_address}",
    ]
    # These alone: reminders still come.
    stop = f"{bookings.mailbox_stop_link(person.email)}?scope=news" if person.email else ""
    subject = _("You may give again: %(long_day)s") % facts
    return bookings.mail(subject, lines, _("Choose a time"), facts["link"], stop, [choice(time) for time in times])
