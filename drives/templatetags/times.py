"""Filters for contacts, codes, and times in the site's zone (`{{ booking.starts_at|moment:site.timezone }}`)."""

from datetime import date, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from drives.domain import localtime
from notifications import contact_address

register = template.Library()

register.filter("clock", localtime.format_time)
register.filter("short_day", localtime.format_short_day)
register.filter("short_day_and_year", localtime.format_short_day_and_year)
register.filter("long_day", localtime.format_long_day)
register.filter("moment", localtime.format_date_and_time)
register.filter("zone_name", localtime.format_zone)
register.filter("allowed_from", localtime.format_earliest_time)
register.filter("long_date", localtime.format_long_date)
register.filter("duration", localtime.format_duration)
register.filter("phone", contact_address.format_phone)


@register.filter
def spelled(code: str) -> SafeString:
    """Show a code so that screen readers read it letter by letter, not as a word or a large number."""
    shown = '<span aria-hidden="true">{}</span><span class="visually-hidden">{}</span>'
    return format_html(shown, code, " ".join(code))


@register.filter
def contact(address: str) -> str:
    """Group the digits of a phone number. Return an e-mail address unchanged."""
    return contact_address.format_phone(address)


@register.filter
def iso_time(at: datetime) -> str:
    """Format a time for HTML's `datetime` attribute, without microseconds. HTML allows at most milliseconds."""
    return at.isoformat(timespec="seconds")


@register.filter
def big_clock(at: datetime, zone: str) -> SafeString:
    figures, _space, rest = localtime.format_time(at, zone).partition(" ")
    return format_html("{} <small>{}</small>", figures, rest) if rest else format_html("{}", figures)


@register.filter
def month(at: datetime, zone: str) -> str:
    return localtime.format_date(at, zone, "M")


@register.filter
def day(at: datetime, zone: str) -> str:
    return localtime.format_date(at, zone, "j")


@register.filter
def weekday(at: datetime, zone: str) -> str:
    return localtime.format_date(at, zone, "D")


@register.filter
def short_moment(at: datetime, zone: str) -> str:
    """Format a time as "Sat Mar 14, 9:45 AM". Use it only on pages that show the zone elsewhere."""
    return f"{localtime.format_short_day(at, zone)}, {localtime.format_time(at, zone)}"


@register.filter
def short_date(day: date) -> str:
    return localtime.format_day(day, pgettext("date format", "D M j"))


@register.filter
def calendar_day(day: date, pattern: str) -> str:
    """Format a date as Django's filter `date` does, but remember it, because lists show the same dates many times."""
    return localtime.format_day(day, pattern)


@register.simple_tag
def time_range(starts: datetime, ends: datetime, zone: str) -> str:
    return localtime.format_range(starts, ends, zone)
