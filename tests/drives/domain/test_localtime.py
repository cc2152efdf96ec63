"""Times as text, in the site's time zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from drives.domain import localtime

LOS_ANGELES = "America/Los_Angeles"
EVENING = datetime(2027, 3, 14, 6, 30, tzinfo=UTC)  # the evening before in Los Angeles

WORDS = [
    (localtime.format_time, "10:30 PM", "10:30 PM"),
    (localtime.format_short_day, "Sat Mar 13", "sáb 13 mar"),
    (localtime.format_short_day_and_year, "Sat Mar 13, 2027", "sáb 13 mar 2027"),
    (localtime.format_day_and_time, "Sat 10:30 PM", "sáb 10:30 PM"),
    (localtime.format_long_day, "Saturday, March 13", "sábado 13 de marzo"),
    (localtime.format_long_date, "Saturday, March 13, 2027", "sábado 13 de marzo de 2027"),
    (
        localtime.format_date_and_time,
        "Saturday, March 13, 10:30 PM Pacific Time",
        "sábado 13 de marzo, 10:30 PM hora del Pacífico",
    ),
    (
        localtime.format_earliest_time,
        "Saturday, March 13, 2027, 10:30 PM Pacific Time",
        "sábado 13 de marzo de 2027, 10:30 PM hora del Pacífico",
    ),
]


@pytest.mark.parametrize(("word", "english", "spanish"), WORDS)
def test_times_are_formatted_in_the_sites_zone_and_both_languages(
    word: Callable[[datetime, str], str], english: str, spanish: str
) -> None:
    for language, said in (("en", english), ("es", spanish)):
        with translation.override(language):
            found = word(EVENING, LOS_ANGELES)
            assert " ".join(found.split()) == said


@pytest.mark.parametrize(
    ("after", "minute"),
    [
        (timedelta(0), 30),
        (timedelta(microseconds=1), 31),
        (timedelta(seconds=1), 31),
        (timedelta(seconds=59, microseconds=999_999), 31),
        (timedelta(seconds=60), 31),
    ],
)
def test_the_first_allowed_time_rounds_up_to_a_full_minute(after: timedelta, minute: int) -> None:
    said = localtime.format_earliest_time(EVENING + after, LOS_ANGELES)
    assert " ".join(said.split()) == f"Saturday, March 13, 2027, 10:{minute} PM Pacific Time"


def test_an_ambiguous_hour_is_shown_with_its_zone() -> None:
    first = datetime(2027, 11, 7, 8, 30, tzinfo=UTC)
    said = [localtime.format_time(first + timedelta(hours=hour), LOS_ANGELES) for hour in (-1, 0, 1, 2)]
    assert [" ".join(each.split()) for each in said] == ["12:30 AM", "1:30 AM (PDT)", "1:30 AM (PST)", "2:30 AM"]


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (LOS_ANGELES, "Pacific Time"),
        ("UTC", "Coordinated Universal Time"),
        ("Europe/Vienna", "Vienna time"),
        ("Cuba", "Cuba time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
    ],
)
def test_a_zone_has_an_everyday_name_or_its_citys(zone: str, name: str) -> None:
    assert localtime.format_zone(zone) == name


@pytest.mark.parametrize(
    ("number", "words"), [(0, "12:00 AM"), (9, "9:00 AM"), (12, "12:00 PM"), (20, "8:00 PM"), (24, "12:00 AM")]
)
def test_an_hour_is_formatted_on_a_12_hour_clock(number: int, words: str) -> None:
    assert localtime.format_hour(number).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("starts", "minutes", "english", "spanish"),
    [
        (
            "2027-11-07T08:00",
            90,
            "1:00 AM (PDT) – 1:30 AM (PST), 1 h 30 min",
            "1:00 AM (PDT) – 1:30 AM (PST), 1 h 30 min",
        ),
        ("2027-11-07T08:30", 30, "1:30 AM (PDT) – 1:00 AM (PST), 30 min", "1:30 AM (PDT) – 1:00 AM (PST), 30 min"),
        ("2027-11-07T09:00", 90, "1:00 AM (PST) – 2:30 AM", "1:00 AM (PST) – 2:30 AM"),
        ("2027-03-14T09:30", 90, "1:30 AM – 4:00 AM, 1 h 30 min", "1:30 AM – 4:00 AM, 1 h 30 min"),
        ("2027-03-14T10:00", 90, "3:00 AM – 4:30 AM", "3:00 AM – 4:30 AM"),
        ("2027-03-13T18:30", 90, "10:30 AM – 12:00 PM", "10:30 AM – 12:00 PM"),
    ],
)
def test_a_range_tells_its_true_length_if_the_clock_changes(
    starts: str, minutes: int, english: str, spanish: str
) -> None:
    at = datetime.fromisoformat(starts).replace(tzinfo=UTC)
    for language, said in (("en", english), ("es", spanish)):
        with translation.override(language):
            found = localtime.format_range(at, at + timedelta(minutes=minutes), LOS_ANGELES)
            assert " ".join(found.split()) == said
