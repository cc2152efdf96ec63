"""Format times for people, in the site's time zone. Callers pass aware datetimes and IANA zone names."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

NO_BREAK = "\N{NO-BREAK SPACE}"
# Common names of time zones. Other zones are named after their city.
_ZONE_NAMES = {
    "America/Los_Angeles": gettext_noop("Pacific Time"),
    "America/Denver": gettext_noop("Mountain Time"),
    "America/Phoenix": gettext_noop("Arizona Time"),
    "America/Chicago": gettext_noop("Central Time"),
    "America/New_York": gettext_noop("Eastern Time"),
    "America/Anchorage": gettext_noop("Alaska Time"),
    "Pacific/Honolulu": gettext_noop("Hawaii Time"),
    "America/Puerto_Rico": gettext_noop("Atlantic Time"),
    "Europe/London": gettext_noop("UK Time"),
    "UTC": gettext_noop("Coordinated Universal Time"),
}


def format_hour(number: int) -> str:
    return format_time(datetime(2000, 1, 1, number % 24, tzinfo=UTC), "UTC")


def has_everyday_name(zone: str) -> bool:
    return zone in _ZONE_NAMES


def format_zone(zone: str) -> str:
    if zone in _ZONE_NAMES:
        return _(_ZONE_NAMES[zone])
    return _("%(city)s time") % {"city": zone.rsplit("/", 1)[-1].replace("_", " ")}


def format_time(at: datetime, zone: str) -> str:
    """Format a time like "10:30 AM", or "10:30" in a language that uses the 24-hour clock.

    Add the zone if this local time occurs twice that day.
    """
    return _format_time(at.astimezone(UTC), zone, translation.get_language())


# Cached, because lists format the same times many times, and formatting is slow.
@lru_cache(maxsize=4096)
def _format_time(at: datetime, zone: str, _language: str | None) -> str:
    local = at.astimezone(ZoneInfo(zone))
    shown = formats.date_format(local, _time_format())
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return shown
    return f"{shown} ({local.tzname()})"


def format_range(starts: datetime, ends: datetime, zone: str) -> str:
    """Format a period like "10:30 AM – 12:00 PM".

    Add the length if the clocks change in between, because the two times do not show it.
    """
    shown = f"{format_time(starts, zone)} – {format_time(ends, zone)}"
    if is_clock_changed(starts, ends, zone):
        shown += f", {format_duration(int((ends - starts).total_seconds()) // 60)}"
    return shown


def is_clock_changed(starts: datetime, ends: datetime, zone: str) -> bool:
    return starts.astimezone(ZoneInfo(zone)).utcoffset() != ends.astimezone(ZoneInfo(zone)).utcoffset()


def format_duration(minutes: int) -> str:
    """Format a number of minutes like "45 min", "1 h" or "1 h 15 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        text = _("%(minutes)d min") % {"minutes": rest}
    elif not rest:
        text = _("%(hours)d h") % {"hours": hours}
    else:
        text = _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    return text.replace(" ", NO_BREAK)


def format_short_day(at: datetime, zone: str) -> str:
    """Format a day like "Sat Mar 14" or "sáb 14 mar"."""
    # Translators: a short date as Django's date format, such as "Sat Mar 14".
    return format_date(at, zone, translation.pgettext("date format", "D M j"))


def format_short_day_and_year(at: datetime, zone: str) -> str:
    """Format a day like "Sat Mar 14, 2026" or "sáb 14 mar 2026"."""
    # Translators: a short date with its year as Django's date format, such as "Sat Mar 14, 2026".
    return format_date(at, zone, translation.pgettext("date format", "D M j, Y"))


def format_day_and_time(at: datetime, zone: str) -> str:
    """Format a time like "Sat 10:30 AM". Use this format only for the next few days."""
    return f"{format_date(at, zone, 'D')} {format_time(at, zone)}"


def format_long_day(at: datetime, zone: str) -> str:
    # Translators: a long date as Django's date format, such as "Saturday, March 14".
    return format_date(at, zone, translation.pgettext("date format", "l, F j"))


def format_long_date(at: datetime, zone: str) -> str:
    # Translators: a long date with its year as Django's date format, such as "Saturday, March 13, 2027".
    return format_date(at, zone, translation.pgettext("date format", "l, F j, Y"))


def format_date_and_time(at: datetime, zone: str) -> str:
    """Format a time like "Saturday, March 14, 10:30 AM Pacific Time"."""
    return f"{format_long_day(at, zone)}, {format_time(at, zone)} {format_zone(zone)}"


def format_earliest_time(at: datetime, zone: str) -> str:
    """Format a time like "Saturday, March 13, 2027, 10:30 AM Pacific Time". Round up to the next full minute."""
    minute = at.replace(second=0, microsecond=0)
    shown = minute if minute == at else minute + timedelta(minutes=1)
    return f"{format_long_date(shown, zone)}, {format_time(shown, zone)} {format_zone(zone)}"


def format_date(at: datetime, zone: str, pattern: str) -> str:
    """Format the local date with a pattern in Django's date format. The pattern must not contain a time."""
    return format_day(at.astimezone(ZoneInfo(zone)).date(), pattern)


def format_day(day: date, pattern: str) -> str:
    return _format_date(day, pattern, translation.get_language())


@lru_cache(maxsize=4096)
def _format_date(day: date, pattern: str, _language: str | None) -> str:
    return formats.date_format(day, pattern)


def _time_format() -> str:
    # Translators: a time of day as Django's date format, such as "10:30 AM".
    return translation.pgettext("date format", "g:i A")
